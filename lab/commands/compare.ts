/** `barehart compare [WORKLOAD…]`: the same workloads bare, under type 1 and under type 2, and where the cycles went. */
import chalk from 'chalk'
import { Command } from 'commander'
import { WORKLOADS, type Workload } from '../../guests/index.ts'
import { Progress } from '../progress.ts'
import { measure, type Result } from '../study/measure.ts'
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
  const progress = new Progress(workloads.length * configurations.length)
  const results: Result[] = []
  for (const workload of workloads) {
    for (const configuration of configurations) {
      progress.begin(`${workload.name}, ${configuration}`)
      results.push(await measure(workload, configuration))
      progress.step()
    }
  }
  progress.end()
  if (options.json) console.log(JSON.stringify({ results }, undefined, 1))
  else print(results, workloads, options.ledger ?? false)
}

function print(results: readonly Result[], workloads: readonly Workload[], withLedger: boolean): void {
  console.log(`\n${comparisonTable(results)}\n`)
  console.log(
    chalk.dim(`Cycles (Rocket, flat model), between the guest's marks; the other columns are percent of them:`),
  )
  console.log(legend())
  if (withLedger) printLedgers(results)
  const example = workloads[0]?.name ?? 'compute'
  console.log(
    `\nTry next: ${chalk.bold(`npx barehart compare ${example} --ledger`)} shows every row behind these numbers.`,
  )
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
