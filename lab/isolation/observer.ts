/** Who watches a run: told of each exit and what follows, in the machine itself, by listeners that change nothing. */
import type { Tlb } from '../../hw/memory/tlb.ts'
import type { Arena } from './arena.ts'
import type { Sighting } from './finding.ts'
import type { Scenario } from './scenario.ts'

/** A vCPU that runs on a hart, and why it left. */
export interface Exit {
  readonly hart: number
  /** The mode that it left: hw/hart/state.ts. */
  readonly from: number
  /** Cause; negative for interrupts. */
  readonly code: number
  readonly guest: number
  readonly vcpu: number
}

export interface Observer {
  /** It is told of driver domains too, which have the numbers behind the guests'. */
  readonly domains?: boolean
  /** What was seen first, if anything. */
  readonly sighting: Sighting | undefined
  begin(arena: Arena, scenario: Scenario): void
  /** The hart has just left the guest; its registers are still the guest's. */
  left?(exit: Exit): void
  /** The hart is back in a guest: its registers are the guest's. */
  resumed?(hart: number, guest: number, vcpu: number): void
  /** Somebody has written to memory, but for instructions' own fast ways. */
  written?(host: number, bytes: number): void
  /** A translation has come into a hart's first-level TLB. */
  translated?(hart: number, tlb: Tlb, at: number): void
  /** A device reaches for memory, by its requester number: before it does, where the machine has it. */
  mastered?(requester: number, host: number, bytes: number, write: boolean): void
  /** What a device has just read, or written, at an address of its own. */
  transferred?(requester: number, address: number, data: Uint8Array, write: boolean): void
  /** A register of a chip has been written to. */
  accessed?(address: number): void
  end?(): void
}

/** No guest: the firmware's or the VMM's own. */
export const NOBODY = -1
