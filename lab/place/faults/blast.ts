/** Whom the faults of a driver reach in a placement: what all trials come to, kind by kind. */
import { placementNamed, type PlacementName } from '../placements.ts'
import { isHardware } from './hardware.ts'
import type { Strike } from './kinds.ts'
import type { FaultTrial } from './trials.ts'

/**
 * Who is there when a fault strikes, from the driver outwards. Other users share the driver with its user; other guests
 * do not. All of the machine: nobody gets any further.
 */
export const BYSTANDERS = ['driver', 'its user', 'other users', 'other guests', 'whole machine'] as const
export type Bystander = (typeof BYSTANDERS)[number]

export interface BlastOfKind {
  readonly kind: Strike['kind']
  readonly struck: number
  /** How many faults reached each of them. */
  readonly reached: Readonly<Partial<Record<Bystander, number>>>
  /** After so many all users of the driver came to their ends: nothing was lasting, or the driver began anew. */
  readonly recovered: number
  /** The longest that those waited who came to their ends: µs beyond the run without a fault. */
  readonly longestRecovery: number
  /** Blocks or frames with wrong content that were passed for good. */
  readonly lost: number
}

/** What those that have nothing to do with a driver have seen of its faults. */
export interface Containment {
  readonly placement: PlacementName
  /** While they were at work. */
  readonly struck: number
  /** Faults of which they saw anything. */
  readonly escapes: readonly Pick<FaultTrial, 'seed' | 'strike' | 'reached'>[]
  /** The longest that a bystander waited for what it does next, beyond the run without a fault: µs. */
  readonly disturbance: number
  /** Requests of devices that the IOMMU refused. */
  readonly refused: number
}

export interface Blast extends Containment {
  readonly kinds: readonly BlastOfKind[]
  /** Who has been reached by any of the driver's. */
  readonly radius: readonly Bystander[]
  /** It claims that no fault reaches other guests. */
  readonly contains: boolean
}

/** The witness that has nothing to do with any device. */
const BYSTANDER = 2

const OUTSIDE: ReadonlySet<Bystander> = new Set(['other guests', 'whole machine'])

export function blastOf(placement: PlacementName, trials: readonly FaultTrial[], cyclesPerMicrosecond: number): Blast {
  const { contains = false } = placementNamed(placement)
  const struck = trials.filter(trial => trial.struck)
  const containment = containmentOf(placement, trials, cyclesPerMicrosecond)
  return {
    ...containment,
    // Where none is claimed, nothing escapes.
    escapes: contains ? containment.escapes : [],
    kinds: [...new Set(struck.map(({ strike }) => strike.kind))].flatMap(kind => {
      const own = struck.filter(({ strike }) => strike.kind === kind)
      return own.length === 0 ? [] : [ofKind(kind, own, cyclesPerMicrosecond)]
    }),
    radius: BYSTANDERS.filter(bystander =>
      struck.some(({ strike, reached }) => !isHardware(strike.kind) && reached.includes(bystander)),
    ),
    contains,
  }
}

export function containmentOf(
  placement: PlacementName,
  trials: readonly FaultTrial[],
  cyclesPerMicrosecond: number,
): Containment {
  const struck = trials.filter(trial => trial.struck)
  return {
    placement,
    struck: struck.length,
    escapes: trials.flatMap(({ seed, strike, reached }) => {
      const outside = reached.filter(who => OUTSIDE.has(who))
      return outside.length > 0 ? [{ seed, strike, reached: outside }] : []
    }),
    disturbance: struck.reduce((most, { stalls }) => Math.max(most, stalls[BYSTANDER] ?? 0), 0) / cyclesPerMicrosecond,
    refused: trials.reduce((sum, { refused }) => sum + refused, 0),
  }
}

function ofKind(kind: Strike['kind'], trials: readonly FaultTrial[], cyclesPerMicrosecond: number): BlastOfKind {
  const count = (who: Bystander) => trials.filter(({ reached }) => reached.includes(who)).length
  const recovered = trials.filter(trial => trial.recovered)
  return {
    kind,
    struck: trials.length,
    reached: Object.fromEntries(BYSTANDERS.map(who => [who, count(who)] as const).filter(([, times]) => times > 0)),
    recovered: recovered.length,
    longestRecovery: Math.max(0, ...recovered.map(({ stalls }) => Math.max(...stalls))) / cyclesPerMicrosecond,
    lost: trials.reduce((sum, { lost }) => sum + lost, 0),
  }
}
