/** Faults of a driver: what each does, and what decides one of them. */
import { PAGE_BYTES } from '../../../hw/spec/address.ts'
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
  /** Before anything goes on from where faults are tried, the hart stands still for so many cycles, while devices and time do not. */
  readonly pause: number
}

/** The registers that a wrong write may reach: of the controller, or of the card. */
const REGISTER_BYTES: Readonly<Record<Device, number>> = { nvme: 0x1010, nic: 0x6000 }

/** Of the disk, that its user uses. */
const BLOCKS = 8

/** Where wild addresses lie. */
interface Reach {
  readonly from: number
  readonly bytes: number
}

/** What strikes are drawn from. */
export interface Grounds {
  readonly device: Device
  readonly kinds: readonly Strike['kind'][]
  /** Pages in use. */
  readonly pages: readonly number[]
  /** Requests that the driver was given before, and so many that may be struck. */
  readonly before: number
  readonly requests: number
}

/** A millisecond: what the hart does next falls somewhere else in its VMM's slices, and beside the devices. */
const LONGEST_PAUSE = 1_000_000

/** Of wild addresses, so many in 4 are aimed at memory that is in use. */
const AIMED = 3
const EVERYWHERE: Reach = { from: 0x7000_0000, bytes: 0x2000_0000 }

/** The strike of a seed: seeds that follow each other are of the kinds in turn. */
export function strikeOf(seed: number, { device, kinds, pages, before, requests }: Grounds): Strike {
  const next = dice(seed)
  const kind = kinds[seed % kinds.length]
  const reach = next(4) < AIMED ? { from: pages[next(pages.length)], bytes: PAGE_BYTES } : EVERYWHERE
  const takes = isHardware(kind) ? 'block' : TABLE[kind].takes
  const value =
    takes === 'address'
      ? reach.from + next(Math.floor(reach.bytes / 8)) * 8
      : takes === 'register'
        ? next(REGISTER_BYTES[device] / 4) * 4
        : takes === 'block'
          ? next(BLOCKS)
          : 0
  return { kind, at: before + 1 + next(requests), value, data: next(2 ** 32), pause: next(LONGEST_PAUSE) }
}

/** Numbers by a seed, each below the argument: xorshift of 32 bits. */
function dice(seed: number): (below: number) => number {
  let state = Math.imul(seed + 1, 0x9e37_79b1) | 1
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return Math.floor(((state >>> 0) / 2 ** 32) * below)
  }
}
