/** Containment. */
import fc from 'fast-check'
import {
  SBI_BASE,
  SBI_DBCN,
  SBI_HSM,
  SBI_IPI,
  SBI_LEGACY_SHUTDOWN,
  SBI_RFENCE,
  SBI_SRST,
} from '../../../hw/spec/sbi.ts'
import { hostile, watched } from '../generators/programs.ts'
import { scenarioOf } from '../generators/scenarios.ts'
import { APART, HOSTED, HOSTED_TOGETHER, TOGETHER, WANDERING } from '../generators/topologies.ts'
import { hostileProgram } from '../generators/hostile-virtio.ts'
import { anyCall, anyStore } from '../generators/steps.ts'
import { alone, found, sameAlone, watch, type Watched } from '../judge.ts'
import type { Sighting } from '../finding.ts'
import type { IsolationPromise } from '../promise.ts'
import type { Program, Scenario, Step } from '../scenario.ts'
import { dmaTopologies } from '../topologies-io.ts'

const call = (extension: number, number: number, ...values: readonly number[]): Step => ({
  op: 'call',
  extension,
  function: number,
  arguments: values,
})
const without = (...steps: readonly Step[]): Program => [{ op: 'repeat', times: 1_000_000, steps }]
const STVEC = 0x105
const FAR = 0x4000_0000
const UART = 0x1000_0000

/** Ends, crashes, hangs, storms, and exits without end. */
const outrage: fc.Arbitrary<Program> = fc.oneof(
  { weight: 3, arbitrary: hostile },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Program>(
      [
        { op: 'write', csr: STVEC, value: 0 },
        { op: 'load', bytes: 8, signed: false, address: FAR },
      ],
      [
        { op: 'write', csr: STVEC, value: FAR },
        { op: 'word', word: 0, a1: 0, a4: 0 },
      ],
      [call(SBI_LEGACY_SHUTDOWN, 0)],
      [call(SBI_SRST, 0, 0, 0)],
      [call(SBI_HSM, 1)],
      without(call(SBI_BASE, 0)),
      without(call(SBI_IPI, 0, -1, -1)),
      without(call(SBI_RFENCE, 1, -1, -1, 0, -1)),
      without(call(SBI_DBCN, 2, 0x41)),
      without({ op: 'store', bytes: 1, address: UART, value: 0x42 }),
      without({ op: 'load', bytes: 4, signed: true, address: UART + 5 }),
      without({ op: 'load', bytes: 8, signed: false, address: FAR }),
      without({ op: 'wait', ticks: 1 }),
      without({ op: 'compute', times: 1000 }),
      without({ op: 'fence' }),
    ),
  },
  { weight: 1, arbitrary: anyStore.map(step => without(step)) },
  { weight: 2, arbitrary: fc.array(anyCall, { minLength: 4, maxLength: 20 }) },
  { weight: 1, arbitrary: hostileProgram(['console'], 16) },
)

/** The same by devices. */
const deviceOutrage = hostileProgram(['disk', 'network', 'console'], 8)
const withDevices = fc.constantFrom(...dmaTopologies())

const topologies = fc.constantFrom(APART, APART, TOGETHER, TOGETHER, WANDERING, HOSTED, HOSTED_TOGETHER)

/** A turn on a hart that is shared. */
const TURN = 5_000_000
/** What may come between on harts that are not: interrupts for others, locks. */
const SLACK = 200_000

/** When guest 0 comes to its end at the latest, if it takes so long beside silent neighbours. */
function latest(scenario: Scenario, quiet: number): number {
  const { guests, harts } = scenario.topology
  const apart = guests.every(guest => guest.harts.length > 0) && harts >= guests.length
  // Others have as many turns as it has; where it sleeps, it may come back to the end of one.
  const sleeps = JSON.stringify(scenario.guests[0]).split('"wait"').length
  const vcpus = guests.reduce((sum, each) => sum + each.vcpus, 0)
  return apart ? 2 * quiet + SLACK : vcpus * quiet + (sleeps + 1) * (vcpus - 1) * TURN + SLACK
}

function delayed(scenario: Scenario, { arena, run }: Watched): Sighting | undefined {
  const where = arena.where()
  const [done] = run.doneAt
  const [quiet] = watch(alone(scenario), []).run.doneAt
  if (quiet === Infinity) return undefined
  const limit = latest(scenario, quiet)
  // One that was stopped before that may still have come to its end.
  if (done <= limit || (done === Infinity && scenario.cycles < limit)) return undefined
  const took = done === Infinity ? 'does not come to its end' : `takes ${done} cycles`
  return { what: `guest 0 ${took}, and beside silent neighbours it takes ${quiet}`, where }
}

export const containment: IsolationPromise = {
  name: 'containment',
  sentence:
    'Whatever a guest does, crash, hang, storm or exit without end, the VMM goes on, the other guests come to the ends that they would come to without it, and none of them waits longer than for its turns.',
  arbitrary: fc
    .oneof(
      { weight: 3, arbitrary: scenarioOf(topologies, watched, outrage) },
      { weight: 2, arbitrary: scenarioOf(withDevices, watched, deviceOutrage) },
    )
    .map(scenario => ({ ...scenario, actions: [] })),
  check(scenario) {
    const first = watch(scenario, [])
    const sighting = first.run.sighting ?? delayed(scenario, first) ?? lost(scenario, first)
    return sighting && found('containment', scenario, first.run, sighting)
  },
}

/** It saw something else, where it came to its end. */
function lost(scenario: Scenario, first: Watched): Sighting | undefined {
  return first.run.doneAt[0] === Infinity ? undefined : sameAlone(scenario, watch(scenario, []), [])
}
