/** How promises look at runs: what they all have in common. */
import { type Arena, arenaOf, type Run } from './arena.ts'
import type { Finding, Sighting } from './finding.ts'
import { silent } from './generators/programs.ts'
import type { Observer } from './observer.ts'
import type { Scenario, Topology } from './scenario.ts'
import { difference, logOf } from './view.ts'

/** What takes so many times as long as it does elsewhere has no end. */
const LONG_ENOUGH = 10

export interface Watched {
  readonly arena: Arena
  readonly run: Run
}

/** Runs it, watched; an error of the VMM's is a sighting. */
export function watch(scenario: Scenario, observers: readonly Observer[]): Watched {
  const arena = arenaOf(scenario.topology)
  const run = arena.run(scenario, observers)
  if (run.failure === undefined) return { arena, run }
  return { arena, run: { ...run, sighting: { what: `the VMM has failed: ${run.failure}`, where: arena.where() } } }
}

export function found(promise: string, scenario: Scenario, { traceHash }: Run, sighting: Sighting): Finding {
  return { promise, ...sighting, scenario, traceHash }
}

/** The same with the neighbours of guest 0 silent. */
export function alone(scenario: Scenario): Scenario {
  return {
    ...scenario,
    guests: scenario.guests.map((guest, index) =>
      index === 0 ? guest : { programs: guest.programs.map(() => silent) },
    ),
  }
}

/** The first guest of a scenario on another topology, with the neighbours that there are. */
export function on(topology: Topology, scenario: Scenario): Scenario {
  return {
    topology,
    guests: topology.guests.map((_, index) => scenario.guests[index]),
    actions: [],
    cycles: scenario.cycles,
  }
}

/** Whether guest 0 saw the same in two runs; what differs, else. `how` says what else there was in the second. */
export function same(
  scenario: Scenario,
  first: Watched,
  other: Scenario,
  how: string,
  observers: readonly Observer[],
): Sighting | undefined {
  const { arena, run } = first
  const where = arena.where()
  const logs = scenario.guests[0].programs.map((_, vcpu) => logOf(arena, 0, vcpu))
  const second = watch(other, observers)
  if (second.run.sighting) return second.run.sighting
  // What goes on without end differs by where it was stopped.
  const [here] = run.doneAt
  const [there] = second.run.doneAt
  if (here === Infinity || there === Infinity) {
    if (Math.min(here, there) * LONG_ENOUGH > scenario.cycles) return undefined
    const [ends, not] = here < there ? ['here', how] : [how, 'here']
    return { what: `guest 0 comes to its end ${ends}, and not ${not}`, where }
  }
  const what = difference(run.views[0], second.run.views[0])
  if (what === undefined) return undefined
  const steps = logs.flatMap((log, vcpu) => {
    const lone = logOf(second.arena, 0, vcpu)
    const at = log.findIndex((entry, index) => entry !== lone[index])
    return at < 0 ? [] : [`, log entry ${at} of vCPU ${vcpu}: ${log[at]} here, ${lone[at] ?? 'none'} ${how}`]
  })
  return { what: `guest 0 sees something else than ${how}: ${what}${steps.join('')}`, where }
}

/** Whether guest 0 saw the same in a run and beside silent neighbours; what differs, else. */
export function sameAlone(scenario: Scenario, first: Watched, observers: readonly Observer[]): Sighting | undefined {
  return same(scenario, first, alone(scenario), 'beside silent neighbours', observers)
}
