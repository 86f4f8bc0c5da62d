/**
 * Would it still be so if the prices were others? Every price halved and doubled, one at a time; all of them at random
 * together; and path lengths scaled. The machine is run again each time: no cost is computed from another.
 */
import { rocketFlat } from '../../hw/index.ts'
import { randomWords } from '../../hw/spec/random.ts'
import { type Claim, type Conclusion, conclusionOf, type Trial, type Variation } from './conclusions.ts'
import type { Configuration } from './configurations.ts'
import type { Result } from './measure.ts'
import { failuresOf, measureAll, type Measurement, type Outcome, type Watcher } from './measure-all.ts'
import { isMicrobenchmark, MICRO } from './micro.ts'
import { priceList, pricePaths, scaledPrices } from './price-list.ts'
import type { StudyPlan } from './study.ts'

/** How far prices go, down and up. */
const FACTOR = 2
/** More than the path length's own error: docs/path-length.md. */
const PATH_LENGTHS = [0.7, 1.4]
/** Conclusions that are followed up: each takes as many reruns as there are prices, four times. */
const FOLLOWED = 4
/** The seed of what is varied alone; draws have theirs. */
const SEED = 1

export interface SensitivityPlan {
  readonly claims: readonly Claim[]
  /** How many times all prices are drawn at random, each between half and double. */
  readonly draws: number
  /** Whether each price is varied alone too. */
  readonly singly: boolean
  /** Path lengths are scaled too, unless this says no. */
  readonly pathLengths?: false
  readonly conditions: StudyPlan['conditions']
}

interface Rerun {
  readonly variation: Variation
  readonly conditions: NonNullable<Measurement['conditions']>
}

/** A rerun a variation, for each workload and configuration that claims are about. */
export function measurementsFor(plan: SensitivityPlan): readonly (Measurement & { readonly variation: Variation })[] {
  const places = new Map<string, readonly [string, Configuration]>()
  for (const { workload, less, more } of plan.claims) {
    // Microbenchmarks run together.
    const run = isMicrobenchmark(workload) ? MICRO : workload
    for (const configuration of [less, more]) places.set(`${run}\n${configuration}`, [run, configuration])
  }
  return rerunsOf(plan).flatMap(({ variation, conditions }) =>
    [...places.values()].map(([workload, configuration]) => ({ workload, configuration, conditions, variation })),
  )
}

function rerunsOf({ draws, singly, pathLengths, conditions }: SensitivityPlan): readonly Rerun[] {
  const list = priceList(conditions.prices ?? rocketFlat)
  const paths = pricePaths(list)
  const rerun = (variation: Variation, factors: ReadonlyMap<string, number>, seed: number): Rerun => {
    const { core, drive, card } = scaledPrices(list, factors)
    return { variation, conditions: { ...conditions, seed, prices: core, devicePrices: { drive, card } } }
  }
  const random = randomWords(SEED)
  const drawn = Array.from({ length: draws }, (_, draw) => {
    const factors = new Map(paths.map(path => [path, FACTOR ** (random() / 2 ** 31 - 1)]))
    const variation = { kind: 'joint', name: `draw ${draw + 1}`, factors: Object.fromEntries(factors) } as const
    return rerun(variation, factors, draw + 1)
  })
  const scaled = PATH_LENGTHS.map(
    (pathLength): Rerun => ({
      variation: { kind: 'path length', name: `path length ×${pathLength}` },
      conditions: { ...conditions, seed: SEED, pathLength: (conditions.pathLength ?? 1) * pathLength },
    }),
  )
  const alone = paths.flatMap(path =>
    [1 / FACTOR, FACTOR].map(factor =>
      rerun({ kind: 'price', name: `${path} ×${factor}` }, new Map([[path, factor]]), SEED),
    ),
  )
  return [...(pathLengths === false ? [] : scaled), ...drawn, ...(singly ? alone : [])]
}

/** Which single prices turn the conclusions that did not survive: still to be tried, of those that came closest to surviving. */
export function followUp({ conditions }: SensitivityPlan, conclusions: readonly Conclusion[]): SensitivityPlan {
  return {
    claims: conclusions
      .filter(({ survives }) => !survives)
      .toSorted((a, b) => a.fails.length - b.fails.length)
      .slice(0, FOLLOWED),
    draws: 0,
    singly: true,
    pathLengths: false,
    conditions,
  }
}

/** Conclusions with what their follow-up has found. */
export function withFollowUp(
  conclusions: readonly Conclusion[],
  followed: readonly Conclusion[],
): readonly Conclusion[] {
  return conclusions.map(conclusion => {
    const { workload, less, more } = conclusion
    const found = followed.find(other => other.workload === workload && other.less === less && other.more === more)
    if (!found) return conclusion
    const tried = { ...conclusion.tried, prices: found.tried.prices }
    return { ...conclusion, tried, fails: [...conclusion.fails, ...found.fails] }
  })
}

export interface Sensitivity {
  readonly conclusions: readonly Conclusion[]
  readonly failures: readonly string[]
}

/** Runs it all again; `perform` is for tests. */
export async function sensitivity(
  plan: SensitivityPlan,
  watcher: Watcher,
  perform?: (measurement: Measurement) => Promise<Outcome>,
): Promise<Sensitivity> {
  const measurements = measurementsFor(plan)
  const outcomes = await measureAll(measurements, watcher, perform)
  const values = new Map<Variation, Result[]>()
  for (const [index, { results }] of outcomes.entries()) {
    const { variation } = measurements[index]
    values.set(variation, [...(values.get(variation) ?? []), ...results])
  }
  const trialsOf = ({ workload, less, more }: Claim): readonly Trial[] =>
    [...values].flatMap(([variation, results]) => {
      const valueOf = (name: Configuration) =>
        results.find(result => result.workload === workload && result.configuration === name)?.value
      const [low, high] = [valueOf(less), valueOf(more)]
      return low === undefined || high === undefined ? [] : [{ variation, difference: high - low }]
    })
  return {
    conclusions: plan.claims.map(claim => conclusionOf(claim, trialsOf(claim))),
    failures: failuresOf(measurements, outcomes),
  }
}
