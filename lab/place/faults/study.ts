/** The fault study: the same faults of the same driver, in every placement. */
import { availableParallelism } from 'node:os'
import type { Watcher } from '../../study/measure-all.ts'
import { inThread } from '../../study/worker.ts'
import { placementNamed, type PlacementName } from '../placements.ts'
import { type Blast, blastOf, type Containment, containmentOf } from './blast.ts'
import { type FaultTrial, faultTrials, type TrialPlan } from './trials.ts'

/** What came of it, or in one line why nothing did. */
export type FaultOutcome = readonly FaultTrial[] | string

export interface FaultStudy {
  readonly blasts: readonly Blast[]
  readonly containments: readonly Containment[]
  /** Placements that could not be tried, and why. */
  readonly lacks: readonly { readonly placement: PlacementName; readonly why: string }[]
}

/** How many faults of each sort, and the first one's seed. */
export interface FaultCounts {
  readonly driver: number
  readonly hardware: number
  /** Of the driver, where it is said to be contained, looked at until all others have come to their ends, and no longer. */
  readonly containment: number
  readonly seed: number
}

/** Tries some of a placement's; never throws. */
export async function attemptFaults(plan: TrialPlan): Promise<FaultOutcome> {
  try {
    return await faultTrials(plan)
  } catch (error) {
    return (error as Error).message
  }
}

const MOST_THREADS = 2
/** Cycles a microsecond, of all boards. */
const FREQUENCY = 1000
/** Faults in one task: a machine is booted for each. */
const PIECE = 500

/** What there is to do, in pieces: threads take them in turn. */
export function faultPlans(
  placements: readonly PlacementName[],
  device: TrialPlan['device'],
  { driver, hardware, containment, seed }: FaultCounts,
): readonly TrialPlan[] {
  const pieces = (
    placement: PlacementName,
    of: TrialPlan['of'],
    until: TrialPlan['until'],
    runs: number,
  ): readonly TrialPlan[] =>
    Array.from({ length: Math.ceil(runs / PIECE) }, (_, piece) => ({
      placement,
      device,
      of,
      until,
      seed: seed + piece * PIECE,
      runs: Math.min(PIECE, runs - piece * PIECE),
    }))
  return placements.flatMap(placement => [
    ...pieces(placement, 'driver', 'all', driver),
    ...pieces(placement, 'hardware', 'all', hardware),
    ...pieces(placement, 'driver', 'others', placementNamed(placement).contains ? containment : 0),
  ])
}

/** Tries them all, two pieces at a time. What failed in a placement is not tried there again. */
export async function faultStudy(plans: readonly TrialPlan[], watcher: Watcher): Promise<FaultStudy> {
  const outcomes = new Map<TrialPlan, FaultOutcome>()
  const lacks = new Map<PlacementName, string>()
  const waiting = [...plans]
  const work = async (perform: (plan: TrialPlan) => Promise<FaultOutcome>) => {
    for (let plan = waiting.shift(); plan; plan = waiting.shift()) {
      const { placement, of, seed, runs } = plan
      const name = `${runs} faults of the ${of} from ${seed} on, ${placement}`
      watcher.begin(name)
      const outcome = lacks.get(placement) ?? (await perform(plan))
      if (typeof outcome === 'string') lacks.set(placement, outcome)
      outcomes.set(plan, outcome)
      watcher.finish(name)
    }
  }
  const threads = Math.min(MOST_THREADS, availableParallelism(), plans.length)
  if (threads < 2) await work(attemptFaults)
  else {
    const script = new URL('./thread.ts', import.meta.url)
    await Promise.all(Array.from({ length: threads }, () => inThread(script, work)))
  }
  const placements = [...new Set(plans.map(({ placement }) => placement))].filter(placement => !lacks.has(placement))
  const each = <Found>(until: TrialPlan['until'], found: (placement: PlacementName, trials: FaultTrial[]) => Found) =>
    placements.flatMap(placement => {
      const own = plans.filter(plan => plan.placement === placement && plan.until === until)
      return own.length === 0
        ? []
        : [
            found(
              placement,
              own.flatMap(plan => outcomes.get(plan) as FaultTrial[]),
            ),
          ]
    })
  return {
    blasts: each('all', (placement, trials) => blastOf(placement, trials, FREQUENCY)),
    containments: each('others', (placement, trials) => containmentOf(placement, trials, FREQUENCY)),
    lacks: [...lacks].map(([placement, why]) => ({ placement, why })),
  }
}
