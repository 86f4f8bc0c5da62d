/** What scenarios are made of: every cause for which guests leave, and everything that is done to them. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { trapName } from '../../hw/hart/causes.ts'
import { HEDELEG, HIDELEG, MEDELEG, MIDELEG } from '../../hw/hart/slots.ts'
import { SBI_HSM, SBI_SRST } from '../../hw/spec/sbi.ts'
import { arenaOf, counted } from '../../lab/isolation/arena.ts'
import { APART } from '../../lab/isolation/generators/topologies.ts'
import { PROMISES } from '../../lab/isolation/promises/index.ts'
import type { Scenario, Step } from '../../lab/isolation/scenario.ts'

const DRAWN = 400
const CYCLES = 20_000_000
/** Some of each promise's: any; those that lose their trap handler; those that share a hart and have messages. */
const RUN = [
  { promise: 'memory', like: /./, runs: 6 },
  { promise: 'containment', like: /"csr":261,"value":\d{5}/, runs: 2 },
  { promise: 'management', like: /./, runs: 4 },
  { promise: 'dma', like: /"harts":1,.*"network":{"at":"[gf].*"posted".*"csr":336.*"do":"frame"/, runs: 40 },
]
/** From HS and from M: of no guest's. Reserved. And what no hart of ours does. */
const NEVER = new Set([0, 9, 11, 14, 16, 17, 18, 19])
/** The firmware's own timer and external interrupt: harts have Sstc, and the firmware listens to no wire. */
const NEVER_INTERRUPTS = new Set([7, 11])
const scenarios = new Map<string, readonly Scenario[]>()

beforeAll(() => {
  for (const { name, arbitrary } of PROMISES) scenarios.set(name, fc.sample(arbitrary, { seed: 1, numRuns: DRAWN }))
})

test('guests leave for every cause for which they can leave', () => {
  const { words } = arenaOf(APART).machine.memory
  const bits = (mask: number, but: ReadonlySet<number>) =>
    Array.from({ length: 24 }, (_, code) => code).filter(code => ((mask >>> code) & 1) === 1 && !but.has(code))
  // Delegated to the VMM, and no further; and the firmware's own, which is how harts interrupt each other.
  const exceptions = bits(words[MEDELEG] & ~words[HEDELEG], NEVER)
  const own = bits(words[MIDELEG] & ~words[HIDELEG], NEVER_INTERRUPTS)
  const expected = [...exceptions, ...own.map(code => -code), -3].map(name)
  counted.causes.clear()
  const missing = () => expected.filter(cause => ![...counted.causes.keys()].map(name).includes(cause))
  for (const { promise, like, runs } of RUN) {
    const alike = scenarios.get(promise)!.filter(scenario => like.test(JSON.stringify(scenario)))
    for (const scenario of alike.slice(0, runs))
      if (missing().length > 0) arenaOf(scenario.topology).run({ ...scenario, cycles: CYCLES })
  }
  expect(missing()).toEqual([])
})

const name = (code: number) => trapName(Math.abs(code), code < 0)

test('harts are started, stopped, asked about and suspended; guests end; machines are saved and restored', () => {
  const seen = new Set<string>()
  const look = (steps: readonly Step[]): void => {
    for (const step of steps) {
      if (step.op === 'repeat') look(step.steps)
      else if (step.op === 'call') seen.add(`${step.extension} ${step.function}`)
    }
  }
  for (const drawn of scenarios.values()) {
    for (const { guests, actions } of drawn) {
      for (const action of actions) seen.add(action.do)
      for (const { programs } of guests) for (const program of programs) look(program)
    }
  }
  const calls = [0, 1, 2, 3].map(call => `${SBI_HSM} ${call}`)
  for (const action of ['save-and-restore', 'frame', 'type', ...calls, `${SBI_SRST} 0`, '8 0'])
    expect(seen).toContain(action)
})
