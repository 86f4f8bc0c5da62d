/** Time. */
import fc from 'fast-check'
import { busybody, timed } from '../generators/timed.ts'
import { alone, watch } from '../judge.ts'
import type { Sighting } from '../finding.ts'
import type { IsolationPromise } from '../promise.ts'
import type { Scenario } from '../scenario.ts'
import { slotTopologies } from '../topologies-io.ts'
import { difference, logOf } from '../view.ts'

const NAME = 'time'
const CYCLES = 30_000_000

const arbitrary = fc.constantFrom(...slotTopologies()).chain(topology =>
  fc.tuple(timed, ...topology.guests.slice(1).map(() => busybody)).map(
    (programs): Scenario => ({
      topology,
      guests: programs.map(program => ({ programs: [program] })),
      actions: [],
      cycles: CYCLES,
    }),
  ),
)

/** What guest 0 sees of the others; undefined if nothing. */
function told(scenario: Scenario): { readonly sighting: Sighting | undefined; readonly traceHash: string } {
  const { arena, run } = watch(scenario, [])
  const { traceHash } = run
  if (run.sighting) return { sighting: run.sighting, traceHash }
  const where = arena.where()
  const log = logOf(arena, 0, 0)
  const second = watch(alone(scenario), [])
  if (second.run.sighting) return { sighting: second.run.sighting, traceHash }
  const what = difference(run.views[0], second.run.views[0])
  if (what === undefined) return { sighting: undefined, traceHash }
  const lone = logOf(second.arena, 0, 0)
  const at = log.findIndex((entry, index) => entry !== lone[index])
  const entry = at < 0 ? '' : `, log entry ${at}: ${log[at]} here, ${lone[at] ?? 'none'} beside silent neighbours`
  return { sighting: { what: `guest 0 can tell its neighbours by time: ${what}${entry}`, where }, traceHash }
}

export const time: IsolationPromise = {
  name: NAME,
  sentence:
    'Where time is protected, nothing that a guest can read differs, its counters to the cycle, whatever its neighbours do to caches, TLBs, memory, devices and the VMM.',
  arbitrary,
  check(scenario) {
    const { sighting, traceHash } = told(scenario)
    return sighting && { promise: NAME, ...sighting, scenario, traceHash }
  },
}
