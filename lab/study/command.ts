/** The command that measures something again, hash for hash. */
import { type Prices, rocketFlat } from '../../hw/index.ts'
import { coreFlags, modelName } from '../core-options.ts'
import { type Configuration, hartsNeeded } from './configurations.ts'
import type { Result } from './measure.ts'
import { isMicrobenchmark, MICRO } from './micro.ts'
import type { Conditions } from './subject.ts'

type Choice = Pick<Conditions, 'seed' | 'harts' | 'pathLength'> & {
  /** As results name them. */
  readonly core?: string
  readonly model?: string
  readonly prices?: Prices
}

/** Prices other than a model's own have no command: only `sensitivity` varies them. */
export function reproduction(
  workload: string,
  configuration: Configuration,
  { seed = 0, harts, pathLength = 1, prices = rocketFlat, core = prices.core, model = modelName(prices) }: Choice,
): string {
  const micro = workload === MICRO || isMicrobenchmark(workload)
  // The microbenchmarks have the harts that they need.
  const usual = micro || harts === undefined || harts === hartsNeeded([configuration])
  return [
    `npx barehart compare ${micro ? MICRO : workload} --configurations ${configuration} --seed ${seed}`,
    ...(usual ? [] : [`--harts ${harts}`]),
    ...(pathLength === 1 ? [] : [`--path-length ${pathLength}`]),
    ...coreFlags(core, model),
    '--json',
  ].join(' ')
}

/** Of a result at this path length. */
export function reproductionOf({ workload, configuration, seed, harts, core, model }: Result, pathLength = 1): string {
  return reproduction(workload, configuration, { seed, harts, pathLength, core, model })
}
