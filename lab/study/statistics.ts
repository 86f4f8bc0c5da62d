/** Medians, and the intervals that hold them: exact, by order statistics, whatever the distribution. docs/statistics.md */

/** A median with the interval that holds it with at least 95 % confidence, as far as so few values can say. */
export interface Estimate {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** Fewer pairs than this state no difference. */
export const ENOUGH = 30

/** Both tails beyond the interval together. */
const ALPHA = 0.05

/** The middle value; of an even number the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half]
  return sorted.length % 2 === 1 ? upper : (sorted[half - 1] + upper) / 2
}

/**
 * The rank of the interval's ends, counted from either side: each of n values is below the median with probability ½, so
 * the number of those below is binomial, and the interval from the kth smallest to the kth largest misses the median
 * with probability 2·P(fewer than k). The largest k for which that is at most 5 %; 0 if there is none (n < 6).
 */
export function rankOfEnds(n: number): number {
  let term = 0.5 ** n
  let tail = term
  let k = 0
  while (2 * tail <= ALPHA) {
    k++
    term *= (n - k + 1) / k
    tail += term
  }
  return k
}

/** Median and interval of these values, one at least. The interval of fewer than six is all that they span, and holds less. */
export function estimate(values: readonly number[]): Estimate {
  const sorted = values.toSorted((a, b) => a - b)
  const first = Math.max(1, rankOfEnds(sorted.length)) - 1
  return { median: median(sorted), low: sorted[first], high: sorted[sorted.length - 1 - first] }
}
