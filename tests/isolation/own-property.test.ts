/** A property of one's own: what a guest has put away it finds again, whatever its neighbour does meanwhile. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  campaign,
  DATA,
  findingLines,
  found,
  hostile,
  type IsolationPromise,
  logOf,
  type Program,
  scenarioOf,
  topologies,
  watch,
} from '../../lab/isolation/index.ts'

const CELLS = 64
const address = (cell: number) => DATA + cell * 8

/** Puts numbers away, sleeps, and looks for them. */
const careful: fc.Arbitrary<Program> = fc
  .uniqueArray(fc.nat(CELLS - 1), { minLength: 1, maxLength: 8 })
  .map(cells => [
    ...cells.map(cell => ({ op: 'store', bytes: 8, address: address(cell), value: cell + 1 }) as const),
    { op: 'wait', ticks: 20 },
    ...cells.map(cell => ({ op: 'load', bytes: 8, signed: false, address: address(cell) }) as const),
  ])

const keeping: IsolationPromise = {
  name: 'keeping',
  sentence: 'What a guest has put away it finds again.',
  arbitrary: scenarioOf(fc.constantFrom(topologies.APART, topologies.TOGETHER), careful, hostile),
  check(scenario) {
    const { arena, run } = watch(scenario, [])
    if (run.sighting) return found('keeping', scenario, run, run.sighting)
    // Each of its steps has one entry in the log, which begins with what was loaded.
    const log = logOf(arena, 0, 0)
    for (const [index, step] of scenario.guests[0].programs[0].entries()) {
      if (step.op !== 'load') continue
      const cell = (Number(step.address) - DATA) / 8
      const [value = 'nothing'] = log[index]?.split(' ') ?? []
      if (Number(value) === cell + 1) continue
      const what = `cell ${cell} holds ${value}, and ${cell + 1} was put there`
      return found('keeping', scenario, run, { what, where: arena.where() })
    }
    return undefined
  },
}

test(keeping.sentence, () => {
  const { finding } = campaign(keeping, { seed: 1, runs: 10, milliseconds: Infinity })
  expect(finding && findingLines(finding)).toBeUndefined()
})
