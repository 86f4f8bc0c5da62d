/** All that the report on placements is made of. */
import type { Blast, Containment } from '../faults/blast.ts'
import type { PlaceFinding } from '../findings.ts'
import type { RequestPath } from '../path.ts'
import type { PlaceDifference } from '../study.ts'
import type { Device } from '../workloads.ts'

export interface PlaceReportData {
  /** What was typed. */
  readonly command: string
  /** When, for people. */
  readonly date: string
  readonly pricesHash: string
  readonly core: string
  readonly model: string
  readonly workload: string
  /** What it does, in one line. */
  readonly does: string
  readonly device: Device
  readonly harts: number
  readonly seeds: readonly number[]
  /** What every command in the report needs besides workload and device. */
  readonly options: readonly string[]
  readonly findings: readonly PlaceFinding[]
  readonly differences: readonly PlaceDifference[]
  readonly paths: readonly RequestPath[]
  readonly blasts: readonly Blast[]
  readonly containments: readonly Containment[]
  /** One line each: what is not there, and why. */
  readonly lacks: readonly string[]
}
