/** That a promise was not kept: what was seen, and where. */
import type { Scenario } from './scenario.ts'

export interface Where {
  readonly cycle: number
  readonly hart: number
  /** The exit that was being handled, or the last one. */
  readonly exit: string
}

/** What an observer has seen. */
export interface Sighting {
  readonly what: string
  readonly where: Where
}

export interface Finding extends Sighting {
  readonly promise: string
  readonly scenario: Scenario
  readonly traceHash: string
}
