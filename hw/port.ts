/**
 * What TypeScript software may ask of the hart it runs on. An entry is called with this port at the hart's current
 * privilege and translation, does a bounded amount of work, and says how the hart goes on: exactly one of `jump`,
 * `sret`, `ecall` or `wfi`, as its last act. Every other call may trap or be interrupted: then the entry is abandoned,
 * with registered state as it stands; when the hart comes back to it, it runs again up to the same call with the state
 * and the results that it saw before, at no cost and without effect, and goes on from there with today's state. An
 * entry must therefore depend on nothing but the port and its software's registered state. docs/contract.md says more.
 *
 * Numbers: addresses and 64-bit values are exact non-negative numbers. A 64-bit value of 2^53 or more reads as
 * {@link TOO_BIG}, whatever it was: an address that no bus reaches. Negative numbers are written in two's complement.
 */
import type { Csr } from './spec/csr.ts'
import type { PartMark } from './spec/isa/mark.ts'
import type { Activity, Party } from './spec/ledger.ts'

export const TOO_BIG = 2 ** 53

export interface HartPort {
  /** This hart's mhartid. */
  readonly hart: number

  load8(address: number): number
  load16(address: number): number
  load32(address: number): number
  load64(address: number): number
  /** The same, signed: the upper half of an address space is negative. Beyond 2^53 either way it reads as that. */
  load64Signed(address: number): number
  store8(address: number, value: number): void
  store16(address: number, value: number): void
  store32(address: number, value: number): void
  store64(address: number, value: number): void
  /** Copies and fills as a loop of 8-byte loads and stores would; priced so, by the same translation. */
  copy(to: number, from: number, bytes: number): void
  fill(to: number, byte: number, bytes: number): void

  /** Atomic operations on an aligned word; return the old value. `swap32If` stores only if the old value is `expected` (an lr/sc pair). */
  swap32(address: number, value: number): number
  add32(address: number, value: number): number
  and32(address: number, value: number): number
  or32(address: number, value: number): number
  swap32If(address: number, expected: number, value: number): number

  /**
   * A lock of 16 bytes at an aligned address in plain RAM, zero when new. `lock` is an lr/sc pair; false if it is held by
   * an entry that is not over (or was abandoned): re-queue. A lock that another hart has released, but later by the
   * clock than this hart's now, is waited for: it records when it became free, so who comes earlier pays.
   */
  lock(address: number): boolean
  unlock(address: number): void

  /** Guest memory through both stages (hlv, hsv; `guestFetch16` is hlvx.hu). A fault makes them return -1, after the trap's own cost. */
  guestLoad32(address: number): number
  guestFetch16(address: number): number

  read(csr: Csr): number
  /** Bits 31:0 of the CSR, and bits 63:32, each exact whatever the other holds. */
  readLow(csr: Csr): number
  readHigh(csr: Csr): number
  write(csr: Csr, value: number): void
  set(csr: Csr, mask: number): void
  clear(csr: Csr, mask: number): void

  /** Architectural registers x1..x28: arguments when the entry was reached from assembly, results when it ends. No cost: they are registers. t4 to t6 are the port's own. */
  x(register: number): number
  setX(register: number, value: number): void

  fence(): void
  fenceI(): void
  /** Illegal unless the board's harts have it: see hw/spec/isa/fence-t.ts. */
  fenceT(): void
  sfenceVma(address?: number, asid?: number): void
  hfenceVvma(address?: number, asid?: number): void
  hfenceGvma(address?: number, vmid?: number): void

  /** Goes on at `address`: an entry or instructions. */
  jump(address: number): void
  sret(): void
  /** Goes on at the `ecall` instruction that stands before `next`; the environment returns to `next`. */
  ecall(next: number): void
  /** Goes on at the `wfi` instruction that stands before `next`. */
  wfi(next: number): void

  /** Off the record: from here on this hart's cycles are charged so, until the next call, a trap or a return from one. */
  account(party: Party, cause: string, activity: Activity): void
  /** Off the record: a guest says that the part of this number (from 1) begins or ends here, as `mark.begin` and `mark.finish` do. */
  mark(kind: PartMark, number: number): void
}

/** An entry point. Reached by fetching at its physical address. */
export type Entry = (port: HartPort) => void

/**
 * Registered state: flat records of numbers and booleans, and numeric typed arrays, by name. It is saved and restored
 * with the machine. A copy is taken at each entry's start (some 40 ns a record, 0.02 ns a byte of an array): keep it small.
 */
export type StateRecord = { [field: string]: number | boolean } | Int32Array | Uint32Array | Uint8Array | Float64Array
export type SoftwareState = { readonly [name: string]: StateRecord }

/** TypeScript software: its entries, in the order of the `entry` instructions of its image, and its state. */
export interface Software {
  readonly name: string
  readonly entries: readonly Entry[]
  readonly state: SoftwareState
  /** Of each entry, whether it is built as distributions build their kernels: to be traced (docs/path-length.md). None, unless given. */
  readonly traced?: readonly boolean[]
}
