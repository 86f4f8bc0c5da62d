/** Many measurements, two at a time, each in a thread's own world; results in the order asked for. */
import { availableParallelism } from 'node:os'
import { reproduction } from './command.ts'
import type { Configuration } from './configurations.ts'
import { measure, type Result } from './measure.ts'
import { type Absence, MICRO, runMicro } from './micro.ts'
import type { Conditions } from './subject.ts'
import { workloadOf } from './names.ts'
import { inThread } from './worker.ts'

export interface Measurement {
  readonly workload: string
  readonly configuration: Configuration
  readonly conditions?: Conditions
}

/** What became of a measurement: its results, and in one line each what has none. */
export interface Outcome {
  readonly results: readonly Result[]
  /** Microbenchmarks that the configuration has no part for. */
  readonly absent: readonly Absence[]
  readonly failures: readonly string[]
}

type Perform = (measurement: Measurement) => Promise<Outcome>

/** Who is told of what is under way. */
export interface Watcher {
  begin(what: string): void
  finish(what: string): void
}

const MOST_THREADS = 2

const NOTHING: Outcome = { results: [], absent: [], failures: [] }

/** Does one measurement; never throws. */
export async function attempt(measurement: Measurement): Promise<Outcome> {
  const { workload, configuration, conditions = {} } = measurement
  try {
    if (workload === MICRO) return await runMicro(configuration, conditions)
    return { ...NOTHING, results: [await measure(workloadOf(workload), configuration, conditions)] }
  } catch (error) {
    return { ...NOTHING, failures: [`${workload} (${configuration}): ${(error as Error).message}`] }
  }
}

/**
 * Does them all; `perform` is for tests. Where a workload has failed in a configuration, it is not tried there again:
 * others would take as long to fail.
 */
export async function measureAll(
  measurements: readonly Measurement[],
  watcher: Watcher,
  perform?: Perform,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  const failed = new Set<string>()
  const waiting = measurements.map((measurement, index) => ({ measurement, index }))
  const work = async (how: Perform) => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { measurement, index } = next
      const place = `${measurement.workload}\n${measurement.configuration}`
      watcher.begin(nameOf(measurement))
      const outcome = failed.has(place) ? NOTHING : await how(measurement)
      if (outcome.results.length === 0) failed.add(place)
      outcomes[index] = outcome
      watcher.finish(nameOf(measurement))
    }
  }
  const threads = Math.min(MOST_THREADS, availableParallelism(), measurements.length)
  if (perform || threads < 2) await work(perform ?? attempt)
  else {
    const script = new URL('./thread.ts', import.meta.url)
    await Promise.all(Array.from({ length: threads }, () => inThread(script, work)))
  }
  return outcomes
}

/** One line for each that failed, with the command that shows it again; of several seeds, the first. */
export function failuresOf(measurements: readonly Measurement[], outcomes: readonly Outcome[]): readonly string[] {
  const lines = new Map<string, string>()
  for (const [index, { workload, configuration, conditions = {} }] of measurements.entries()) {
    for (const failure of outcomes[index].failures) {
      const again = reproduction(workload, configuration, conditions)
      if (!lines.has(failure)) lines.set(failure, `${failure}; to see it again: ${again}`)
    }
  }
  return [...lines.values()]
}

function nameOf({ workload, configuration, conditions }: Measurement): string {
  return `${workload} (${configuration}, seed ${conditions?.seed ?? 0})`
}
