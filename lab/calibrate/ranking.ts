/** Whether ours come in the same order as the real ones: type 1 against type 2, benchmark by benchmark. */
import type { Calibration, Row } from './calibration.ts'

/** Closer than this, two are level. */
const LEVEL = 0.02

export interface Ranking {
  /** The real type 1. */
  readonly project: string
  /** Benchmarks in which the order is the same. */
  readonly same: readonly string[]
  /** And in which it is another. */
  readonly other: readonly string[]
}

/** -1: the first is less; 0: level. */
function order(first: number, second: number): number {
  return Math.abs(first - second) <= LEVEL * Math.max(first, second) ? 0 : Math.sign(first - second)
}

function ours({ ours: values }: Row): number {
  return Object.values(values)[0] ?? NaN
}

/** One for each real type 1 that was measured, in the benchmarks that it and the real type 2 have. */
export function rankings({ kvm, 'type-1': type1 }: Calibration): readonly Ranking[] {
  if (!kvm || !type1) return []
  const projects = [...new Set(type1.rows.flatMap(({ real }) => Object.keys(real)))]
  return projects.map(project => {
    const same: string[] = []
    const other: string[] = []
    for (const first of type1.rows) {
      const second = kvm.rows.find(({ name }) => name === first.name)
      const [theirs, hosted] = [first.real[project], second?.real[second.judge]]
      if (!second || theirs === undefined || hosted === undefined) continue
      const alike = order(theirs, hosted) === order(ours(first), ours(second))
      ;(alike ? same : other).push(first.name)
    }
    return { project, same, other }
  })
}

/** One line. */
export function rankingText({ project, same, other }: Ranking): string {
  const all = same.length + other.length
  const not = other.length > 0 ? `; not in ${other.join(', ')}` : ''
  return `type 1 against type 2 comes out as with ${project} and KVM in ${same.length} of ${all}${not}`
}
