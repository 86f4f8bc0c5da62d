/** A study: workloads in configurations by seeds, compared. All that a table, a file or a report can say of it. */
import { BENCHMARKS } from '../../guests/micro/index.ts'
import { type AxisEffects, byAxis, type Comparison, comparisonsOf } from './comparison.ts'
import type { Configuration } from './configurations.ts'
import type { Result } from './measure.ts'
import { failuresOf, measureAll, type Measurement, type Outcome, type Watcher } from './measure-all.ts'
import { type Absence, MICRO } from './micro.ts'
import type { Conditions } from './subject.ts'

export interface StudyPlan {
  /** Differences within this part of a median count as none. */
  readonly equivalence?: number
  readonly workloads: readonly string[]
  readonly configurations: readonly Configuration[]
  readonly seeds: readonly number[]
  /** Alike in all of it. */
  readonly conditions: Omit<Conditions, 'seed' | 'harts'> & { readonly harts: number }
}

export interface Study {
  readonly results: readonly Result[]
  readonly comparisons: readonly Comparison[]
  readonly axes: readonly AxisEffects[]
  /** Microbenchmarks that a configuration has no part for. */
  readonly absent: readonly Absence[]
  /** One line each: what has no result, and why. */
  readonly failures: readonly string[]
}

/** Seed by seed, so that what is left takes as long as what is done; results come workload by workload. */
export function measurementsOf({ workloads, configurations, seeds, conditions }: StudyPlan): readonly Measurement[] {
  return seeds.flatMap(seed =>
    workloads.flatMap(workload =>
      configurations.map(configuration => ({ workload, configuration, conditions: { ...conditions, seed } })),
    ),
  )
}

/** Does it; `perform` is for tests. Never throws: what failed is named. */
export async function study(
  plan: StudyPlan,
  watcher: Watcher,
  perform?: (measurement: Measurement) => Promise<Outcome>,
): Promise<Study> {
  const measurements = measurementsOf(plan)
  const outcomes = await measureAll(measurements, watcher, perform)
  const found = outcomes.flatMap(outcome => outcome.results)
  const names = plan.workloads.flatMap(name => (name === MICRO ? BENCHMARKS.map(benchmark => benchmark.name) : [name]))
  const results = names.flatMap(workload =>
    plan.configurations.flatMap(configuration =>
      found.filter(result => result.workload === workload && result.configuration === configuration),
    ),
  )
  const comparisons = comparisonsOf(results, plan.equivalence)
  return {
    results,
    comparisons,
    axes: byAxis(comparisons),
    absent: outcomes.flatMap(({ absent }) => absent),
    failures: failuresOf(measurements, outcomes),
  }
}
