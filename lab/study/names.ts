/** Workloads, configurations and numbers as people name them on the command line. */
import { ALL_WORKLOADS, workloadNamed, WORKLOADS } from '../../guests/index.ts'
import { UserError } from '../user-error.ts'
import { MICRO } from './micro.ts'
import { type Configuration, CONFIGURATIONS, DEFAULT_CONFIGURATIONS } from './configurations.ts'

/** Names of workloads: the small set for none, everything for `all`; each once. */
export function workloadsOf(names: readonly string[]): readonly string[] {
  if (names.length === 0) return WORKLOADS.map(({ name }) => name)
  if (names.includes('all')) return [...ALL_WORKLOADS.map(({ name }) => name), MICRO]
  const stranger = names.find(name => name !== MICRO && !workloadNamed(name))
  if (stranger !== undefined)
    throw new UserError(
      `there is no workload "${stranger}"; choose of ${ALL_WORKLOADS.map(({ name }) => name).join(', ')}, or ${MICRO}`,
    )
  return [...new Set(names)]
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
