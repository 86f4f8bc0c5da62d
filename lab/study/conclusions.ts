/** What a comparison lets one say, and whether it would still be so if prices and path lengths were others. */
import type { Comparison } from './comparison.ts'
import type { Configuration } from './configurations.ts'
import { ENOUGH } from './statistics.ts'

/** `a` costs less than `b`, shown by enough seeds: the names stand in this order whatever theirs in the comparison was. */
export interface Claim {
  readonly workload: string
  readonly less: Configuration
  readonly more: Configuration
}

/** A rerun in which something else than the seed was changed. */
export interface Variation {
  readonly kind: 'price' | 'joint' | 'path length'
  /** The price and its factor; the number of the draw; the scale. */
  readonly name: string
  /** Of joint ones: every price's. */
  readonly factors?: Readonly<Record<string, number>>
}

/** How the two came out in a variation: what `more` took beyond `less`, in the workload's unit. */
export interface Trial {
  readonly variation: Variation
  readonly difference: number
}

export interface Conclusion extends Claim {
  readonly statement: string
  /** Of the claim's reruns. */
  readonly tried: { readonly prices: number; readonly jointly: number; readonly pathLengths: number }
  /** It holds in every rerun; else it is undecided, and `fails` says where. */
  readonly survives: boolean
  readonly fails: readonly Trial[]
  /** If joint draws decide it: prices of which all failing draws lie on one side of all others. */
  readonly decisive: readonly string[]
}

/** The order of all configurations of a workload by their medians; it survives if each two that differ keep theirs. */
export interface Order {
  readonly workload: string
  readonly order: readonly Configuration[]
  readonly survives: boolean
}

/** What is shown: every difference whose interval lies off zero, over enough seeds, and that is not too small to matter. */
export function claimsOf(comparisons: readonly Comparison[]): readonly Claim[] {
  return comparisons.flatMap(({ workload, differences }) =>
    differences
      .filter(({ undecided, equivalent, pairs }) => !undecided && !equivalent && pairs >= ENOUGH)
      .map(({ a, b, median }) => (median > 0 ? { workload, less: a, more: b } : { workload, less: b, more: a })),
  )
}

/** `trials` are this claim's. */
export function conclusionOf(claim: Claim, trials: readonly Trial[]): Conclusion {
  const count = (kind: Variation['kind']) => trials.filter(({ variation }) => variation.kind === kind).length
  const fails = trials.filter(({ difference }) => difference <= 0)
  return {
    ...claim,
    statement: `${claim.workload}: ${claim.less} costs less than ${claim.more}`,
    tried: { prices: count('price'), jointly: count('joint'), pathLengths: count('path length') },
    survives: fails.length === 0,
    fails,
    decisive: decisivePrices(trials),
  }
}

/** With at least this many draws on either side, one that separates them by chance is unlikely enough to be worth naming. */
const DRAWS_A_SIDE = 2

function decisivePrices(trials: readonly Trial[]): readonly string[] {
  const draws = trials.flatMap(({ variation: { factors }, difference }) => (factors ? [{ factors, difference }] : []))
  const failing = draws.filter(({ difference }) => difference <= 0)
  const holding = draws.filter(({ difference }) => difference > 0)
  if (failing.length < DRAWS_A_SIDE || holding.length < DRAWS_A_SIDE) return []
  return Object.keys(draws[0].factors).flatMap(path => {
    const of = (some: typeof draws) => some.map(({ factors }) => factors[path])
    const [worst, best] = [of(failing), of(holding)]
    if (Math.min(...worst) > Math.max(...best)) return [`${path} above ×${Math.max(...best).toFixed(2)}`]
    if (Math.max(...worst) < Math.min(...best)) return [`${path} below ×${Math.min(...best).toFixed(2)}`]
    return []
  })
}

/** `conclusions` of all workloads; only those that were shown bear on an order. */
export function ordersOf(comparisons: readonly Comparison[], conclusions: readonly Conclusion[]): readonly Order[] {
  return comparisons.map(({ workload, summary }) => ({
    workload,
    order: summary.toSorted((a, b) => a.median - b.median).map(({ configuration }) => configuration),
    survives: conclusions.every(conclusion => conclusion.workload !== workload || conclusion.survives),
  }))
}
