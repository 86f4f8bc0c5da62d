/** What the study found, placement by placement, as data. */
import type { Party } from '../../hw/spec/ledger.ts'
import type { Estimate } from '../study/statistics.ts'
import type { Latency } from './latency.ts'
import type { PlaceRow } from './measure.ts'
import { placementNamed, type PlacementName } from './placements.ts'
import type { PlacePlan, PlaceStudy, Point } from './study.ts'
import { trustedLines } from './trusted.ts'
import type { Blast } from './faults/blast.ts'

/** With so many guests on one device. */
export interface Crowd {
  readonly guests: number
  /** Of all of them, and of each: operations a second. */
  readonly throughput: number
  readonly each: number
  readonly latency: Latency
  readonly cyclesPerOperation: number
  readonly shares: Readonly<Partial<Record<Party, number>>>
}

export interface PlaceFinding extends Omit<Crowd, 'each'> {
  readonly placement: PlacementName
  readonly does: string
  /** Cycles of an operation by row; rows of the party idle are not busy. */
  readonly ledger: readonly PlaceRow[]
  /** Lines of code that run privileged over the guest. */
  readonly trustedLines: number
  /** Who has been seen to die, or to be served wrong, of a fault of the driver. */
  readonly blastRadius: readonly string[]
  /** It claims that the driver's faults reach nobody but those that use it. */
  readonly contains: boolean
  /** Medians over the seeds with 95 % intervals; of latency, of its median. */
  readonly intervals: Readonly<Record<'throughput' | 'latency' | 'cyclesPerOperation', Estimate>>
  /** With other numbers of guests. */
  readonly crowds: readonly Crowd[]
  readonly seed: number
  readonly configurationHash: string
  readonly traceHash: string
}

/** `blasts`: what the fault study found, if there was one. */
export function findingsOf(
  { points }: PlaceStudy,
  { placements, guests, device }: PlacePlan,
  blasts: readonly Blast[],
): readonly PlaceFinding[] {
  const [first] = guests
  return placements.flatMap(placement => {
    const point = points.find(one => one.placement === placement && one.guests === first)
    if (!point) return []
    const others = points.filter(one => one.placement === placement && one.guests !== first)
    return [finding(point, others, trustedLines(placement, device), blasts)]
  })
}

function finding(point: Point, others: readonly Point[], lines: number, blasts: readonly Blast[]): PlaceFinding {
  const { placement, typical, throughput, latency, cyclesPerOperation } = point
  const { does, contains = false } = placementNamed(placement)
  const { seed, configurationHash, traceHash, ledger } = typical
  const { each: _each, ...crowd } = crowdOf(point)
  return {
    placement,
    does,
    ...crowd,
    ledger,
    trustedLines: lines,
    blastRadius: blasts.find(blast => blast.placement === placement)?.radius ?? [],
    contains,
    intervals: { throughput, latency, cyclesPerOperation },
    crowds: others.map(crowdOf),
    seed,
    configurationHash,
    traceHash,
  }
}

function crowdOf({ guests, typical }: Point): Crowd {
  const { throughput, latency, cyclesPerOperation, shares } = typical
  return { guests, throughput, each: throughput / guests, latency, cyclesPerOperation, shares }
}
