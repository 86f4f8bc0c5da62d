/** What a chip gives to the bus, and what it gets from the board: a bus to master, a wire to raise, a clock. */

/**
 * A chip's register window. Accesses are 1, 2 or 4 bytes, naturally aligned, values unsigned 32-bit numbers; the bus
 * splits an 8-byte access in two, low half first. What the chip does not decode reads as its manual says, else 0.
 */
export interface Chip {
  read(offset: number, bytes: 1 | 2 | 4): number
  write(offset: number, bytes: 1 | 2 | 4, value: number): void
}

/** A level-triggered wire to an interrupt controller. */
export interface Line {
  set(level: boolean): void
}

/** Memory as a bus master sees it. Addresses are what the device emits: a number up to 2^53, unchecked. */
export interface Dma {
  /** False if any byte lies outside memory; then nothing was copied. */
  read(address: number, into: Uint8Array): boolean
  write(address: number, from: Uint8Array): boolean
  /** Nanoseconds that translation has taken since it was last asked for, where something translates. */
  waited?(): number
}

/** An event's payload and a chip's saved state: plain data only. */
export type Plain = null | boolean | number | string | Uint8Array | readonly Plain[] | { readonly [key: string]: Plain }

/** Time as a chip sees it. Cycles are the harts' clock; a tick is one count of mtime. */
export interface Clock {
  /** The current cycle (the accessing hart's, within an access). */
  now(): number
  /** Calls `due(kind, payload)` of the chip that this clock was made for, at the first opportunity at or after `cycle`. Returns a number to cancel it by. */
  at(cycle: number, kind: string, payload?: Plain): number
  cancel(event: number): void
  readonly cyclesPerTick: number
  /** Cycles in a second. */
  readonly frequency: number
}

/** Chips with time or state beyond their window implement these. `save` returns what `restore` takes. */
export interface Timed {
  due(kind: string, payload: Plain): void
}
export interface Saved {
  save(): Plain
  restore(state: Plain): void
}
