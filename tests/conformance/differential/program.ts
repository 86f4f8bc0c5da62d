/** A random program with all that surrounds it, independent of where its arena lies. */
import type { Setting } from './arena.ts'

export const MODES = ['M', 'S', 'U', 'VS', 'VU'] as const
export type Mode = (typeof MODES)[number]

/** Translation mode numbers of satp, vsatp and hgatp. */
export const BARE = 0
export const SV39 = 8
export const SV48 = 9

/** Pages of no arena: where there is nothing; a range of 64 KiB in the pattern, as Svnapot writes it. */
export const NOWHERE = -1
export const NAPOT = -2

/** A leaf of level 0: which page of the arena it shows (0 code, 1 vectors, 2 and 3 data), and its other bits. */
export interface Leaf {
  readonly page: number
  readonly flags: bigint
}

export interface Tables {
  readonly mode: typeof BARE | typeof SV39 | typeof SV48
  /** Pages 0 to 15 from ORIGIN on. */
  readonly leaves: readonly Leaf[]
  /** Level 1 entries: a superpage on the pattern, a misaligned one, a pointer with reserved bits: their flags. */
  readonly superpage: bigint
  readonly misaligned: bigint
  readonly pointer: bigint
}

export interface Program {
  readonly seed: number
  readonly mode: Mode
  /** Settings but those that the tables and the mode decide. */
  readonly settings: Readonly<Partial<Record<Setting, bigint>>>
  readonly fcsr: number
  readonly x: readonly bigint[]
  readonly f: readonly bigint[]
  /** Registers that hold an offset from where code begins, instead of x's value: at HS's, or at the guest's. */
  readonly pointers: ReadonlyMap<number, { readonly guest: boolean; readonly offset: bigint }>
  /** Instruction words of each slot, compressed ones 16 bits. */
  readonly slots: readonly (readonly number[])[]
  readonly data: Uint8Array
  readonly templates: readonly number[]
  readonly satp: Tables
  readonly vsatp: Tables
  readonly hgatp: Tables
  /** Flags of the leaves of the guest's own tables in G-stage. */
  readonly tableFlags: bigint
}
