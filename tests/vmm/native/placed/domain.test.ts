import { describe, expect, it } from 'vitest'
import { placed } from './machine.ts'

describe('A driver domain', () => {
  it.each([
    { transfer: 'map', harts: 1 },
    { transfer: 'copy', harts: 2, hart: 1 },
  ] as const)('serves a guest by rings and grants: $transfer, hart $hart', ({ harts, ...choice }) => {
    const run = placed('disk', { disk: { at: 'domain', ...choice } }, { iommu: true, harts })
    expect(run.finish()).toBe(true)
    expect(run.system.dmaFaults?.record.faults).toBe(0)
    expect(run.system.domains[0].record.ended).toBe(false)
    // Nothing stays granted, nor mapped, but the ring's own pages.
    expect(run.mapped()).toBe(2)
  })

  it('needs an IOMMU, and a hart that nobody else is pinned to', () => {
    expect(() => placed('disk', { disk: { at: 'domain' } })).toThrow('IOMMU')
    expect(() => placed('disk', { disk: { at: 'domain', hart: 0 } }, { iommu: true, harts: 2 })).toThrow(
      'pin it to another',
    )
  })
})
