/** `barehart compare [WORKLOAD…]`: the same workloads bare, under type 1 and under type 2, and where the cycles went. */
import chalk from 'chalk'
import { Command } from 'commander'
import { WORKLOADS, type Workload } from '../../guests/index.ts'
import { Progress } from '../progress.ts'
import type { Result } from '../study/measure.ts'
import { measureAll } from '../study/measure-all.ts'
import { comparisonTable, legend } from '../study/table.ts'
import { type Configuration, CONFIGURATIONS } from '../system.ts'
import { UserError } from '../user-error.ts'

interface CompareOptions {
  readonly configurations?: string
  readonly ledger?: boolean
  readonly json?: boolean
}

export function compareCommand(): Command {
  return new Command('compare')
    .description(
      'run workloads bare, under the native (type 1) and the hosted (type 2) VMM, and print where the cycles went',
    )
    .argument('[workloads...]', `of ${WORKLOADS.map(({ name }) => name).join(', ')}; all unless given`)
    .option('--configurations <list>', `of ${CONFIGURATIONS.join(',')}`)
    .option('--ledger', 'print every row of the ledgers too')
    .option('--json', 'print the results as JSON')
    .action(compare)
}

/** The workloads of these names; all of them for none. */
export function workloadsNamed(names: readonly string[]): readonly Workload[] {
  if (names.length === 0 || names.includes('all')) return WORKLOADS
  return names.map(name => {
    const found = WORKLOADS.find(workload => workload.name === name)
    if (!found)
      throw new UserError(
        `there is no workload "${name}"; choose of ${WORKLOADS.map(workload => workload.name).join(', ')}`,
      )
    return found
  })
}

function configurationsNamed(list: string | undefined): readonly Configuration[] {
  if (list === undefined) return CONFIGURATIONS
  const names = list.split(',')
  const stranger = names.find(name => !(CONFIGURATIONS as readonly string[]).includes(name))
  if (stranger !== undefined)
    throw new UserError(
      `--configurations: there is no configuration "${stranger}"; choose of ${CONFIGURATIONS.join(',')}`,
    )
  return CONFIGURATIONS.filter(configuration => names.includes(configuration))
}

async function compare(names: readonly string[], options: CompareOptions): Promise<void> {
  const workloads = workloadsNamed(names)
  const configurations = configurationsNamed(options.configurations)
  const measurements = workloads.flatMap(({ name }) =>
    configurations.map(configuration => ({ workload: name, configuration })),
  )
  const progress = new Progress(measurements.length)
  const outcomes = await measureAll(
    measurements,
    ({ workload, configuration }) => progress.begin(`${workload} (${configuration})`),
    ({ workload, configuration }) => progress.finish(`${workload} (${configuration})`),
  )
  progress.end()
  const results = outcomes.flatMap(outcome => ('result' in outcome ? [outcome.result] : []))
  if (options.json) console.log(JSON.stringify({ results }, undefined, 1))
  else if (results.length > 0) print(results, workloads, options.ledger ?? false)
  const failures = outcomes.flatMap(outcome => ('failure' in outcome ? [outcome.failure] : []))
  for (const failure of failures) console.error(`barehart: ${failure}`)
  if (failures.length > 0) process.exitCode = 1
}

function print(results: readonly Result[], workloads: readonly Workload[], withLedger: boolean): void {
  const columns = process.stdout.columns || 80
  console.log(`\n${comparisonTable(results, columns)}\n`)
  console.log(chalk.dim("Cycles of Rocket cores (flat model) between the guest's marks; their parts in %:"))
  console.log(legend(columns))
  if (withLedger) printLedgers(results)
  const example = workloads[0]?.name ?? 'compute'
  console.log(`\nTry next: ${chalk.bold(`npx barehart compare ${example} --ledger`)} (every row behind this)`)
}

function printLedgers(results: readonly Result[]): void {
  for (const { workload, configuration, ledger, instructions, traceHash } of results) {
    console.log(`\n${chalk.bold(`${workload}, ${configuration}`)}: ${instructions} instructions, trace ${traceHash}`)
    for (const row of ledger) {
      console.log(
        `  ${String(row.cycles).padStart(12)}  hart ${row.hart}  ${row.party.padEnd(12)} ${row.activity.padEnd(12)} ${row.cause}`,
      )
    }
  }
}
