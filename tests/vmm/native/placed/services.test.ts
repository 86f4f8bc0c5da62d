/** How a driver learns what its device has done, and on which hart: in each place that has the choice. */
import { describe, expect, it } from 'vitest'
import type { DriverPlacement } from '../../../../hw/spec/layouts/placement.ts'
import { placed } from './machine.ts'

type Kind = 'disk' | 'network'

/** The root bus's wires are sources from here on. */
const FIRST_WIRE = 32

/** A guest's run on two harts: whether it came to its end, and how often a controller claimed anything for hart 0. */
function run(device: Kind, choice: Partial<DriverPlacement>) {
  const { system, finish } = placed(device, { [device]: choice }, { iommu: true, harts: 2 })
  let pulled = 0
  system.machine.bus.onAccess((window, _offset, _bytes, value, write) => {
    if (window.name === 'plic' && !write && value >= FIRST_WIRE) pulled++
  })
  return { good: finish(), pulled }
}

describe('A device that is polled interrupts nobody, and serves its guest', () => {
  it.each([
    { device: 'disk', choice: { at: 'vmm' } },
    { device: 'network', choice: { at: 'vmm', hart: 1 } },
    { device: 'network', choice: { at: 'server' } },
    { device: 'disk', choice: { at: 'server', hart: 1 } },
    { device: 'disk', choice: { at: 'domain', hart: 1 } },
  ] as const)('$device, $choice', ({ device, choice }) => {
    expect(run(device, { ...choice, service: 'polling' })).toEqual({ good: true, pulled: 0 })
  })
})

describe('A driver that adapts masks its interrupt while it is at it, and misses nothing', () => {
  it.each([
    { device: 'disk', at: 'vmm' },
    { device: 'network', at: 'server' },
    { device: 'disk', at: 'domain' },
  ] as const)('$device, $at', ({ device, at }) => {
    const { good, pulled } = run(device, { at, service: 'adaptive' })
    expect(good).toBe(true)
    expect(pulled).toBeGreaterThan(0)
  })
})

describe('What cannot be had is refused', () => {
  it.each([
    [{ at: 'domain', service: 'polling' }, 'give it a hart'],
    [{ service: 'polling', coalescing: 100 }, 'leave one of them out'],
    [{ coalescing: 30_000 }, 'give 25500 or less'],
    [{ hart: 1 }, 'give hart 0, or service "polling"'],
    [{ hart: 0 }, 'pin it to another'],
    [{ at: 'server', hart: 2 }, 'give a lower number'],
  ] as const)('%j', (choice, remedy) => {
    expect(() => run('disk', choice)).toThrow(remedy)
  })
})
