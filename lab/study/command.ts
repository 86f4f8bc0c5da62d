/** The command that measures something again, hash for hash. */
import { type Configuration, hartsNeeded } from './configurations.ts'
import { isMicrobenchmark, MICRO } from './micro.ts'
import type { Conditions } from './subject.ts'

/** Prices other than a model's own have no command: only `sensitivity` varies them. */
export function reproduction(
  workload: string,
  configuration: Configuration,
  { seed = 0, harts, pathLength = 1 }: Pick<Conditions, 'seed' | 'harts' | 'pathLength'>,
): string {
  return [
    `npx barehart compare ${isMicrobenchmark(workload) ? MICRO : workload} --configurations ${configuration} --seed ${seed}`,
    ...(harts === undefined || harts === hartsNeeded([configuration]) ? [] : [`--harts ${harts}`]),
    ...(pathLength === 1 ? [] : [`--path-length ${pathLength}`]),
    '--json',
  ].join(' ')
}
