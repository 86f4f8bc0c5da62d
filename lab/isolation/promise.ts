/** What is promised of isolation: a sentence, scenarios that try it, and who looks whether it was kept. */
import type fc from 'fast-check'
import type { Finding } from './finding.ts'
import type { Scenario } from './scenario.ts'

export interface IsolationPromise {
  readonly name: string
  /** As in docs/isolation.md. */
  readonly sentence: string
  readonly arbitrary: fc.Arbitrary<Scenario>
  /** Tries it once. Undefined: the promise was kept. What a guest or a VMM does is never an exception of this. */
  check(scenario: Scenario): Finding | undefined
}
