/** Everything that a report needs beyond its study: reruns with other prices, recordings, consolidation; with progress. */
import { ALL_WORKLOADS, WORKLOADS, workloadNamed } from '../../guests/index.ts'
import { rocketFlat } from '../../hw/index.ts'
import { readCalibration } from '../calibrate/store.ts'
import { coreFlags, modelName } from '../core-options.ts'
import { Progress } from '../progress.ts'
import { claimsOf, ordersOf } from '../study/conclusions.ts'
import { type Configuration, configurationNamed, hartsNeeded } from '../study/configurations.ts'
import { consolidation, type Consolidation, MOST_GUESTS } from '../study/consolidation.ts'
import { LINUX_BOOT, LINUX_BOOT_DOES } from '../study/linux-boot.ts'
import { priceList } from '../study/price-list.ts'
import { followUp, measurementsFor, sensitivity, withFollowUp } from '../study/sensitivity.ts'
import type { Study, StudyPlan } from '../study/study.ts'
import { hashOfPrices, writeReport } from './index.ts'
import { record, type Recording } from './recording.ts'
import type { ReportData } from './report-data.ts'

export interface ReportPlan {
  readonly directory: string
  /** What was typed. */
  readonly command: string
  readonly date: string
  /** How often all prices are drawn together to try the conclusions; 0: they are not tried. */
  readonly draws: number
  /** Whether guests are put side by side until the machine is full. */
  readonly consolidation: boolean
}

/** Cycles of each timeline. */
const WINDOW = 300_000

/** Makes it; returns the page's path, and what failed, one line each. */
export async function makeReport(
  study: Study,
  plan: StudyPlan,
  report: ReportPlan,
): Promise<{ readonly page: string; readonly failures: readonly string[] }> {
  const { prices = rocketFlat, pathLength = 1, harts } = plan.conditions
  const failures: string[] = []
  const tried = report.draws > 0 ? await tryConclusions(study, plan, report.draws, failures) : undefined
  const recordings = await recordAll(plan, failures)
  const crowds = report.consolidation ? await consolidateAll(plan.configurations, failures) : undefined
  const calibration = readCalibration()
  const options = [
    ...(pathLength === 1 ? [] : [`--path-length ${pathLength}`]),
    ...coreFlags(prices.core, modelName(prices)),
  ]
  const page = writeReport(report.directory, {
    command: report.command,
    date: report.date,
    pricesHash: hashOfPrices(priceList(prices)),
    seeds: plan.seeds,
    harts,
    pathLength,
    options,
    study,
    does: { ...Object.fromEntries(ALL_WORKLOADS.map(({ name, does }) => [name, does])), [LINUX_BOOT]: LINUX_BOOT_DOES },
    recordings,
    ...(tried && { sensitivity: tried }),
    ...(crowds && { consolidation: crowds }),
    ...(calibration && { calibration }),
  })
  return { page, failures }
}

async function tryConclusions(
  { comparisons }: Study,
  plan: StudyPlan,
  draws: number,
  failures: string[],
): Promise<ReportData['sensitivity']> {
  const { workloads, configurations, conditions } = plan
  const { prices = rocketFlat, pathLength = 1 } = conditions
  const claims = claimsOf(comparisons)
  if (claims.length === 0) return undefined
  const reruns = { claims, draws, singly: false, conditions }
  const progress = new Progress(measurementsFor(reruns).length)
  const found = await sensitivity(reruns, progress)
  progress.end()
  const next = followUp(reruns, found.conclusions)
  const further = new Progress(measurementsFor(next).length)
  const followed = await sensitivity(next, further)
  further.end()
  failures.push(...found.failures, ...followed.failures)
  const flags = [
    ...coreFlags(prices.core, modelName(prices)),
    ...(pathLength === 1 ? [] : [`--path-length ${pathLength}`]),
  ]
  const conclusions = withFollowUp(found.conclusions, followed.conclusions)
  return {
    command: [
      `npx barehart sensitivity ${workloads.join(' ')} --configurations ${configurations.join(',')}`,
      `--draws ${draws} --jointly`,
      ...(conditions.harts === hartsNeeded(configurations) ? [] : [`--harts ${conditions.harts}`]),
      ...flags,
    ].join(' '),
    orders: ordersOf(comparisons, conclusions),
    conclusions,
    draws,
  }
}

/** Of the small set: what it does in its first moments. */
async function recordAll({ workloads, configurations, seeds, conditions }: StudyPlan, failures: string[]) {
  const chosen = workloads.flatMap(name => {
    const found = workloadNamed(name)
    return found && (WORKLOADS.includes(found) || workloads.length <= WORKLOADS.length) ? [found] : []
  })
  const recordings: Recording[] = []
  const progress = new Progress(chosen.length * configurations.length)
  for (const workload of chosen) {
    for (const configuration of configurations) {
      const name = `timeline of ${workload.name} (${configuration})`
      progress.begin(name)
      try {
        recordings.push(await record(workload, configuration, { ...conditions, seed: seeds[0] ?? 0 }, WINDOW))
      } catch (error) {
        failures.push((error as Error).message)
      }
      progress.finish(name)
    }
  }
  progress.end()
  return recordings
}

/** Of all configurations that several guests can share. */
async function consolidateAll(configurations: readonly Configuration[], failures: string[]) {
  const found: Consolidation[] = []
  const shared = configurations.filter(name => configurationNamed(name).vmm !== 'none')
  const progress = new Progress(shared.length)
  for (const configuration of shared) {
    const name = `consolidation (${configuration})`
    progress.begin(name)
    try {
      found.push(await consolidation(configuration, MOST_GUESTS, () => {}))
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message}`)
    }
    progress.finish(name)
  }
  progress.end()
  return found
}
