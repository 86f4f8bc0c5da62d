/** Several vCPUs on a hart: under either VMM each gets its share by weight, and none more than its cap. */
import { describe, expect, test } from 'vitest'
import { countUntil } from './assembly.ts'
import { hypervised, type TestGuest } from './machine.ts'

/** Ticks in which caps and turns even out: the host's tick and periods are the longer ones. Cycles of a tick. */
const RACE = { native: 1_000_000, hosted: 2_000_000 } as const
const CAPPED_RACE = 2_000_000
const CYCLES = 100

describe.each(['native', 'hosted'] as const)('a shared hart, %s', configuration => {
  function race(guests: readonly Omit<TestGuest, 'kernel'>[], harts = 1, end: number = RACE[configuration]): number[] {
    const run = hypervised(
      configuration,
      guests.map(guest => ({ ...guest, kernel: countUntil(end) })),
      { harts },
    )
    run.run(end * 2 * CYCLES)
    expect(run.guests.every(({ record }) => record.ended && !record.crashed)).toBe(true)
    return run.guests.map(({ record }) => record.exitCode)
  }

  test('is divided by weight', () => {
    const [light, heavy] = race([
      { weight: 100, harts: [0] },
      { weight: 300, harts: [0] },
    ])
    expect(heavy / light).toBeGreaterThan(2.5)
    expect(heavy / light).toBeLessThan(3.5)
  })

  test('gives nobody more than its cap, though nobody else wants it', () => {
    const [free, capped] = race([{ harts: [0] }, { harts: [1], cap: 40 }], 2, CAPPED_RACE)
    expect(capped / free).toBeGreaterThan(0.33)
    expect(capped / free).toBeLessThan(0.47)
  })

  test('leaves to others what a cap holds back', () => {
    const [free, capped] = race([{ harts: [0] }, { harts: [0], cap: 20 }])
    expect(capped / (capped + free)).toBeGreaterThan(0.15)
    expect(capped / (capped + free)).toBeLessThan(0.27)
  })

  test('vCPUs that are not pinned use all harts', () => {
    const counts = race([{}, {}, {}, {}], 2)
    const mean = counts.reduce((sum, count) => sum + count, 0) / 4
    for (const count of counts) expect(Math.abs(count / mean - 1)).toBeLessThan(0.2)
    const [alone] = race([{ harts: [0] }])
    expect((mean * 4) / alone).toBeGreaterThan(1.7)
  })
})
