import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { serialize } from 'node:v8'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ELEMENTS } from './software/adder.ts'
import { migrated, preempted, SUM } from './preemption.ts'

const results = ({ at }: ReturnType<typeof preempted>): readonly number[] => [
  at('turns'),
  at('result'),
  at('result', 1),
  at('result', 2),
]
const EXPECTED = [ELEMENTS, SUM, ELEMENTS, 1]

test('an entry runs to its end', () => {
  const bed = preempted(0)
  expect(bed.run()).toMatchObject({ kind: 'stopped', reason: 'pass' })
  expect(results(bed)).toEqual(EXPECTED)
})

test('an interrupt is taken inside an entry: xepc is the entry instruction, t6 its token, and part of the work is done', () => {
  const bed = preempted(30)
  bed.run({ until: () => bed.at('interrupts') > 0, maxInstructions: 3000 })
  bed.run()
  expect(bed.at('interrupts', 1)).toBe(bed.address('process') + 4)
  expect(bed.at('interrupts', 2)).toBeGreaterThan(0)
  expect(bed.at('interrupts', 3)).toBeLessThan(ELEMENTS)
})

test('a user-mode process that a timer preempts goes on, whenever it does, and does nothing twice', () => {
  fc.assert(
    fc.property(fc.integer({ min: 18, max: 80 }), ticks => {
      const bed = preempted(ticks)
      bed.run()
      expect(bed.at('interrupts')).toBeGreaterThan(0)
      expect(results(bed)).toEqual(EXPECTED)
    }),
    { numRuns: 20 },
  )
})

test('a process that is stopped in the midst of an entry goes on on another hart', () => {
  for (const ticks of [15, 25, 40]) {
    const bed = migrated(ticks)
    expect(bed.run({ untilCycle: 20_000 })).toMatchObject({ kind: 'stopped', reason: 'pass' })
    expect(bed.at('stopped_at')).not.toBe(0)
    expect(results(bed)).toEqual(EXPECTED)
  }
})

test('what was replayed costs nothing: the process itself takes the same cycles, preempted or not', () => {
  const cyclesOf = (ticks: number): number => {
    const bed = preempted(ticks)
    bed.run()
    const rows = bed.machine.ledger(0).filter(row => row.party === 'guest')
    expect(rows.length).toBeGreaterThan(0)
    return rows.reduce((sum, row) => sum + row.cycles, 0)
  }
  // Each time it is resumed the entry instruction retires again.
  const bed = preempted(40)
  bed.run()
  expect(cyclesOf(40) - cyclesOf(0)).toBeLessThanOrEqual(bed.at('interrupts') * 12)
})

test('a machine saved in the midst of an entry goes on in another process, to the same trace hash', () => {
  const straight = preempted(25)
  straight.run()
  const bed = preempted(25)
  const isSuspended = (): boolean => JSON.stringify(bed.machine.software.save()).includes('"pending"')
  for (let cycle = 100; !isSuspended(); cycle += 7) bed.run({ untilCycle: cycle })
  const script = fileURLToPath(new URL('resume.ts', import.meta.url))
  const counting = new URL('../../../lab/counting/register.ts', import.meta.url).href
  const output = execFileSync(process.execPath, ['--import', counting, script], {
    input: serialize(bed.machine.save()),
    encoding: 'utf8',
  })
  expect(JSON.parse(output)).toEqual({ hash: straight.machine.traceHash(), results: EXPECTED })
})
