/** Faults of a driver: what each does, and what decides one of them. */
import type { Device } from '../workloads.ts'
import { type HardwareKind, isHardware } from './hardware.ts'

interface Described {
  /** In one line. */
  readonly does: string
  /** What `value` and `data` of a strike are: an address of the machine, the offset of a register and what is written, or nothing. */
  readonly takes: 'address' | 'register' | 'nothing'
}

const TABLE = {
  'wild DMA': { does: 'a buffer handed to the device lies where it should not', takes: 'address' },
  'wrong register': { does: "a write to another of the device's registers", takes: 'register' },
  'interrupt storm': { does: 'interrupts are not acknowledged any more', takes: 'nothing' },
  'lost interrupt': { does: 'the interrupt is masked and forgotten', takes: 'nothing' },
  hang: { does: 'a loop without an end: nothing is answered, and the time is gone', takes: 'nothing' },
  crash: { does: 'a store through a wild pointer', takes: 'address' },
  'corrupted completion': { does: 'a request is said to be done that is not', takes: 'nothing' },
  leak: { does: 'what is done is not freed any more', takes: 'nothing' },
} as const satisfies Record<string, Described>

export type FaultKind = keyof typeof TABLE
export const FAULT_KINDS: readonly FaultKind[] = Object.keys(TABLE) as FaultKind[]

export function faultNamed(kind: FaultKind): Described {
  return TABLE[kind]
}

/** One fault: strikes when the driver is given its `at`th request (from 1). */
export interface Strike {
  readonly kind: FaultKind | HardwareKind
  readonly at: number
  readonly value: number
  readonly data: number
}

/** The registers that a wrong write may reach: of the controller, or of the card. */
const REGISTER_BYTES: Readonly<Record<Device, number>> = { nvme: 0x1010, nic: 0x6000 }

/** Of the disk, that its user uses. */
const BLOCKS = 8

/** Where wild addresses lie: all of RAM, and what is around it. */
export interface Reach {
  readonly from: number
  readonly bytes: number
}

/** A strike of this kind by dice: `next` gives a number from 0 to below its argument. */
export function randomStrike(
  kind: FaultKind | HardwareKind,
  device: Device,
  reach: Reach,
  given: { readonly before: number; readonly requests: number },
  next: (below: number) => number,
): Strike {
  const takes = isHardware(kind) ? 'block' : TABLE[kind].takes
  const value =
    takes === 'address'
      ? reach.from + next(Math.floor(reach.bytes / 8)) * 8
      : takes === 'register'
        ? next(REGISTER_BYTES[device] / 4) * 4
        : takes === 'block'
          ? next(BLOCKS)
          : 0
  return { kind, at: given.before + 1 + next(given.requests), value, data: next(2 ** 32) }
}
