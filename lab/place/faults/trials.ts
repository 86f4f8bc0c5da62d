/** Random faults of a driver or of its device in one placement, each on the same machine from the same moment, and whom each reached. */
import { PAGE_BYTES } from '../../../hw/spec/address.ts'
import { plant, planted } from '../../planting/planting.ts'
import { placementNamed, type PlacementName } from '../placements.ts'
import type { Device } from '../workloads.ts'
import type { Bystander } from './blast.ts'
import { hardwareKinds } from './hardware.ts'
import { FAULT_KINDS, type Strike, strikeOf } from './kinds.ts'
import { PLANS } from './plans.ts'
import { type Patience, Rig, type Trial, type Witnessed } from './rig.ts'
import { trigger } from './trigger.ts'
import type { World } from './world.ts'

/** One fault, and what it did against the run without. */
export interface FaultTrial {
  /** Alone decides the strike, in a placement. */
  readonly seed: number
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
  /** Whose faults: the driver's, or the hardware's. */
  readonly of: 'driver' | 'hardware'
  /** Until when each is looked at: until everybody has come to an end, or those that have nothing to do with the driver. */
  readonly until: 'all' | 'others'
  /** The first fault's; the others follow. */
  readonly seed: number
  readonly runs: number
}

/**
 * Drivers look after what has become of requests within half a second; who spins for so long as this, never stops. A
 * guest that polls shares its hart with the others by long slices: they need longer to come to their ends beside it. A
 * domain that does nothing but spin is found by its VMM after some 0.2 s.
 */
function patienceWith({ placement, until }: TrialPlan, witnesses: number): Patience {
  const { at, own } = placementNamed(placement)
  const everyone = Array.from({ length: witnesses }, (_, index) => index)
  return {
    whom: until === 'all' || witnesses === 1 ? everyone : everyone.slice(own ? 1 : 2),
    cycles: 2_500_000_000,
    silence:
      until === 'all' && at?.at === 'domain' ? 400_000_000 : at?.interrupts === 'polled' ? 50_000_000 : 10_000_000,
  }
}

const RAM = 0x8000_0000

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
  const { placement, device, runs, seed: first } = plan
  let rig = await newRig(placement, device)
  const { length } = rig.world.witnesses
  const unbounded = patienceWith({ ...plan, until: 'all' }, length)
  const reference = rig.undisturbed(unbounded)
  const patience = patienceWith(plan, length)
  if (reference.witnesses.some(({ ended, good }) => !ended || good === 0) || (length > 1 && isUnseen(reference)))
    throw new Error('without any fault, not all guests come to their ends')
  const grounds = {
    device,
    kinds: plan.of === 'driver' ? FAULT_KINDS : hardwareKinds(device),
    pages: pagesInUse(rig.world),
    before: rig.before,
    // One of the first of those that the driver is given, so that there is somebody to see what comes of it.
    requests: Math.max(1, Math.floor((trigger().seen - rig.before) / 2 / rig.world.times)),
  }
  const trials: FaultTrial[] = []
  for (let seed = first; seed < first + runs; seed++) {
    const strike = strikeOf(seed, grounds)
    const trial = rig.try(strike, patience)
    trials.push({ seed, ...judged(strike, trial, reference, plan) })
    // What threw has left the machine in the midst of something.
    if (trial.halted === undefined) continue
    rig = await newRig(placement, device)
    rig.undisturbed(unbounded)
  }
  return trials
}

/** Nobody has looked at the bystander's memory. */
function isUnseen({ witnesses }: Trial): boolean {
  return witnesses.every(({ memory }) => memory === 0)
}

/** What a trial says against the run without a fault. */
export function judged(
  strike: Strike,
  trial: Trial,
  reference: Trial,
  { placement, device }: Pick<TrialPlan, 'placement' | 'device'>,
): Omit<FaultTrial, 'seed'> {
  const { struck, halted, witnesses } = trial
  const harmed = (index: number) => isHarmed(witnesses[index], reference.witnesses[index])
  const alone = witnesses.length === 1
  const own = placementNamed(placement).own !== undefined
  const reached: Bystander[] = []
  const users = witnesses.slice(0, own ? 1 : 2)
  const recovered = users.every(({ ended, crashed }) => ended && !crashed)
  if (!recovered) reached.push('driver')
  if (harmed(0)) reached.push('its user')
  if (!alone && !own && harmed(1)) reached.push('other users')
  const seesOtherwise = (index: number) => seesChange(witnesses[index], reference.witnesses[index], device)
  if (!alone && ((own && seesOtherwise(1)) || seesOtherwise(2))) reached.push('other guests')
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

/** The same of a guest that has nothing to do with the driver, for which nothing at all may be otherwise; frames may take longer, and are then sent again. */
function seesChange(now: Witnessed, before: Witnessed, device: Device): boolean {
  const fails = device === 'nvme' && now.failed !== before.failed
  return isHarmed(now, before) || fails || now.good !== before.good || now.memory !== before.memory
}
