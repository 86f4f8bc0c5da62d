import { describe, expect, test } from 'vitest'
import { attempt, concluded } from '../../../lab/place/study.ts'
import type { Sample } from '../../../lab/place/measure.ts'
import type { PlacementName } from '../../../lab/place/placements.ts'
import { recordPath } from '../../../lab/place/path.ts'
import { placeWorkload } from '../../../lab/place/workloads.ts'
import { sample } from './made-up.ts'

const conditions = { guests: 1, seed: 3, harts: 1, options: {} }
const measure = (placement: PlacementName, more: object = {}) =>
  attempt({ workload: 'network-latency', device: 'nic', placement, conditions: { ...conditions, ...more } })

describe('one workload, moved', () => {
  test('shares sum to 1, rows to the whole time, and who is trusted less is not always slower', async () => {
    const [bare, vmm, posted] = (await Promise.all(
      (['bare-messages', 'vmm', 'passthrough-posted'] as const).map(name => measure(name)),
    )) as Sample[]
    for (const { shares, ledger, operations, cycles, cyclesPerOperation } of [bare, vmm, posted]) {
      expect(Object.values(shares).reduce((sum, part) => sum + part, 0)).toBeCloseTo(1, 9)
      expect(ledger.reduce((sum, row) => sum + row.cycles, 0) * operations).toBeCloseTo(cycles, 0)
      const busy = ledger.filter(({ party }) => party !== 'idle').reduce((sum, row) => sum + row.cycles, 0)
      expect(busy).toBeCloseTo(cyclesPerOperation, 6)
    }
    expect(bare.operations).toBe(1000)
    expect(vmm.latency.median).toBeGreaterThan(1.5 * bare.latency.median)
    // ELI: interrupts that come without an exit bring 97 to 100 % of bare.
    expect(posted.throughput / bare.throughput).toBeGreaterThan(0.97)
    // The way of its typical request is as long as the request, and all of it is somebody's.
    const workload = placeWorkload('network-latency', 'nic')
    const path = recordPath(workload, 'vmm', { ...conditions }, vmm.typical)
    expect(path.cycles).toBe(vmm.typical.to - vmm.typical.from)
    expect(path.stretches.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(path.cycles)
    expect(path.stretches.map(({ party }) => party)).toContain('vmm')
    expect(path.device?.from).toBeGreaterThan(0)
  })

  test('what cannot be had is said in words', async () => {
    expect(await measure('bare', { guests: 2 })).toBe('the bare machine runs one guest')
  })
})

test('differences are paired by seed, in per cent of the first', () => {
  const samples = [1, 2, 3].flatMap(seed => [sample('bare', seed, 10 * seed), sample('vmm', seed, 15 * seed)])
  const plan = { placements: ['bare', 'vmm'], guests: [1], seeds: [1, 2, 3] } as const
  const { points, differences } = concluded(samples, [], plan)
  expect(points.map(({ placement, latency }) => [placement, latency.median])).toEqual([
    ['bare', 20],
    ['vmm', 30],
  ])
  const latency = differences.find(({ quantity }) => quantity === 'latency')
  expect(latency).toMatchObject({ a: 'bare', b: 'vmm', median: 50, pairs: 3, undecided: false })
})
