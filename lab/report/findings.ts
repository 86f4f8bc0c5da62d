/** What the comparisons come to, as data for the sentences at the top of the report. */
import { type Part, ratioOf } from '../calibrate/calibration.ts'
import type { Comparison, Difference } from '../study/comparison.ts'
import type { Configuration } from '../study/configurations.ts'
import { ENOUGH, type Estimate, estimate, median } from '../study/statistics.ts'

/** How long `b` takes as a multiple of `a`, paired by seed. Undefined without pairs, or where \`a\` takes no time. */
export function ratio({ samples }: Comparison, a: Configuration, b: Configuration): Estimate | undefined {
  const of = (name: Configuration) => samples.filter(({ configuration }) => configuration === name)
  const factors = of(a).flatMap(first => {
    const second = of(b).find(({ seed }) => seed === first.seed)
    return second && first.value > 0 ? [second.value / first.value] : []
  })
  return factors.length === 0 ? undefined : estimate(factors)
}

export interface Finding {
  readonly comparison: Comparison
  readonly difference: Difference
  readonly ratio: Estimate
}

/** Two configurations over all workloads: where the second is shown to be slower, faster, and where nothing is shown. */
export interface Verdict {
  readonly a: Configuration
  readonly b: Configuration
  readonly slower: readonly Finding[]
  readonly faster: readonly Finding[]
  readonly undecided: readonly Finding[]
  /** Shown, and too small to matter. */
  readonly equal: readonly Finding[]
  /** Too few seeds in both to say. */
  readonly unsaid: readonly Finding[]
}

export function verdict(comparisons: readonly Comparison[], a: Configuration, b: Configuration): Verdict {
  const found = comparisons.flatMap((comparison): Finding[] => {
    const difference = comparison.differences.find(candidate => candidate.a === a && candidate.b === b)
    const factor = ratio(comparison, a, b)
    return difference && factor ? [{ comparison, difference, ratio: factor }] : []
  })
  const stated = found.filter(({ difference }) => difference.pairs >= ENOUGH)
  const decided = stated.filter(({ difference }) => !difference.undecided)
  const shown = decided.filter(({ difference }) => !difference.equivalent)
  return {
    a,
    b,
    slower: shown.filter(({ ratio }) => ratio.median > 1).toSorted((x, y) => y.ratio.median - x.ratio.median),
    faster: shown.filter(({ ratio }) => ratio.median <= 1).toSorted((x, y) => x.ratio.median - y.ratio.median),
    undecided: stated.filter(({ difference }) => difference.undecided),
    equal: decided.filter(({ difference }) => difference.equivalent),
    unsaid: found.filter(({ difference }) => difference.pairs < ENOUGH),
  }
}

/** Of a calibration's ratios, ours ÷ theirs, the middle one. */
export function middleRatio({ rows }: Part): number {
  return median(rows.map(ratioOf))
}
