/** Random faults of a driver and of its device in one placement, the kinds in turn, each on the same machine from the same moment, and whom each reached. */
import { PAGE_BYTES } from '../../../hw/spec/address.ts'
import { plant, planted } from '../../planting/planting.ts'
import { placementNamed, type PlacementName } from '../placements.ts'
import type { Device } from '../workloads.ts'
import type { Bystander } from './blast.ts'
import { hardwareKinds } from './hardware.ts'
import { FAULT_KINDS, type Reach, randomStrike, type Strike } from './kinds.ts'
import { PLANS } from './plans.ts'
import { type Patience, Rig, type Trial, type Witnessed } from './rig.ts'
import { trigger } from './trigger.ts'
import type { World } from './world.ts'

/** One fault, and what it did against the run without. */
export interface FaultTrial {
  readonly strike: Strike
  readonly struck: boolean
  readonly halted: string | undefined
  /** Who died, was given wrong data, or never came to an end. */
  readonly reached: readonly Bystander[]
  /** Of each witness: cycles for which it waited longer than without the fault. */
  readonly stalls: readonly number[]
  /** Blocks or frames with wrong content that were passed for good, of all witnesses. */
  readonly lost: number
  /** All that use the driver came to their ends: it is as before, or was made so again. */
  readonly recovered: boolean
  /** Requests of devices that the IOMMU refused. */
  readonly refused: number
}

export interface TrialPlan {
  readonly placement: PlacementName
  readonly device: Device
  readonly runs: number
  readonly seed: number
}

/**
 * Drivers look after what has become of requests within half a second; who spins for so long as this, never stops. A
 * guest that polls shares its hart with the others by long slices: they need longer to come to their ends beside it.
 */
function patienceWith(placement: PlacementName): Patience {
  const polled = placementNamed(placement).at?.interrupts === 'polled'
  return { cycles: 2_500_000_000, busy: polled ? 60_000_000 : 12_000_000 }
}

/** Of wild addresses, so many in 4 are aimed at memory that is in use. */
const AIMED = 3
const RAM = 0x8000_0000

/** Numbers by a seed: xorshift of 32 bits. */
export function dice(seed: number): (below: number) => number {
  let state = Math.imul(seed + 1, 0x9e37_79b1) | 1
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return Math.floor(((state >>> 0) / 2 ** 32) * below)
  }
}

/** A new machine, its drivers planted. */
async function newRig(placement: PlacementName, device: Device): Promise<Rig> {
  const { name, substitutions } = PLANS[device]
  trigger()
  plant(name, substitutions)
  const { faultWorld } = await planted<typeof import('./world.ts')>(name, new URL('./world.ts', import.meta.url))
  return new Rig(faultWorld(placement, device))
}

/** Pages that anybody has touched, by physical address. */
function pagesInUse({ system, ramBytes }: World): readonly number[] {
  const { memory } = system.machine
  const host = memory.toHost(RAM)
  return Array.from({ length: ramBytes / PAGE_BYTES }, (_, page) => page * PAGE_BYTES).flatMap(offset =>
    memory.touched[(host + offset) / PAGE_BYTES] === 0 ? [] : [RAM + offset],
  )
}

/** Tries so many. */
export async function faultTrials(plan: TrialPlan): Promise<readonly FaultTrial[]> {
  const { placement, device, runs, seed } = plan
  const patience = patienceWith(placement)
  let rig = await newRig(placement, device)
  const reference = rig.try(undefined, patience)
  if (reference.witnesses.some(({ ended, good }) => !ended || good === 0))
    throw new Error('without any fault, not all guests come to their ends')
  const pages = pagesInUse(rig.world)
  // One of those that the driver is given; not the last ones, so that there is somebody to see what comes of it.
  const requests = Math.max(1, Math.floor(((trigger().seen - rig.before) * 3) / 4))
  const everywhere: Reach = { from: 0x7000_0000, bytes: 0x2000_0000 }
  const next = dice(seed)
  const kinds = [...FAULT_KINDS, ...hardwareKinds(device)]
  const trials: FaultTrial[] = []
  for (let run = 0; run < runs; run++) {
    const aimed = next(4) < AIMED
    const reach = aimed ? { from: pages[next(pages.length)], bytes: PAGE_BYTES } : everywhere
    const strike = randomStrike(kinds[run % kinds.length], device, reach, { before: rig.before, requests }, next)
    const trial = rig.try(strike, patience)
    trials.push(judged(strike, trial, reference, placement))
    // What threw has left the machine in the midst of something.
    if (trial.halted !== undefined) rig = await newRig(placement, device)
  }
  return trials
}

/** What a trial says against the run without a fault. */
export function judged(strike: Strike, trial: Trial, reference: Trial, placement: PlacementName): FaultTrial {
  const { struck, halted, witnesses } = trial
  const harmed = (index: number) => isHarmed(witnesses[index], reference.witnesses[index])
  const alone = witnesses.length === 1
  const own = placementNamed(placement).own !== undefined
  const reached: Bystander[] = []
  const users = witnesses.slice(0, own ? 1 : 2)
  const recovered = users.every(({ ended, crashed }) => ended && !crashed)
  if (!recovered) reached.push('driver')
  if (harmed(0)) reached.push('its user')
  if (!alone && harmed(1)) reached.push(own ? 'other guests' : 'other users')
  if (!alone && harmed(2) && !reached.includes('other guests')) reached.push('other guests')
  if (halted !== undefined || (!alone && witnesses.every(({ ended }) => !ended))) reached.push('whole machine')
  return {
    strike,
    struck,
    halted,
    reached,
    stalls: witnesses.map(({ longest }, index) => Math.max(0, longest - reference.witnesses[index].longest)),
    lost: witnesses.reduce((sum, { wrong }) => sum + wrong, 0),
    recovered,
    refused: trial.refused - reference.refused,
  }
}

/** It has crashed, does not come to its end, or says something else than without the fault. */
function isHarmed(now: Witnessed, before: Witnessed): boolean {
  return now.crashed || now.wrong > 0 || !now.ended || now.code !== before.code
}
