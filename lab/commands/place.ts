/** `barehart place WORKLOAD --device nvme|nic`: the same driver in every place where a driver may live. */
import chalk from 'chalk'
import { Command } from 'commander'
import { type CoreOptions, pricesOf, withCoreOptions } from '../core-options.ts'
import { HAS_SOURCES, needSources } from '../planting/sources.ts'
import { type FaultCounts, faultPlans, type FaultStudy, faultStudy } from '../place/faults/study.ts'
import { findingsOf, type PlaceFinding } from '../place/findings.ts'
import type { DriverOptions } from '../place/machine.ts'
import { placementNamed, PLACEMENT_NAMES, type PlacementName } from '../place/placements.ts'
import { makePlaceReport } from '../place/report/make.ts'
import { type PlacePlan, type PlaceStudy, placeStudy } from '../place/study.ts'
import { blastTable, containmentTable, crowdTable, placeDifferences, placeTable } from '../place/table.ts'
import { deviceOf, DEVICES, namesFor, placeWorkload } from '../place/workloads.ts'
import { PLACEMENTS } from '../../hw/spec/layouts/placement.ts'
import { Progress } from '../progress.ts'
import { makeFolder } from '../report/folder.ts'
import { pathLengthOf, wholeNumber } from '../study/names.ts'
import { UserError } from '../user-error.ts'

interface PlaceOptions extends CoreOptions {
  readonly device: string
  readonly placements?: string
  readonly seeds?: string
  readonly seed?: string
  readonly guests: string
  readonly harts: string
  readonly service?: string
  readonly coalescing?: string
  readonly depth?: string
  readonly queues?: string
  readonly transfer?: string
  readonly hart?: string
  readonly pathLength: string
  readonly faults: string
  readonly hardwareFaults?: string
  readonly containment: string
  readonly faultSeed: string
  readonly ledger?: boolean
  readonly json?: boolean
  readonly report?: string
}

const MOST_SEEDS = 10_000
const MOST_GUESTS = 64
const MOST_HARTS = 8
const MOST_FAULTS = 1_000_000
/** Faults of the hardware, unless somebody wants more. */
const FEW = 16

export function placeCommand(): Command {
  const command = new Command('place')
    .description(
      'run a workload with the same driver in every place where it may live: speed, and what has to be trusted',
    )
    .argument('<workload>', `of ${DEVICES.map(device => `${namesFor(device).join(', ')} (${device})`).join('; ')}`)
    .requiredOption('--device <name>', `of ${DEVICES.join(',')}: whose driver it is`)
    .option('--placements <list>', `of ${PLACEMENT_NAMES.join(',')}; all unless given`)
    .option('--seeds <n>', 'seeds 1 to n, paired across placements; 30 and more state differences')
    .option('--seed <n>', 'this seed alone; 0, if neither is given: nothing is left to chance')
    .option('--guests <list>', 'how many guests on one device; the first number is what is compared', '1')
    .option('--harts <n>', 'of the machine; guests are pinned to them in turn', '1')
    .option('--service <how>', `of ${PLACEMENTS.service.join(',')}: how the driver learns what its device has done`)
    .option('--coalescing <microseconds>', 'least time between two interrupts of the device')
    .option('--depth <n>', 'requests that the driver has at a time')
    .option('--queues <n>', 'of the device')
    .option(
      '--transfer <how>',
      `of ${PLACEMENTS.transfer.join(',')}: pages between guest and driver are mapped, or copied`,
    )
    .option('--hart <n>', 'reserved for the driver; shared unless given')
    .option('--path-length <factor>', "scale of the counted path length of VMMs', hosts' and drivers' code", '1')
    .option(
      '--faults <n>',
      'random faults of the driver, tried in each placement: whom they reach; 0: none',
      HAS_SOURCES ? '16' : '0',
    )
    .option(
      '--hardware-faults <n>',
      `the same of the device; as many as of the driver unless given, but at most ${FEW}`,
    )
    .option(
      '--containment <n>',
      'random faults of the driver where it is said to be contained: whether guests that have nothing to do with it see anything',
      '0',
    )
    .option(
      '--fault-seed <n>',
      "of the first fault; the others' follow: --faults 1 --fault-seed 7 is number 7 again",
      '0',
    )
    .option('--ledger', 'print every row of the ledgers too')
    .option('--json', 'print the findings as JSON')
    .option('--report <dir>', 'write a report there: a page with figures, and its data')
    .action(place)
  return withCoreOptions(command)
}

function placementsOf(list: string | undefined): readonly PlacementName[] {
  if (list === undefined || list === 'all') return PLACEMENT_NAMES
  const names = list.split(',')
  const stranger = names.find(name => !(PLACEMENT_NAMES as readonly string[]).includes(name))
  if (stranger !== undefined)
    throw new UserError(`--placements: there is no placement "${stranger}"; choose of ${PLACEMENT_NAMES.join(',')}`)
  return PLACEMENT_NAMES.filter(name => names.includes(name))
}

function seedsOf({ seeds, seed }: PlaceOptions): readonly number[] {
  if (seeds !== undefined && seed !== undefined)
    throw new UserError(`--seeds ${seeds} --seed ${seed}: give one of the two`)
  if (seed !== undefined) return [wholeNumber('--seed', seed, 0, 2 ** 32 - 1)]
  if (seeds === undefined) return [0]
  return Array.from({ length: wholeNumber('--seeds', seeds, 1, MOST_SEEDS) }, (_, index) => index + 1)
}

function choice<T extends string>(option: string, text: string | undefined, values: readonly T[]): T | undefined {
  if (text === undefined) return undefined
  const found = values.find(value => value === text)
  if (found === undefined) throw new UserError(`${option} ${text}: choose of ${values.join(',')}`)
  return found
}

function driverOptions(given: PlaceOptions, harts: number): DriverOptions {
  const number = (option: string, text: string | undefined, least: number, most: number) =>
    text === undefined ? undefined : wholeNumber(option, text, least, most)
  const options = {
    service: choice('--service', given.service, PLACEMENTS.service),
    coalescing: number('--coalescing', given.coalescing, 0, 10_000),
    depth: number('--depth', given.depth, 1, 64),
    queues: number('--queues', given.queues, 1, 8),
    transfer: choice('--transfer', given.transfer, PLACEMENTS.transfer),
    hart: number('--hart', given.hart, 0, harts - 1),
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function planOf(workload: string, options: PlaceOptions): PlacePlan {
  const device = deviceOf(options.device)
  placeWorkload(workload, device)
  const harts = wholeNumber('--harts', options.harts, 1, MOST_HARTS)
  return {
    workload,
    device,
    placements: placementsOf(options.placements),
    seeds: seedsOf(options),
    guests: [...new Set(options.guests.split(',').map(count => wholeNumber('--guests', count, 1, MOST_GUESTS)))],
    harts,
    options: driverOptions(options, harts),
    prices: pricesOf(options),
    pathLength: pathLengthOf(options.pathLength),
  }
}

async function place(workload: string, options: PlaceOptions): Promise<void> {
  const plan = planOf(workload, options)
  const counts = faultsOf(options)
  const { report } = options
  if (report !== undefined) makeFolder(report)
  const progress = new Progress(plan.placements.length * plan.guests.length * plan.seeds.length)
  const found = await placeStudy(plan, progress)
  progress.end()
  const faults = await tryFaults(found, plan, counts)
  const findings = findingsOf(found, plan, faults.blasts)
  if (options.json) printData(findings, found, plan, faults)
  else print(findings, found, plan, faults, options.ledger ?? false)
  if (report !== undefined && findings.length > 0) {
    const command = `npx barehart ${process.argv.slice(2).join(' ')}`
    const date = new Date().toISOString()
    const page = makePlaceReport(findings, found, faults, plan, { directory: report, command, date })
    if (!options.json) console.log(`\nThe report: ${chalk.bold(page)}`)
  }
  const escaped = [...faults.blasts, ...faults.containments].some(({ escapes }) => escapes.length > 0)
  if (findings.length === 0 || escaped) process.exitCode = 1
}

/** How many; they are planted in the sources. */
function faultsOf({ faults, hardwareFaults, containment: contained, faultSeed }: PlaceOptions): FaultCounts {
  const driver = wholeNumber('--faults', faults, 0, MOST_FAULTS)
  const hardware =
    hardwareFaults === undefined
      ? Math.min(driver, FEW)
      : wholeNumber('--hardware-faults', hardwareFaults, 0, MOST_FAULTS)
  if (driver > 0) needSources(`--faults ${faults}`)
  if (hardware > 0) needSources(`--hardware-faults ${hardware}`)
  const containment = wholeNumber('--containment', contained, 0, MOST_FAULTS)
  if (containment > 0) needSources(`--containment ${containment}`)
  return { driver, hardware, containment, seed: wholeNumber('--fault-seed', faultSeed, 0, 2 ** 32 - 1 - MOST_FAULTS) }
}

/** In the placements that are to be had. */
async function tryFaults({ points }: PlaceStudy, { device }: PlacePlan, counts: FaultCounts): Promise<FaultStudy> {
  const plans = faultPlans([...new Set(points.map(({ placement }) => placement))], device, counts)
  if (plans.length === 0) return { blasts: [], containments: [], lacks: [] }
  const progress = new Progress(plans.length)
  const found = await faultStudy(plans, progress)
  progress.end()
  return found
}

function printData(
  findings: readonly PlaceFinding[],
  { differences, lacks }: PlaceStudy,
  plan: PlacePlan,
  faults: FaultStudy,
): void {
  const { workload, device, seeds, options } = plan
  const units = { throughput: 'operations/s', latency: 'µs', cyclesPerOperation: 'cycles', ledger: 'cycles/operation' }
  const data = {
    workload,
    device,
    seeds,
    options,
    units,
    placements: findings,
    differences,
    absent: lacks,
    faults: faults.blasts,
    containment: faults.containments,
  }
  console.log(JSON.stringify(data, undefined, 1))
}

function print(
  findings: readonly PlaceFinding[],
  found: PlaceStudy,
  plan: PlacePlan,
  faults: FaultStudy,
  withLedger: boolean,
): void {
  if (findings.length > 0) {
    console.log(`\n${placeTable(findings)}\n`)
    console.log(
      chalk.dim('Latency in µs; busy harts, whoever they work for; lines that run privileged over the guest.'),
    )
    if (findings.some(({ crowds }) => crowds.length > 0)) console.log(`\n${crowdTable(findings)}`)
  }
  if (faults.blasts.length > 0) console.log(`\n${blastTable(faults.blasts)}`)
  if (faults.containments.length > 0) console.log(`\n${containmentTable(faults.containments)}`)
  for (const { placement, why } of faults.lacks)
    console.error(`barehart: ${placementNamed(placement).label}, faults: ${why}`)
  for (const { placement, guests, why } of found.lacks)
    console.error(`barehart: ${placementNamed(placement).label}, ${guests} guest${guests === 1 ? '' : 's'}: ${why}`)
  const differences = placeDifferences(found, plan)
  if (differences !== '') console.log(`\n${differences}`)
  if (withLedger) printLedgers(findings)
}

function printLedgers(findings: readonly PlaceFinding[]): void {
  for (const { placement, ledger, traceHash } of findings) {
    console.log(`\n${chalk.bold(placementNamed(placement).label)}: cycles of an operation, trace ${traceHash}`)
    for (const { party, cause, activity, cycles } of ledger)
      console.log(`  ${cycles.toFixed(1).padStart(12)}  ${party.padEnd(14)} ${activity.padEnd(12)} ${cause}`)
  }
}
