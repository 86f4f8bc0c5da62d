/** Several guests on a hart: the host's scheduler gives each its share by weight, none more than its cap. */
import { describe, expect, test } from 'vitest'
import { countUntil } from '../assembly.ts'
import { hosted, type TestGuest } from './machine.ts'

/** 200 ms of the machine's time, in ticks, and the cycles of a tick. */
const END_OF_RACE = 2_000_000
const CYCLES = 100

function race(guests: readonly Omit<TestGuest, 'kernel'>[], harts = 1): number[] {
  const run = hosted(
    guests.map(guest => ({ ...guest, kernel: countUntil(END_OF_RACE) })),
    { harts },
  )
  run.run(END_OF_RACE * 2 * CYCLES)
  expect(run.guests.every(({ record }) => record.ended && !record.crashed)).toBe(true)
  return run.guests.map(({ record }) => record.exitCode)
}

describe("the host's scheduler", () => {
  test('divides a hart by weight', () => {
    const [light, heavy] = race([
      { weight: 100, harts: [0] },
      { weight: 300, harts: [0] },
    ])
    expect(heavy / light).toBeGreaterThan(2.5)
    expect(heavy / light).toBeLessThan(3.5)
  })

  test('gives nobody more than its cap, though nobody else wants it', () => {
    const [free, capped] = race([{ harts: [0] }, { harts: [1], cap: 40 }], 2)
    expect(capped / free).toBeGreaterThan(0.33)
    expect(capped / free).toBeLessThan(0.47)
  })

  test('uses all harts for threads that are not pinned', () => {
    const counts = race([{}, {}, {}, {}], 2)
    const mean = counts.reduce((sum, count) => sum + count, 0) / 4
    for (const count of counts) expect(Math.abs(count / mean - 1)).toBeLessThan(0.2)
    const [alone] = race([{ harts: [0] }])
    expect((mean * 4) / alone).toBeGreaterThan(1.7)
  })
})
