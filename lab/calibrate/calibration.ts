/** What calibrations say: the same operation by somebody else's system and by ours, on the same simulated machine. */
import type { Party } from '../../hw/spec/ledger.ts'

export type JudgeName = 'kvm' | 'linux' | 'type-1'
export const JUDGE_NAMES: readonly JudgeName[] = ['kvm', 'linux', 'type-1']

/** Ours is near the real one if it differs by at most so much. */
export const TOLERANCE = 0.25

/** Cycles an operation by party, of all harts; waiting is left out. */
export type Spent = Readonly<Partial<Record<Party, number>>>

export interface Row {
  readonly name: string
  /** What one operation is. */
  readonly does: string
  /** Cycles an operation of real systems, by their names. */
  readonly real: Readonly<Record<string, number>>
  /** Which of them ours is held against. */
  readonly judge: string
  /** Cycles an operation of ours, by configuration; the first is held against the judge. */
  readonly ours: Readonly<Record<string, number>>
  /** Less than the judge's is as good as near it. */
  readonly orBetter?: true
  /** Who spent them, by the name of the system or configuration, where marks enclose it. */
  readonly spent?: Readonly<Record<string, Spent>>
  /** Why not the default configuration, or what is not alike. */
  readonly note?: string
}

/** Something that came from outside. */
export interface ImageUsed {
  readonly name: string
  readonly version: string
  readonly sha256: string
}

/** One judge's findings. */
export interface Part {
  /** ISO 8601. */
  readonly date: string
  /** The commit of our own sources, where it is known. */
  readonly commit?: string
  readonly images: readonly ImageUsed[]
  readonly rows: readonly Row[]
  readonly absent: readonly { readonly name: string; readonly why: string }[]
  /** One line each: what could not be measured, and what to do. */
  readonly failures: readonly string[]
}

export type Calibration = Readonly<Partial<Record<JudgeName, Part>>>

export interface Judge {
  readonly name: JudgeName
  /** Of its table. */
  readonly title: string
  /** Measures with the images of a folder, telling what it is at. Does not throw: what fails is in the part. */
  run(directory: string, progress: (what: string) => void): Promise<Part>
}

/** Ours divided by the judge's. */
export function ratioOf({ real, judge, ours }: Row): number {
  return (Object.values(ours)[0] ?? NaN) / (real[judge] ?? NaN)
}

export function isWithin(row: Row): boolean {
  const over = ratioOf(row) - 1
  return over <= TOLERANCE && (row.orBetter === true || over >= -TOLERANCE)
}
