/** The study: a workload in every placement, by guests and seeds; what each placement comes to, and how they differ. */
import { availableParallelism } from 'node:os'
import type { Prices } from '../../hw/index.ts'
import { type Estimate, estimate } from '../study/statistics.ts'
import type { Watcher } from '../study/measure-all.ts'
import { inThread } from '../study/worker.ts'
import type { DriverOptions, PlaceConditions } from './machine.ts'
import { measurePlacement, type Sample } from './measure.ts'
import type { PlacementName } from './placements.ts'
import { type Device, placeWorkload } from './workloads.ts'

export interface PlacePlan {
  readonly workload: string
  readonly device: Device
  readonly placements: readonly PlacementName[]
  readonly seeds: readonly number[]
  /** How many on one device: one or more numbers; the first is what placements are compared with. */
  readonly guests: readonly number[]
  readonly harts: number
  readonly options: DriverOptions
  readonly prices: Prices
  readonly pathLength: number
}

export interface PlaceTask {
  readonly workload: string
  readonly device: Device
  readonly placement: PlacementName
  readonly conditions: PlaceConditions
}

/** A sample, or in one line why there is none. */
export type PlaceOutcome = Sample | string

/** A placement that is not to be had, or did not come to its end, and why. */
export interface Lack {
  readonly placement: PlacementName
  readonly guests: number
  readonly why: string
}

/** What a placement comes to with so many guests, over all seeds. */
export interface Point {
  readonly placement: PlacementName
  readonly guests: number
  /** Of the seed whose cycles per operation are nearest to the median: all its numbers belong together. */
  readonly typical: Sample
  readonly throughput: Estimate
  readonly latency: Estimate
  readonly cyclesPerOperation: Estimate
}

export const QUANTITIES = ['throughput', 'latency', 'cyclesPerOperation'] as const
export type Quantity = (typeof QUANTITIES)[number]

/** What `b` has beyond `a`, paired seed by seed: per cent of `a`'s. */
export interface PlaceDifference extends Estimate {
  readonly a: PlacementName
  readonly b: PlacementName
  readonly quantity: Quantity
  /** The interval includes zero: no difference is shown. */
  readonly undecided: boolean
  readonly pairs: number
}

export interface PlaceStudy {
  readonly samples: readonly Sample[]
  /** By number of guests, then placement. */
  readonly points: readonly Point[]
  /** With as many guests as stand first. */
  readonly differences: readonly PlaceDifference[]
  readonly lacks: readonly Lack[]
}

const MOST_THREADS = 2

/** Measures one; never throws. */
export async function attempt({ workload, device, placement, conditions }: PlaceTask): Promise<PlaceOutcome> {
  try {
    return await measurePlacement(placeWorkload(workload, device), placement, conditions)
  } catch (error) {
    return (error as Error).message
  }
}

function tasksOf({ workload, device, placements, seeds, guests, ...rest }: PlacePlan): readonly PlaceTask[] {
  return seeds.flatMap(seed =>
    guests.flatMap(count =>
      placements.map(placement => ({
        workload,
        device,
        placement,
        conditions: { ...rest, guests: count, seed },
      })),
    ),
  )
}

/** Measures all of it. What failed with one seed is not tried with another. */
export async function placeStudy(plan: PlacePlan, watcher: Watcher): Promise<PlaceStudy> {
  const samples: Sample[] = []
  const lacks = new Map<string, Lack>()
  const waiting = [...tasksOf(plan)]
  const work = async (perform: (task: PlaceTask) => Promise<PlaceOutcome>) => {
    for (let task = waiting.shift(); task; task = waiting.shift()) {
      const { placement, conditions } = task
      const name = `${placement}, ${conditions.guests} guests, seed ${conditions.seed}`
      watcher.begin(name)
      const key = `${placement} ${conditions.guests}`
      const outcome = lacks.has(key) ? undefined : await perform(task)
      if (typeof outcome === 'string') lacks.set(key, { placement, guests: conditions.guests, why: outcome })
      else if (outcome) samples.push(outcome)
      watcher.finish(name)
    }
  }
  const threads = Math.min(MOST_THREADS, availableParallelism(), waiting.length)
  if (threads < 2) await work(attempt)
  else {
    const script = new URL('./thread.ts', import.meta.url)
    await Promise.all(Array.from({ length: threads }, () => inThread(script, work)))
  }
  return concluded(samples, [...lacks.values()], plan)
}

/** What the samples say; those with any seed missing in either of two are compared by the seeds that both have. */
export function concluded(
  samples: readonly Sample[],
  lacks: readonly Lack[],
  { placements, guests, seeds }: Pick<PlacePlan, 'placements' | 'guests' | 'seeds'>,
): PlaceStudy {
  const ordered = guests.flatMap(count =>
    placements.flatMap(placement =>
      seeds.flatMap(
        seed => samples.find(one => one.guests === count && one.placement === placement && one.seed === seed) ?? [],
      ),
    ),
  )
  const of = (placement: PlacementName, count: number) =>
    ordered.filter(sample => sample.placement === placement && sample.guests === count)
  const points = guests.flatMap(count =>
    placements.flatMap(placement => {
      const own = of(placement, count)
      return own.length === 0 ? [] : [pointOf(own)]
    }),
  )
  const [first] = guests
  const there = placements.filter(placement => of(placement, first).length > 0)
  const differences = there.flatMap((a, index) =>
    there
      .slice(index + 1)
      .flatMap(b => QUANTITIES.flatMap(quantity => differenceOf(of(a, first), of(b, first), quantity) ?? [])),
  )
  return { samples: ordered, points, differences, lacks }
}

export function valueOf(sample: Sample, quantity: Quantity): number {
  return quantity === 'latency' ? sample.latency.median : sample[quantity]
}

function pointOf(samples: readonly Sample[]): Point {
  const [{ placement, guests }] = samples
  const of = (quantity: Quantity) => estimate(samples.map(sample => valueOf(sample, quantity)))
  const cyclesPerOperation = of('cyclesPerOperation')
  const distance = (sample: Sample) => Math.abs(sample.cyclesPerOperation - cyclesPerOperation.median)
  const typical = samples.reduce((best, sample) => (distance(sample) < distance(best) ? sample : best))
  return { placement, guests, typical, throughput: of('throughput'), latency: of('latency'), cyclesPerOperation }
}

function differenceOf(ofA: readonly Sample[], ofB: readonly Sample[], quantity: Quantity): PlaceDifference | undefined {
  const more = ofA.flatMap(a => {
    const b = ofB.find(({ seed }) => seed === a.seed)
    return b ? [100 * (valueOf(b, quantity) / valueOf(a, quantity) - 1)] : []
  })
  if (more.length === 0) return undefined
  const found = estimate(more)
  return {
    a: ofA[0].placement,
    b: ofB[0].placement,
    quantity,
    ...found,
    undecided: found.low <= 0 && found.high >= 0,
    pairs: more.length,
  }
}
