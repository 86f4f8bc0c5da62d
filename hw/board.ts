/** What a board is to the machine that is built on it: memory, harts, and chips that it wires up. */
import type { Bus } from './bus/bus.ts'
import type { Clock, Line, Saved, Timed } from './bus/chip.ts'
import type { InterruptFiles } from './hart/interrupt-files.ts'
import type { Memory, MemoryRegion } from './memory/memory.ts'

/** The machine-wide time, as the harts' time CSR and their comparators see it. */
export interface TimeSource {
  /** mtime now, 64 bits. */
  mtime(): bigint
  /** The same as a number, or NaN where it is 2^53 or more. */
  ticks(): number
  /** The cycle at which mtime reaches `time`, or Infinity. */
  cycleOf(time: bigint): number
}

/** A hart's interrupt wires: mip.MSIP, MTIP, MEIP, and the external part of SEIP. */
export interface HartLines {
  readonly msip: Line
  readonly mtip: Line
  readonly meip: Line
  readonly seip: Line
  /** hgeip, by guest interrupt file (1 and up). */
  guest(file: number): Line
}

/** What a board needs to wire its chips. */
export interface Wiring {
  readonly memory: Memory
  readonly bus: Bus
  readonly harts: readonly HartLines[]
  /** The clock of the chip that is enrolled under `name`. */
  clock(name: string): Clock
  /** Names a chip, for its events and for snapshots. Chips are saved in the order of enrolment. */
  enroll(name: string, chip: Partial<Timed & Saved>): void
  /** Gives a hart the Advanced Interrupt Architecture, with its IMSIC if it has one. Before `wire` returns. */
  aia(hart: number, files: InterruptFiles | undefined): void
  /** Ends the run, at the end of the instruction that caused it. */
  stop(reason: string, code: number): void
}

export interface Board {
  readonly name: string
  readonly harts: number
  readonly regions: readonly MemoryRegion[]
  /** Cycles in a second, and in a tick of mtime. */
  readonly frequency: number
  readonly cyclesPerTick: number
  /** Where every hart starts, in M-mode. */
  readonly resetVector: number
  /** Its harts have fence.t. */
  readonly temporalFence?: boolean
  /** Called once, before reset. */
  wire(wiring: Wiring): TimeSource
}
