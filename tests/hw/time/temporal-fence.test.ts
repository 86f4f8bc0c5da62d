/** fence.t: what ran before it on a hart cannot be told by how long anything takes after it. */
import { describe, expect, test } from 'vitest'
import { evaluator } from '../../../hw/hart/evaluator.ts'
import { type ExecutorFactory, pricesFor } from '../../../hw/index.ts'
import { tier0 } from '../../../hw/translate/tier0.ts'
import { RAM, smallMachine } from '../small-machine.ts'

const MIB = 2 ** 20
const OWN = RAM + 2 * MIB
const OTHERS = RAM + 4 * MIB

/** Somebody walks `others` lines and writes some; then, perhaps, the fence; then 300 lines of one's own are timed that were in the caches before. */
function timed(others: number, fence: boolean, core: 'rocket' | 'cva6', executor: ExecutorFactory = tier0()): number {
  const walk = (from: number, lines: number, write = false) => `
    li t0, ${from}
    li t1, ${lines + 1}
    j 2f
  1: ld t2, 0(t0)
    ${write ? 'sd t2, 0(t0)' : ''}
    addi t0, t0, 64
  2: addi t1, t1, -1
    bnez t1, 1b`
  const { run, at } = smallMachine(
    `${walk(OWN, 300)}
    ${walk(OTHERS, others, true)}
    ${fence ? 'fence.t' : ''}
    # Every row of DRAM is open in the same place again.
    ${walk(RAM + 6 * MIB, 1024)}
    ${fence ? 'fence.t' : ''}
    csrr s2, mcycle
    ${walk(OWN, 300)}
    csrr s3, mcycle
    sub s3, s3, s2
    note s3`,
    { executor, prices: pricesFor({ model: 'cached', core, l2: 'private' }), ramBytes: 8 * MIB, temporalFence: true },
  )
  expect(run({})).toMatchObject({ reason: 'pass' })
  return Number(at('log', 0))
}

describe.each(['rocket', 'cva6'] as const)('%s', core => {
  test('with the fence, the time is the same to the cycle whatever another did; without it, it tells', () => {
    const fenced = [0, 40, 1000, 5000].map(others => timed(others, true, core))
    expect(new Set(fenced).size).toBe(1)
    const open = [0, 40, 1000, 5000, 20_000].map(others => timed(others, false, core))
    expect(new Set(open).size).toBeGreaterThan(2)
  })

  test('the executors agree', () => {
    expect(timed(1000, true, core, tier0())).toBe(timed(1000, true, core, evaluator()))
  })
})

test('it is illegal on a hart that does not have it', () => {
  const { run, at } = smallMachine(
    'la t0, trap\n csrw mtvec, t0\n fence.t\n .balign 4\n trap: csrr a0, mcause\n note a0',
  )
  expect(run({})).toMatchObject({ reason: 'pass' })
  expect(at('log')).toBe(2n)
})
