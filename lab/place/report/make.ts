/** Records what the report shows beside the findings, and writes it. */
import { coreFlags, modelName } from '../../core-options.ts'
import { Progress } from '../../progress.ts'
import { hashOfPrices } from '../../report/index.ts'
import { priceList } from '../../study/price-list.ts'
import type { FaultStudy } from '../faults/study.ts'
import type { PlaceFinding } from '../findings.ts'
import { recordPath, type RequestPath } from '../path.ts'
import { placementNamed } from '../placements.ts'
import type { PlacePlan, PlaceStudy } from '../study.ts'
import { placeWorkload } from '../workloads.ts'
import { writePlaceReport } from './index.ts'

export interface PlaceReportPlan {
  readonly directory: string
  /** What was typed. */
  readonly command: string
  readonly date: string
}

/** Returns the page's path. */
export function makePlaceReport(
  findings: readonly PlaceFinding[],
  found: PlaceStudy,
  faults: FaultStudy,
  plan: PlacePlan,
  { directory, command, date }: PlaceReportPlan,
): string {
  const { workload: name, device, prices, harts, seeds } = plan
  const workload = placeWorkload(name, device)
  const lacks = [
    ...found.lacks.map(({ placement, guests, why }) => `${placementNamed(placement).label}, ${guests} guests: ${why}`),
    ...faults.lacks.map(({ placement, why }) => `${placementNamed(placement).label}, faults: ${why}`),
  ]
  return writePlaceReport(directory, {
    command,
    date,
    pricesHash: hashOfPrices(priceList(prices)),
    core: prices.core,
    model: modelName(prices),
    workload: name,
    does: workload.does,
    device,
    harts,
    seeds,
    options: optionsOf(plan),
    findings,
    differences: found.differences,
    paths: pathsOf(found, plan),
    blasts: faults.blasts,
    containments: faults.containments,
    lacks,
  })
}

/** Of each placement, with as many guests as stand first. */
function pathsOf({ points }: PlaceStudy, plan: PlacePlan): readonly RequestPath[] {
  const { workload, device, guests, ...rest } = plan
  const own = points.filter(point => point.guests === guests[0])
  const progress = new Progress(own.length)
  const paths = own.map(({ placement, typical }) => {
    const what = `the way of a request, ${placement}`
    progress.begin(what)
    const conditions = { ...rest, guests: guests[0], seed: typical.seed }
    const path = recordPath(placeWorkload(workload, device), placement, conditions, typical.typical)
    progress.finish(what)
    return path
  })
  progress.end()
  return paths
}

/** As they are typed, where they are not as unless given. */
function optionsOf({ placements, guests, harts, options, prices, pathLength, seeds }: PlacePlan): readonly string[] {
  return [
    `--placements ${placements.join(',')}`,
    ...(seeds.length > 1 ? [`--seeds ${seeds.length}`] : [`--seed ${seeds[0]}`]),
    ...(guests.length === 1 && guests[0] === 1 ? [] : [`--guests ${guests.join(',')}`]),
    ...(harts === 1 ? [] : [`--harts ${harts}`]),
    ...Object.entries(options).map(([option, value]) => `--${option} ${value}`),
    ...(pathLength === 1 ? [] : [`--path-length ${pathLength}`]),
    ...coreFlags(prices.core, modelName(prices)),
  ]
}
