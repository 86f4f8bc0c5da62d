/** Findings of a run, as promises report them. */
import type { Arena, Run } from './arena.ts'
import type { Finding } from './finding.ts'
import type { Scenario } from './scenario.ts'

/** What every promise minds: an error out of the VMM, and whatever observers have seen. */
export function mishap(promise: string, scenario: Scenario, arena: Arena, run: Run): Finding | undefined {
  if (run.failure !== undefined) return found(promise, scenario, arena, run, `the VMM fails: ${run.failure}`)
  if (run.sighting) return { promise, scenario, traceHash: run.traceHash, ...run.sighting }
  return undefined
}

/** A finding about how a run ended. */
export function found(promise: string, scenario: Scenario, arena: Arena, run: Run, what: string): Finding {
  return { promise, what, where: arena.where(), scenario, traceHash: run.traceHash }
}
