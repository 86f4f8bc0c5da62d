/** Many measurements, two at a time, each in a thread's own world; results in the order asked for. */
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { workloadNamed } from '../../guests/index.ts'
import type { Configuration } from './configurations.ts'
import { measure, type Result } from './measure.ts'
import type { Conditions } from './subject.ts'

export interface Measurement {
  readonly workload: string
  readonly configuration: Configuration
  readonly conditions?: Conditions
}

/** What became of a measurement: a result, or why there is none. */
export type Outcome = { readonly result: Result } | { readonly failure: string }

const MOST_THREADS = 2

/** Does one measurement; never throws. */
export async function attempt({ workload, configuration, conditions = {} }: Measurement): Promise<Outcome> {
  try {
    return { result: await measure(workloadNamed(workload)!, configuration, conditions) }
  } catch (error) {
    const { seed = 0 } = conditions
    return { failure: `${workload} (${configuration}, seed ${seed}): ${(error as Error).message}` }
  }
}

/** Does them all. `begun` and `done` are told of each. */
export async function measureAll(
  measurements: readonly Measurement[],
  begun: (measurement: Measurement) => void,
  done: (measurement: Measurement) => void,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  const waiting = measurements.map((measurement, index) => ({ measurement, index }))
  const work = async (perform: (measurement: Measurement) => Promise<Outcome>) => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      begun(next.measurement)
      outcomes[next.index] = await perform(next.measurement)
      done(next.measurement)
    }
  }
  const threads = Math.min(MOST_THREADS, availableParallelism(), measurements.length)
  if (threads < 2) await work(attempt)
  else await Promise.all(Array.from({ length: threads }, () => inThread(work)))
  return outcomes
}

/** Gives `work` a thread that performs measurements. */
async function inThread(
  work: (perform: (measurement: Measurement) => Promise<Outcome>) => Promise<void>,
): Promise<void> {
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { execArgv: [...counting()] })
  try {
    await work(async measurement => {
      worker.postMessage(measurement)
      const [outcome] = (await once(worker, 'message')) as [Outcome]
      return outcome
    })
  } finally {
    await worker.terminate()
  }
}

/** Sources are counted as they are loaded, in each thread anew; what was packed is counted already. */
function counting(): readonly string[] {
  return import.meta.url.endsWith('.ts') ? ['--import', new URL('../counting/register.ts', import.meta.url).href] : []
}
