/** The microbenchmarks in a configuration: results like those of workloads, and what a configuration lacks. */
import { BENCHMARKS, bootargsFor } from '../../guests/micro/index.ts'
import { rocketFlat } from '../../hw/index.ts'
import { type Configuration, configurationNamed } from './configurations.ts'
import type { Result } from './measure.ts'
import { type MicroGuest, type MicroRun, runMicroGuests } from './micro-machine.ts'
import { modelName } from '../core-options.ts'
import type { Conditions } from './subject.ts'

/** What one names to run all of them. */
export const MICRO = 'micro'

/** A benchmark that a configuration has no part for. */
export interface Absence {
  readonly benchmark: string
  readonly configuration: Configuration
  readonly why: string
}

export interface MicroOutcome {
  readonly results: readonly Result[]
  readonly absent: readonly Absence[]
  /** One line each. */
  readonly failures: readonly string[]
}

const ALONE: readonly string[] = BENCHMARKS.filter(({ neighbour }) => !neighbour).map(({ name }) => name)

/** True for the name of a microbenchmark. */
export function isMicrobenchmark(name: string): boolean {
  return BENCHMARKS.some(benchmark => benchmark.name === name)
}

/** Runs all of them: those of one guest on one machine, each that needs a neighbour on one of its own. Never throws. */
export async function runMicro(configuration: Configuration, conditions: Conditions): Promise<MicroOutcome> {
  const results: Result[] = []
  const absent: Absence[] = []
  const failures: string[] = []
  const run = async (names: readonly string[], guests: readonly MicroGuest[]) => {
    try {
      const found = await runMicroGuests(configuration, guests, conditions)
      for (const line of found.lines) {
        if (!names.includes(line.name)) continue
        if ('absent' in line) absent.push({ benchmark: line.name, configuration, why: line.absent })
        else results.push(resultOf(line.name, line.operations, found, configuration, conditions))
      }
    } catch (error) {
      failures.push(`${names.length > 1 ? MICRO : names[0]} (${configuration}): ${(error as Error).message}`)
    }
  }
  await run(ALONE, [{ label: MICRO, bootargs: '', vcpus: 2 }])
  for (const { name, neighbour } of BENCHMARKS) {
    if (!neighbour) continue
    if (configurationNamed(configuration).vmm === 'none') {
      absent.push({ benchmark: name, configuration, why: 'no neighbour' })
      continue
    }
    await run(
      [name],
      [
        { label: MICRO, bootargs: bootargsFor([name]), vcpus: 1 },
        { label: neighbour, bootargs: `micro=${neighbour}`, vcpus: 1 },
      ],
    )
  }
  const place = (name: string) => BENCHMARKS.findIndex(benchmark => benchmark.name === name)
  return { results: results.toSorted((a, b) => place(a.workload) - place(b.workload)), absent, failures }
}

function resultOf(
  name: string,
  operations: number,
  { spans, configurationHash, traceHash, harts }: MicroRun,
  configuration: Configuration,
  { seed = 0, prices = rocketFlat }: Conditions,
): Result {
  const of = spans.find(({ number }) => BENCHMARKS[number - 1]?.name === name)
  if (!of) throw new Error(`${name} has no marks: is its guest the one that the machine runs?`)
  return {
    workload: name,
    configuration,
    seed,
    value: of.cycles / ((operations * of.spans) / (of.spans + of.strays)),
    unit: 'cycles',
    core: prices.core,
    model: modelName(prices),
    harts,
    instructions: of.instructions,
    cycles: of.ledger.reduce((sum, { cycles }) => sum + cycles, 0),
    ledger: of.ledger,
    configurationHash,
    traceHash,
  }
}
