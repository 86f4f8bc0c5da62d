/** The command that measures something again, hash for hash. */
import { rocketFlat } from '../../hw/index.ts'
import { coreFlags, modelName } from '../core-options.ts'
import { type Configuration, hartsNeeded } from './configurations.ts'
import { isMicrobenchmark, MICRO } from './micro.ts'
import type { Conditions } from './subject.ts'

type Choice = Pick<Conditions, 'seed' | 'harts' | 'pathLength' | 'prices'>

/** Prices other than a model's own have no command: only `sensitivity` varies them. */
export function reproduction(
  workload: string,
  configuration: Configuration,
  { seed = 0, harts, pathLength = 1, prices = rocketFlat }: Choice,
): string {
  const micro = workload === MICRO || isMicrobenchmark(workload)
  // The microbenchmarks have the harts that they need.
  const usual = micro || harts === undefined || harts === hartsNeeded([configuration])
  return [
    `npx barehart compare ${micro ? MICRO : workload} --configurations ${configuration} --seed ${seed}`,
    ...(usual ? [] : [`--harts ${harts}`]),
    ...(pathLength === 1 ? [] : [`--path-length ${pathLength}`]),
    ...coreFlags(prices.core, modelName(prices)),
    '--json',
  ].join(' ')
}
