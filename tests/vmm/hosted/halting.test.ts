/** A vCPU that waits: its thread watches for a while before it sleeps, if the hart has nothing else to do. */
import { expect, test } from 'vitest'
import { countUntil, END } from '../assembly.ts'
import { hosted, type TestGuest } from './machine.ts'

const WAITS = 40
const CYCLES = 100

/** Waits so many ticks, many times. */
const waiting = (ticks: number) => `
    li t0, 32
    csrw sie, t0
    li s0, ${WAITS}
    rdtime s1
    li s2, ${ticks}
1:  add s1, s1, s2
    csrw 0x14d, s1
2:  wfi
    rdtime t1
    bltu t1, s1, 2b
    addi s0, s0, -1
    bnez s0, 1b
    ${END}`

/** Cycles of hart 0 in rows of that cause. */
function cyclesOf(cause: string, guests: readonly TestGuest[]): number {
  const run = hosted(guests)
  run.run(3_000_000 * CYCLES, () => run.guests[0].record.ended)
  expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false })
  return run.machine
    .ledger(0)
    .filter(row => row.cause === cause)
    .reduce((sum, { cycles }) => sum + cycles, 0)
}

test('short waits are watched for, long ones slept through', () => {
  const short = 200
  const long = 8000
  expect(cyclesOf('halt polling', [{ kernel: waiting(short) }])).toBeGreaterThan((WAITS * short * CYCLES) / 2)
  expect(cyclesOf('halt polling', [{ kernel: waiting(long) }])).toBeLessThan((WAITS * long * CYCLES) / 10)
})

test('nobody watches while another wants the hart', () => {
  const guests = [{ kernel: waiting(200) }, { kernel: countUntil(3_000_000) }]
  expect(cyclesOf('halt polling', guests)).toBeLessThan((WAITS * 200 * CYCLES) / 4)
})
