import { describe, expect, it } from 'vitest'
import { RING_PAGES } from '../../../../hw/spec/layouts/ring.ts'
import { placed } from './machine.ts'

describe('A driver domain', () => {
  it.each([
    { device: 'disk', transfer: 'map', harts: 1 },
    { device: 'disk', transfer: 'copy', harts: 2, hart: 1 },
    { device: 'network', transfer: 'map', harts: 2, hart: 1 },
    { device: 'network', transfer: 'copy', harts: 1 },
  ] as const)('serves a guest by rings and grants: $device, $transfer, hart $hart', ({ device, harts, ...choice }) => {
    const run = placed(device, { [device]: { at: 'domain', ...choice } }, { iommu: true, harts })
    expect(run.finish()).toBe(true)
    expect(run.system.dmaFaults?.record.faults).toBe(0)
    expect(run.system.domains[0].record.ended).toBe(false)
    // Nothing stays granted, nor mapped, but the ring's own pages.
    expect(run.mapped(device)).toBe(RING_PAGES)
  })

  it('needs an IOMMU, and a hart that nobody else is pinned to', () => {
    expect(() => placed('disk', { disk: { at: 'domain' } })).toThrow('IOMMU')
    expect(() => placed('disk', { disk: { at: 'domain', hart: 0 } }, { iommu: true, harts: 2 })).toThrow(
      'pin it to another',
    )
  })
})
