import { expect, test } from 'vitest'
import { evaluator } from '../../../hw/hart/evaluator.ts'
import { tier0 } from '../../../hw/translate/tier0.ts'
import { smallMachine } from '../small-machine.ts'

const CYCLES_PER_TICK = 100
/** A mark between others, and what is due ten ticks on, while the hart spins. */
const PROGRAM = `
  li a0, 7
  mark.begin a0
  nop
  nop
  nop
  mark.finish a0
  mark.start
  mark.end
  rdtime a1
  addi a1, a1, 10
  mark.due a1
1: rdtime a2
  bgeu a1, a2, 1b
  pass
`

interface Told {
  readonly mark: string
  readonly number: number
  readonly cycle: number
}

function run(executor: typeof evaluator | typeof tier0, listening: boolean) {
  const { machine, run: go } = smallMachine(PROGRAM, { executor: executor() })
  const told: Told[] = []
  const ledgers: number[] = []
  if (listening)
    machine.onMark((hart, mark, number, cycle) => {
      told.push({ mark, number, cycle })
      ledgers.push(machine.ledger(hart).reduce((sum, { cycles }) => sum + cycles, 0))
    })
  go()
  return { told, ledgers, hash: machine.traceHash() }
}

test.each([
  ['evaluator', evaluator],
  ['tier 0', tier0],
])('marks are told at their cycle with their number, what is due when it is (%s)', (_name, executor) => {
  const { told, ledgers } = run(executor, true)
  expect(told.map(({ mark, number }) => `${mark} ${number}`)).toEqual(['start 7', 'end 7', 'start 0', 'end 0', 'due 0'])
  const [begin, finish, , , due] = told as [Told, Told, Told, Told, Told]
  expect(finish.cycle - begin.cycle).toBe(4)
  expect(due.cycle % CYCLES_PER_TICK).toBe(0)
  expect(due.cycle).toBeGreaterThanOrEqual(10 * CYCLES_PER_TICK)
  // The ledger at a mark is of that cycle; an instruction under way when something falls due is over first.
  expect(ledgers.slice(0, 4)).toEqual(told.slice(0, 4).map(({ cycle }) => cycle))
  expect(ledgers[4] - due.cycle).toBeLessThan(10)
})

test('listening to marks changes nothing', () => {
  expect(run(tier0, true).hash).toBe(run(tier0, false).hash)
})
