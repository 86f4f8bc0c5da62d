/** Workloads, configurations and numbers as people name them on the command line. */
import { ALL_WORKLOADS, workloadNamed, WORKLOADS } from '../../guests/index.ts'
import type { Workload } from '../../guests/workload.ts'
import { UserError } from '../user-error.ts'
import { LINUX_BOOT, linuxBoot } from './linux-boot.ts'
import { MICRO } from './micro.ts'
import { type Configuration, CONFIGURATIONS, DEFAULT_CONFIGURATIONS, hartsNeeded } from './configurations.ts'

/** Names of workloads: the small set for none, for `all` everything that needs nothing fetched; each once. */
export function workloadsOf(names: readonly string[]): readonly string[] {
  if (names.length === 0) return WORKLOADS.map(({ name }) => name)
  const wanted = names.flatMap(name =>
    name === 'all' ? [...ALL_WORKLOADS.map(workload => workload.name), MICRO] : [name],
  )
  // Says so if there is none.
  if (wanted.includes(LINUX_BOOT)) linuxBoot()
  const stranger = wanted.find(name => name !== MICRO && name !== LINUX_BOOT && !workloadNamed(name))
  if (stranger !== undefined)
    throw new UserError(
      `there is no workload "${stranger}"; choose of ${ALL_WORKLOADS.map(({ name }) => name).join(', ')}, ${LINUX_BOOT} or ${MICRO}`,
    )
  return [...new Set(wanted)]
}

/** The workload of a name that is one, the microbenchmarks aside. */
export function workloadOf(name: string): Workload {
  const found = name === LINUX_BOOT ? linuxBoot() : workloadNamed(name)
  if (!found) throw new Error(`there is no workload "${name}"`)
  return found
}

/** Configurations of a list with commas, in the table's order; `all`; the usual three if there is no list. */
export function configurationsOf(list: string | undefined): readonly Configuration[] {
  if (list === undefined) return DEFAULT_CONFIGURATIONS
  if (list === 'all') return CONFIGURATIONS
  const names = list.split(',')
  const stranger = names.find(name => !(CONFIGURATIONS as readonly string[]).includes(name))
  if (stranger !== undefined)
    throw new UserError(
      `--configurations: there is no configuration "${stranger}"; choose of ${CONFIGURATIONS.join(',')}`,
    )
  return CONFIGURATIONS.filter(configuration => names.includes(configuration))
}

/** A whole number of an option's; `most` included. */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : NaN
  if (!(value >= least && value <= most))
    throw new UserError(`${option} ${text}: give a whole number from ${least} to ${most}`)
  return value
}

const MOST_HARTS = 8

/** Of the machine: as many as asked for, or as the configurations need. */
export function hartsOf(text: string | undefined, configurations: readonly Configuration[]): number {
  const least = hartsNeeded(configurations)
  if (text === undefined) return least
  const harts = wholeNumber('--harts', text, 1, MOST_HARTS)
  const greedy = configurations.find(name => hartsNeeded([name]) > harts)
  if (greedy)
    throw new UserError(`--harts ${harts}: ${greedy} needs ${hartsNeeded([greedy])}; leave --harts out or give more`)
  return harts
}

/** A scale for counted path lengths. */
export function pathLengthOf(text: string): number {
  const factor = Number(text)
  if (!(factor >= 0.1 && factor <= 10))
    throw new UserError(`--path-length ${text}: give a factor from 0.1 to 10, such as 0.7 or 1.4`)
  return factor
}
