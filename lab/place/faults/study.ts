/** The fault study: the same faults of the same driver, in every placement. */
import { availableParallelism } from 'node:os'
import type { Watcher } from '../../study/measure-all.ts'
import { inThread } from '../../study/worker.ts'
import type { PlacementName } from '../placements.ts'
import type { Device } from '../workloads.ts'
import { type Blast, blastOf } from './blast.ts'
import { faultTrials } from './trials.ts'

/** What is tried in a placement. */
export interface FaultTask {
  readonly placement: PlacementName
  readonly device: Device
  readonly runs: number
  readonly seed: number
}

/** What came of it, or in one line why nothing did. */
export type FaultOutcome = Blast | string

export interface FaultStudy {
  readonly blasts: readonly Blast[]
  /** Placements that could not be tried, and why. */
  readonly lacks: readonly { readonly placement: PlacementName; readonly why: string }[]
}

const MOST_THREADS = 2
/** Cycles a microsecond, of all boards. */
const FREQUENCY = 1000

/** Tries one; never throws. */
export async function attemptFaults({ placement, ...rest }: FaultTask): Promise<FaultOutcome> {
  try {
    return blastOf(placement, await faultTrials({ placement, ...rest }), FREQUENCY)
  } catch (error) {
    return (error as Error).message
  }
}

/** Tries them all, two placements at a time. */
export async function faultStudy(
  placements: readonly PlacementName[],
  { device, runs, seed }: Omit<FaultTask, 'placement'>,
  watcher: Watcher,
): Promise<FaultStudy> {
  const outcomes = new Map<PlacementName, FaultOutcome>()
  const waiting = [...placements]
  const work = async (perform: (task: FaultTask) => Promise<FaultOutcome>) => {
    for (let placement = waiting.shift(); placement; placement = waiting.shift()) {
      const name = `${runs} faults of the driver, ${placement}`
      watcher.begin(name)
      outcomes.set(placement, await perform({ placement, device, runs, seed }))
      watcher.finish(name)
    }
  }
  const threads = Math.min(MOST_THREADS, availableParallelism(), placements.length)
  if (threads < 2) await work(attemptFaults)
  else {
    const script = new URL('./thread.ts', import.meta.url)
    await Promise.all(Array.from({ length: threads }, () => inThread(script, work)))
  }
  const found = placements.flatMap(placement => {
    const outcome = outcomes.get(placement)
    return outcome === undefined ? [] : [{ placement, outcome }]
  })
  return {
    blasts: found.flatMap(({ outcome }) => (typeof outcome === 'string' ? [] : [outcome])),
    lacks: found.flatMap(({ placement, outcome }) =>
      typeof outcome === 'string' ? [{ placement, why: outcome }] : [],
    ),
  }
}
