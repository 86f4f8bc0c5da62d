/**
 * A scenario: everything that decides a run, as plain JSON. A machine of the topology is put back to where its guests stand
 * ready, the programs are put into their memory, and it runs.
 */
import type { HostPolicy } from '../../hw/spec/layouts/host-policy.ts'
import type { SystemOptions } from '../system.ts'

/** 64 bits: a number if it is exact, else hexadecimal text. */
export type Value = number | string

export type Width = 1 | 2 | 4 | 8

/** What a guest does. Whatever a step comes to, the next one follows: a trap is noted in the guest's log, with what was read. */
export type Step =
  /** A call of the environment, with a0 and so on. */
  | {
      readonly op: 'call'
      readonly extension: Value
      readonly function: Value
      readonly arguments: readonly Value[]
    }
  /** Into, or out of, a register that may be named: a0 unless it is. */
  | {
      readonly op: 'load'
      readonly bytes: Width
      readonly signed: boolean
      readonly address: Value
      readonly register?: number
    }
  | {
      readonly op: 'store'
      readonly bytes: Width
      readonly address: Value
      readonly value: Value
      readonly register?: number
    }
  /** Words of 8 bytes, to where the address says. */
  | { readonly op: 'copy'; readonly address: Value; readonly words: readonly Value[] }
  /** A CSR, by number. */
  | { readonly op: 'read'; readonly csr: number }
  | { readonly op: 'write' | 'set' | 'clear'; readonly csr: number; readonly value: Value }
  /** Any instruction, with a1 and a4 as given; what it may have done to the hart is repaired behind it. */
  | { readonly op: 'word'; readonly word: Value; readonly a1: Value; readonly a4: Value }
  /** The same in user mode. */
  | { readonly op: 'user'; readonly word: Value; readonly a1: Value; readonly a4: Value }
  /** All registers that a program may use, from the seed; and into the log, all of them as one number. */
  | { readonly op: 'fill'; readonly seed: number }
  | { readonly op: 'digest' }
  /** Sleeps for so many ticks, and takes the timer's interrupt. */
  | { readonly op: 'wait'; readonly ticks: number }
  /** Sleeps until one of these sources of the PLIC (a mask) interrupts, or for so long; claims, notes and completes it. */
  | { readonly op: 'listen'; readonly sources: number; readonly ticks: number }
  | { readonly op: 'compute'; readonly times: number }
  /** Loads or stores 8 bytes, so many times, each so many bytes behind the last; a trap ends it. */
  | {
      readonly op: 'walk'
      readonly address: Value
      readonly stride: number
      readonly times: number
      readonly write: boolean
    }
  | { readonly op: 'repeat'; readonly times: number; readonly steps: readonly Step[] }
  | { readonly op: 'fence' }

export type Program = readonly Step[]

export interface PlacedGuest {
  readonly memoryMiB: number
  readonly vcpus: number
  /** Where vCPUs are pinned; empty: anywhere. */
  readonly harts: readonly number[]
  readonly weight: number
  readonly cap: number
  readonly disk?: { readonly first: number; readonly sectors: number }
  readonly network?: { readonly vlan: number }
}

/** What is built and booted once for many scenarios. */
export interface Topology {
  /** `bare`: no VMM; its one guest has the machine. */
  readonly vmm: 'native' | 'hosted' | 'bare'
  readonly policy?: Partial<HostPolicy>
  readonly placements?: NonNullable<SystemOptions['placements']>
  /** Interrupts by messages or an APLIC, as the board has them. */
  readonly aia?: NonNullable<SystemOptions['aia']>
  /** An IOMMU, though no placement needs it. */
  readonly iommu?: boolean
  /** The native VMM keeps slots. */
  readonly timeProtection?: NonNullable<SystemOptions['timeProtection']>
  /** Caches, rows of memory and contention are modelled. */
  readonly caches?: boolean
  readonly harts: number
  readonly ramMiB: number
  /** What RAM holds when the machine is switched on, by seed: zeros unless given. */
  readonly poison?: number
  readonly guests: readonly PlacedGuest[]
}

/** What is done to guests from outside, so many cycles after they began. */
export type Action =
  | { readonly at: number; readonly do: 'save-and-restore' }
  /** A frame comes in from the wire; characters are typed at the console. */
  | { readonly at: number; readonly do: 'frame'; readonly bytes: readonly number[] }
  | { readonly at: number; readonly do: 'type'; readonly text: string }

/** Before every so many port operations of software, chosen by the seed, the other harts run for up to so many cycles. */
export interface Interleaving {
  readonly seed: number
  readonly every: number
  readonly cycles: number
}

export interface Scenario {
  readonly topology: Topology
  /** By guest, by vCPU. */
  readonly guests: readonly { readonly programs: readonly Program[] }[]
  readonly interleaving?: Interleaving
  readonly actions: readonly Action[]
  /** It lasts until everybody's programs are over, not guest 0's alone. */
  readonly everyone?: boolean
  /** How long it may take, from where guests begin. */
  readonly cycles: number
}

/** A value's 64 bits. */
export function bitsOf(value: Value): bigint {
  return BigInt.asUintN(
    64,
    typeof value === 'string' && value.startsWith('-') ? -BigInt(value.slice(1)) : BigInt(value),
  )
}
