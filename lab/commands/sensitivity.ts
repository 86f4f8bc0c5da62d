/** `barehart sensitivity WORKLOAD…`: which conclusions would still hold if prices and path lengths were others. */
import { Command } from 'commander'
import { type CoreOptions, pricesOf, withCoreOptions } from '../core-options.ts'
import { Progress } from '../progress.ts'
import { sensitivityLines } from '../study/conclusion-lines.ts'
import { claimsOf, ordersOf } from '../study/conclusions.ts'
import { CONFIGURATIONS, DEFAULT_CONFIGURATIONS } from '../study/configurations.ts'
import { configurationsOf, hartsOf, pathLengthOf, wholeNumber, workloadsOf } from '../study/names.ts'
import { measurementsFor, sensitivity } from '../study/sensitivity.ts'
import { ENOUGH } from '../study/statistics.ts'
import { study, type StudyPlan } from '../study/study.ts'
import { UserError } from '../user-error.ts'

interface SensitivityOptions extends CoreOptions {
  readonly configurations?: string
  readonly harts?: string
  readonly pathLength: string
  readonly draws: string
  readonly jointly?: boolean
  readonly json?: boolean
}

const DRAWS = 30
const MOST_DRAWS = 10_000

export function sensitivityCommand(): Command {
  const command = new Command('sensitivity')
    .description('run workloads again with other prices and path lengths, and say which conclusions survive')
    .argument('<workloads...>', 'as for compare')
    .option(
      '--configurations <list>',
      `of ${CONFIGURATIONS.join(',')}, or all; unless given: ${DEFAULT_CONFIGURATIONS.join(',')}`,
    )
    .option('--harts <n>', 'of the machine; unless given, as many as the configurations need')
    .option('--path-length <factor>', 'as for compare: what is varied starts from there', '1')
    .option('--draws <n>', 'how often all prices are drawn together, each between half and double', String(DRAWS))
    .option('--jointly', 'do without halving and doubling each price alone')
    .option('--json', 'print the conclusions as JSON')
    .action(run)
  return withCoreOptions(command)
}

async function run(names: readonly string[], options: SensitivityOptions): Promise<void> {
  const configurations = configurationsOf(options.configurations)
  if (configurations.length < 2)
    throw new UserError(`--configurations ${options.configurations}: a conclusion is about two at least; name another`)
  const base: StudyPlan = {
    workloads: workloadsOf(names),
    configurations,
    seeds: Array.from({ length: ENOUGH }, (_, index) => index + 1),
    conditions: {
      harts: hartsOf(options.harts, configurations),
      pathLength: pathLengthOf(options.pathLength),
      prices: pricesOf(options),
    },
  }
  const draws = wholeNumber('--draws', options.draws, 0, MOST_DRAWS)
  const first = new Progress(base.workloads.length * configurations.length * base.seeds.length)
  const { comparisons, failures } = await study(base, first)
  first.end()
  const plan = {
    claims: claimsOf(comparisons),
    draws,
    singly: options.jointly !== true,
    conditions: base.conditions,
  }
  const second = new Progress(measurementsFor(plan).length)
  const found = await sensitivity(plan, second)
  second.end()
  const orders = ordersOf(comparisons, found.conclusions)
  if (options.json) console.log(JSON.stringify({ orders, conclusions: found.conclusions }, undefined, 1))
  else console.log(`\n${sensitivityLines(orders, found.conclusions)}`)
  const all = [...failures, ...found.failures]
  for (const failure of all) console.error(`barehart: ${failure}`)
  if (all.length > 0) process.exitCode = 1
}
