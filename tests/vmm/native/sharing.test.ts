/** Several vCPUs on a hart: each gets its share by weight, none more than its cap, and who waits is woken. */
import { describe, expect, test } from 'vitest'
import { countUntil, END, INTERRUPTS_ANOTHER, print } from '../assembly.ts'
import { native, type TestGuest } from './machine.ts'

/** 100 ms of the machine's time, in ticks, and the cycles of a tick. */
const END_OF_RACE = 1_000_000
const CYCLES = 100

function race(guests: readonly Omit<TestGuest, 'kernel'>[], harts = 1, end = END_OF_RACE): number[] {
  const run = native(
    guests.map(guest => ({ ...guest, kernel: countUntil(end) })),
    { harts },
  )
  run.run(end * 2 * CYCLES)
  expect(run.guests.every(({ record }) => record.ended && !record.crashed)).toBe(true)
  return run.guests.map(({ record }) => record.exitCode)
}

describe('a shared hart', () => {
  test('is divided by weight', () => {
    const [light, heavy] = race([
      { weight: 100, harts: [0] },
      { weight: 300, harts: [0] },
    ])
    expect(heavy / light).toBeGreaterThan(2.5)
    expect(heavy / light).toBeLessThan(3.5)
  })

  test('gives nobody more than its cap, though nobody else wants it', () => {
    const [free, capped] = race([{ harts: [0] }, { harts: [1], cap: 40 }], 2, 2 * END_OF_RACE)
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

  test("goes to a sleeper whose timer is due, in the middle of another's work", () => {
    const sleeper = `
    la t0, vector
    csrw stvec, t0
    li t0, 32
    csrs sie, t0
    csrsi sstatus, 2
    rdtime t1
    li t2, 100000
    add t1, t1, t2
    csrw 0x14d, t1
1:  wfi
    j 1b
    .balign 4
vector:
    ${print('tick')}
    ${END}`
    const run = native([
      { kernel: 'j .', harts: [0] },
      { kernel: sleeper, harts: [0] },
    ])
    run.run(100_000_000, () => run.guests[1].record.ended)
    expect(run.printed()).toContain('tick')
    expect(run.machine.now()).toBeLessThan(60_000_000)
  })
})

test('harts of a guest on one hart of the machine interrupt one another', () => {
  const run = native([
    {
      vcpus: 2,
      harts: [0, 0],
      kernel: INTERRUPTS_ANOTHER,
    },
  ])
  run.run(50_000_000)
  expect(run.printed()).toBe('2!')
})
