/** All that a report is made of. */
import type { Calibration } from '../calibrate/calibration.ts'
import type { Conclusion, Order } from '../study/conclusions.ts'
import type { Consolidation } from '../study/consolidation.ts'
import type { Study } from '../study/study.ts'
import type { Recording } from './recording.ts'

export interface ReportData {
  /** What was typed. */
  readonly command: string
  /** When, for people: the lab's. */
  readonly date: string
  /** Of the price list by which all was measured. */
  readonly pricesHash: string
  readonly seeds: readonly number[]
  readonly harts: number
  readonly pathLength: number
  /** Options that every command in the report needs: the core, the path length. */
  readonly options: readonly string[]
  readonly study: Study
  /** Each workload in one line, by name. */
  readonly does: Readonly<Record<string, string>>
  readonly sensitivity?: {
    readonly command: string
    readonly orders: readonly Order[]
    readonly conclusions: readonly Conclusion[]
    /** How often all prices were drawn together. */
    readonly draws: number
  }
  readonly calibration?: Calibration
  readonly consolidation?: readonly Consolidation[]
  readonly recordings?: readonly Recording[]
}
