/** How promises look at runs: what they all have in common. */
import { type Arena, arenaOf, type Run } from './arena.ts'
import type { Finding, Sighting } from './finding.ts'
import { silent } from './generators/programs.ts'
import type { Observer } from './observer.ts'
import type { Scenario } from './scenario.ts'
import { difference, logOf } from './view.ts'

/** Runs it, watched; an error of the VMM's is a sighting. */
export function watch(scenario: Scenario, observers: readonly Observer[]): { arena: Arena; run: Run } {
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

/** Whether guest 0 saw the same in a run and beside silent neighbours; what differs, else. */
export function sameAlone(
  scenario: Scenario,
  { run, arena }: { run: Run; arena: Arena },
  observers: readonly Observer[],
): Sighting | undefined {
  const where = arena.where()
  const programs = scenario.guests[0].programs.map((_, vcpu) => logOf(arena, 0, vcpu))
  const other = watch(alone(scenario), observers)
  if (other.run.sighting) return other.run.sighting
  const what = difference(run.views[0], other.run.views[0])
  if (what === undefined) return undefined
  const steps = programs.flatMap((log, vcpu) => {
    const lone = logOf(other.arena, 0, vcpu)
    const at = log.findIndex((entry, index) => entry !== lone[index])
    return at < 0 ? [] : [`, log entry ${at} of vCPU ${vcpu}: ${log[at]} beside others, ${lone[at] ?? 'none'} alone`]
  })
  return { what: `guest 0 sees something else if its neighbours are silent: ${what}${steps.join('')}`, where }
}
