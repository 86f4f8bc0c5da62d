/** A comparison as data: what was measured, what it comes to, and how configurations differ. What prints it decides nothing. */
import type { Activity, Party } from '../../hw/spec/ledger.ts'
import type { Axis, Configuration } from './configurations.ts'
import type { Result } from './measure.ts'

/** A median with the interval that holds it with 95 % confidence. */
export interface Estimate {
  readonly median: number
  readonly low: number
  readonly high: number
}

export interface Summary extends Estimate {
  readonly configuration: Configuration
}

/** A row of a ledger, or of the difference between two: over all harts. */
export interface DifferenceRow {
  readonly party: Party
  readonly cause: string
  readonly activity: Activity
  readonly cycles: number
}

/** What `b` takes beyond `a`, paired seed by seed, in the comparison's unit. */
export interface Difference extends Estimate {
  readonly a: Configuration
  readonly b: Configuration
  /** The interval includes zero: no difference is shown. */
  readonly undecided: boolean
  /** The axes in which they differ. */
  readonly axes: readonly Axis[]
  /** Pairs behind it, and the seed whose difference `rows` takes apart: the one closest to the median. */
  readonly pairs: number
  readonly seed: number
  /** What the cycles of `b` beyond `a` are made of, largest first: they sum to `cycles`, exactly. */
  readonly rows: readonly DifferenceRow[]
  readonly cycles: number
}

/** One workload in several configurations, each with the same seeds. */
export interface Comparison {
  readonly workload: string
  readonly unit: string
  readonly samples: readonly Result[]
  readonly summary: readonly Summary[]
  readonly differences: readonly Difference[]
}
