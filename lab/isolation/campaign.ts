/** Tries a promise with many scenarios, and makes a violation as small as it can. */
import fc from 'fast-check'
import { counted } from './arena.ts'
import type { Finding } from './finding.ts'
import type { IsolationPromise } from './promise.ts'
import type { Scenario } from './scenario.ts'

export interface Extent {
  readonly seed: number
  /** Of fast-check: which value, and how it was made smaller. */
  readonly path?: string
  readonly runs: number
  /** Ends it early. */
  readonly milliseconds: number
}

export interface Verdict {
  readonly promise: string
  readonly scenarios: number
  readonly exits: number
  readonly seconds: number
  readonly finding: Finding | undefined
  /** What `--seed` takes to show it again. */
  readonly again: string | undefined
}

/** Between two looks at the clock. */
const BATCH = 25
/** Shrinking takes no longer. */
const SHRINKING = 60_000

/** A machine that does not come up has not kept any promise. */
export function attempt(promise: IsolationPromise, scenario: Scenario): Finding | undefined {
  try {
    return promise.check(scenario)
  } catch (error) {
    const where = { cycle: 0, hart: 0, exit: 'none' }
    return { promise: promise.name, what: (error as Error).message, where, scenario, traceHash: '' }
  }
}

/** `told` is told of how far it is. */
export function campaign(
  promise: IsolationPromise,
  { seed, path, runs, milliseconds }: Extent,
  told: (scenarios: number, exits: number) => void = () => {},
): Verdict {
  const began = performance.now()
  const before = { ...counted }
  let scenarios = 0
  let finding: Finding | undefined
  const verdict = (again?: string): Verdict => ({
    promise: promise.name,
    scenarios,
    exits: counted.exits - before.exits,
    seconds: (performance.now() - began) / 1000,
    finding,
    again,
  })
  for (let batch = 0; scenarios < runs && performance.now() - began < milliseconds; batch++) {
    const from = seed + batch
    let deadline = Infinity
    const property = fc.property(promise.arbitrary, scenario => {
      if (performance.now() > deadline) return true
      const seen = attempt(promise, scenario)
      if (!seen) return true
      if (deadline === Infinity) deadline = performance.now() + SHRINKING
      finding = seen
      return false
    })
    const result = fc.check(property, {
      seed: from,
      numRuns: Math.min(BATCH, runs - scenarios),
      ...(path !== undefined && { path }),
    })
    scenarios += result.numRuns
    told(scenarios, counted.exits - before.exits)
    if (result.failed) return verdict(`${from}:${result.counterexamplePath}`)
    if (path !== undefined) break
  }
  return verdict()
}
