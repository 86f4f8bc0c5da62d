/** `barehart compare [WORKLOAD…]`: the same workloads bare, under type 1 and under type 2, and where the cycles went. */
import chalk from 'chalk'
import { Command } from 'commander'
import { ALL_WORKLOADS, WORKLOADS } from '../../guests/index.ts'
import { type CoreOptions, pricesOf, withCoreOptions } from '../core-options.ts'
import { Progress } from '../progress.ts'
import { makeFolder } from '../report/folder.ts'
import { makeReport, type ReportPlan } from '../report/make-report.ts'
import { type Comparison, EQUIVALENCE } from '../study/comparison.ts'
import { CONFIGURATIONS, DEFAULT_CONFIGURATIONS } from '../study/configurations.ts'
import { differenceLines } from '../study/difference-lines.ts'
import type { Result } from '../study/measure.ts'
import { type Absence, isMicrobenchmark, MICRO } from '../study/micro.ts'
import { microNotes, microTable } from '../study/micro-table.ts'
import { configurationsOf, hartsOf, pathLengthOf, wholeNumber, workloadsOf } from '../study/names.ts'
import { ENOUGH } from '../study/statistics.ts'
import { type Study, study, type StudyPlan } from '../study/study.ts'
import { comparisonTable, legend, typicalResults } from '../study/table.ts'
import { UserError } from '../user-error.ts'

interface CompareOptions extends CoreOptions {
  readonly configurations?: string
  readonly seeds?: string
  readonly seed?: string
  readonly harts?: string
  readonly pathLength: string
  readonly equalWithin: string
  readonly ledger?: boolean
  readonly json?: boolean
  readonly report?: string
  readonly draws: string
}

const MOST_SEEDS = 10_000
const DRAWS = 10
const MOST_DRAWS = 1000

export function compareCommand(): Command {
  const command = new Command('compare')
    .description(
      'run workloads bare, under the native (type 1) and the hosted (type 2) VMM, and print where the cycles went',
    )
    .argument(
      '[workloads...]',
      `of ${ALL_WORKLOADS.map(({ name }) => name).join(', ')}, ${MICRO} (the microbenchmarks), or all; unless given: ${WORKLOADS.map(({ name }) => name).join(', ')}`,
    )
    .option(
      '--configurations <list>',
      `of ${CONFIGURATIONS.join(',')}, or all; unless given: ${DEFAULT_CONFIGURATIONS.join(',')}`,
    )
    .option('--seeds <n>', `seeds 1 to n, paired across configurations; ${ENOUGH} and more state differences`)
    .option('--seed <n>', 'this seed alone; 0, if neither is given: nothing is left to chance')
    .option('--harts <n>', 'of the machine; unless given, as many as the configurations need')
    .option('--path-length <factor>', "scale of the counted path length of VMMs', hosts' and drivers' code", '1')
    .option(
      '--equal-within <percent>',
      'differences whose whole interval is smaller than this part of a median count as none',
      String(EQUIVALENCE * 100),
    )
    .option('--ledger', 'print every row of the ledgers too')
    .option('--json', 'print the results as JSON')
    .option(
      '--report <dir>',
      `write a report there: a page, its data, flame graphs, timelines; ${ENOUGH} seeds unless given`,
    )
    .option(
      '--draws <n>',
      'for the report: how often all prices are drawn at random to try what was found',
      String(DRAWS),
    )
    .action(compare)
  return withCoreOptions(command)
}

function seedsOf({ seeds: given, seed, report }: CompareOptions): readonly number[] {
  const seeds = given ?? (report !== undefined && seed === undefined ? String(ENOUGH) : undefined)
  if (seeds !== undefined && seed !== undefined)
    throw new UserError(`--seeds ${seeds} --seed ${seed}: give one of the two`)
  if (seed !== undefined) return [wholeNumber('--seed', seed, 0, 2 ** 32 - 1)]
  if (seeds === undefined) return [0]
  return Array.from({ length: wholeNumber('--seeds', seeds, 1, MOST_SEEDS) }, (_, index) => index + 1)
}

/** A part of one, from per cent. */
function percentOf(text: string): number {
  const percent = Number(text)
  if (text.trim() === '' || !(percent >= 0 && percent < 100))
    throw new UserError(`--equal-within ${text}: give per cent, 0 or more and below 100`)
  return percent / 100
}

function planOf(names: readonly string[], options: CompareOptions): StudyPlan {
  const configurations = configurationsOf(options.configurations)
  return {
    workloads: workloadsOf(names),
    configurations,
    seeds: seedsOf(options),
    equivalence: percentOf(options.equalWithin),
    conditions: {
      harts: hartsOf(options.harts, configurations),
      pathLength: pathLengthOf(options.pathLength),
      prices: pricesOf(options),
    },
  }
}

async function compare(names: readonly string[], options: CompareOptions): Promise<void> {
  const plan = planOf(names, options)
  const report = reportPlanOf(names, options)
  const progress = new Progress(plan.workloads.length * plan.configurations.length * plan.seeds.length)
  const found = await study(plan, progress)
  progress.end()
  if (options.json) printData(found)
  else if (found.results.length > 0) print(found, plan, options.ledger ?? false)
  const failures = [...found.failures]
  if (report && found.results.length > 0) {
    const made = await makeReport(found, plan, report)
    failures.push(...made.failures)
    if (!options.json) console.log(`\nThe report: ${chalk.bold(made.page)}`)
  }
  for (const failure of failures) console.error(`barehart: ${failure}`)
  if (failures.length > 0) process.exitCode = 1
}

/** What the report is to be; a folder that cannot be is told before anything has been measured. */
function reportPlanOf(names: readonly string[], { report, draws }: CompareOptions): ReportPlan | undefined {
  const times = wholeNumber('--draws', draws, 0, MOST_DRAWS)
  if (report === undefined) return undefined
  makeFolder(report)
  return {
    directory: report,
    command: `npx barehart ${process.argv.slice(2).join(' ')}`,
    date: new Date().toISOString(),
    draws: times,
    consolidation: names.includes('all'),
  }
}

function printData({ results, comparisons, absent }: Study): void {
  const compared = comparisons.map(({ samples: _results, ...comparison }) => comparison)
  console.log(JSON.stringify({ results, comparisons: compared, ...(absent.length > 0 && { absent }) }, undefined, 1))
}

function print({ results, comparisons, absent }: Study, { workloads, seeds }: StudyPlan, withLedger: boolean): void {
  const columns = process.stdout.columns || 80
  const micro = comparisons.filter(({ workload }) => isMicrobenchmark(workload))
  const others = comparisons.filter(({ workload }) => !isMicrobenchmark(workload))
  if (micro.length > 0) printMicro(micro, absent, columns)
  if (others.length > 0) printWorkloads(others, results, seeds, columns)
  if (seeds.length >= ENOUGH) {
    console.log(`\nDifferences over ${seeds.length} seeds, median and 95 % interval:\n${differenceLines(comparisons)}`)
  } else if (seeds.length > 1) {
    console.log(`\n${seeds.length} seeds are too few to state differences: give --seeds ${ENOUGH}`)
  }
  if (withLedger) printLedgers(results)
  const example = workloads[0] ?? 'compute'
  const next = withLedger ? `--seeds ${ENOUGH}` : '--ledger'
  const why = withLedger ? 'what is chance, and what is not' : 'every row behind this'
  console.log(`\nTry next: ${chalk.bold(`npx barehart compare ${example} ${next}`)} (${why})`)
}

function printMicro(micro: readonly Comparison[], absent: readonly Absence[], columns: number): void {
  const samples = micro.flatMap(comparison => comparison.samples)
  const [{ core, model }] = samples as [Result]
  console.log(`\n${microTable(micro, absent, columns)}\n`)
  console.log(
    chalk.dim(`Cycles of ${core} cores (${model} model) an operation; docs/microbenchmarks.md says what each is.`),
  )
  console.log(microNotes(samples, absent, columns))
}

function printWorkloads(
  comparisons: readonly Comparison[],
  results: readonly Result[],
  seeds: readonly number[],
  columns: number,
): void {
  const [{ core, model, harts }] = results.filter(({ workload }) => !isMicrobenchmark(workload)) as [Result]
  console.log(`\n${comparisonTable(typicalResults(comparisons), columns)}\n`)
  const several = harts > 1 ? `, summed over ${harts} harts` : ''
  const typical = seeds.length > 1 ? `; of ${seeds.length} seeds the one nearest to the median` : ''
  console.log(chalk.dim(`Cycles of ${core} cores (${model} model) between the guest's marks${several}${typical};`))
  console.log(chalk.dim('their parts in %:'))
  console.log(legend(columns))
}

function printLedgers(results: readonly Result[]): void {
  for (const { workload, configuration, seed, ledger, instructions, traceHash } of results) {
    console.log(
      `\n${chalk.bold(`${workload}, ${configuration}, seed ${seed}`)}: ${instructions} instructions, trace ${traceHash}`,
    )
    for (const row of ledger) {
      console.log(
        `  ${String(row.cycles).padStart(12)}  hart ${row.hart}  ${row.party.padEnd(12)} ${row.activity.padEnd(12)} ${row.cause}`,
      )
    }
  }
}
