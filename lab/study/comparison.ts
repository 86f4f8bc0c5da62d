/** A comparison as data: what was measured, what it comes to, and how configurations differ. What prints it decides nothing. */
import { type DifferenceRow, ledgerDifference } from './attribution.ts'
import { axesBetween, AXES, type Axis, type Configuration } from './configurations.ts'
import type { Result } from './measure.ts'
import { type Estimate, estimate } from './statistics.ts'

export type { DifferenceRow } from './attribution.ts'
export type { Estimate } from './statistics.ts'

export interface Summary extends Estimate {
  readonly configuration: Configuration
}

/** What `b` takes beyond `a`, paired seed by seed, in the comparison's unit. */
export interface Difference extends Estimate {
  readonly a: Configuration
  readonly b: Configuration
  /** The interval includes zero: no difference is shown. */
  readonly undecided: boolean
  /** The whole interval lies within the comparison's `equivalence`, on either side of zero: whatever it is, it is too small to matter. */
  readonly equivalent: boolean
  /** The axes in which they differ. */
  readonly axes: readonly Axis[]
  /** Pairs behind it; and the seed whose pair `rows` take apart: the one closest to the median. */
  readonly pairs: number
  readonly seed: number
  /** Of that pair, the cycles of `b` beyond those of `a`: the rows sum to them, exactly. Largest first. */
  readonly cycles: number
  readonly rows: readonly DifferenceRow[]
}

/** One workload in several configurations, each with the same seeds. */
export interface Comparison {
  readonly workload: string
  readonly unit: string
  /** Differences within this part of the first one's median count as none. */
  readonly equivalence: number
  readonly samples: readonly Result[]
  readonly summary: readonly Summary[]
  /** Of every pair of configurations, the one that stands first in the table of configurations first. */
  readonly differences: readonly Difference[]
}

/** Differences between configurations that are alike in every axis but one. */
export interface AxisEffects {
  readonly axis: Axis
  readonly differences: readonly (Difference & { readonly workload: string; readonly unit: string })[]
}

/** Unless somebody says otherwise: 1 %. */
export const EQUIVALENCE = 0.01

/** Results by workload, in the order of their first appearance. */
export function comparisonsOf(results: readonly Result[], equivalence = EQUIVALENCE): readonly Comparison[] {
  const workloads = [...new Set(results.map(({ workload }) => workload))]
  return workloads.map(workload =>
    comparisonOf(
      results.filter(result => result.workload === workload),
      equivalence,
    ),
  )
}

/** Of one workload's results, one at least. */
export function comparisonOf(samples: readonly Result[], equivalence = EQUIVALENCE): Comparison {
  const { workload, unit } = samples[0]
  const configurations = [...new Set(samples.map(({ configuration }) => configuration))]
  const samplesOf = (name: Configuration) => samples.filter(({ configuration }) => configuration === name)
  return {
    workload,
    unit,
    equivalence,
    samples,
    summary: configurations.map(configuration => ({
      configuration,
      ...estimate(samplesOf(configuration).map(({ value }) => value)),
    })),
    differences: configurations.flatMap((a, index) =>
      configurations.slice(index + 1).flatMap(b => differenceOf(samplesOf(a), samplesOf(b), equivalence) ?? []),
    ),
  }
}

/** Paired by seed; undefined if no seed succeeded in both. */
function differenceOf(ofA: readonly Result[], ofB: readonly Result[], equivalence: number): Difference | undefined {
  const pairs = ofA.flatMap(a => {
    const b = ofB.find(({ seed }) => seed === a.seed)
    return b ? [{ a, b, more: b.value - a.value }] : []
  })
  if (pairs.length === 0) return undefined
  const found = estimate(pairs.map(({ more }) => more))
  const distance = ({ more }: { more: number }) => Math.abs(more - found.median)
  const typical = pairs.reduce((best, pair) => (distance(pair) < distance(best) ? pair : best))
  const { a, b } = typical
  return {
    a: a.configuration,
    b: b.configuration,
    ...found,
    undecided: found.low <= 0 && found.high >= 0,
    equivalent: Math.max(-found.low, found.high) <= equivalence * estimate(ofA.map(({ value }) => value)).median,
    axes: axesBetween(a.configuration, b.configuration),
    pairs: pairs.length,
    seed: a.seed,
    cycles: b.cycles - a.cycles,
    rows: ledgerDifference(a, b),
  }
}

/** What each axis is worth, as far as two of the configurations differ in it alone. */
export function byAxis(comparisons: readonly Comparison[]): readonly AxisEffects[] {
  return AXES.map(axis => ({
    axis,
    differences: comparisons.flatMap(({ workload, unit, differences }) =>
      differences
        .filter(({ axes }) => axes.length === 1 && axes[0] === axis)
        .map(difference => ({ workload, unit, ...difference })),
    ),
  })).filter(({ differences }) => differences.length > 0)
}
