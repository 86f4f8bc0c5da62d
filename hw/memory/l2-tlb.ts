/** The second-level TLB: direct-mapped, translations of 4 KiB pages only (PTW.scala, l2_refill), shared by fetches and data. */
import { FLAG_GLOBAL } from './tlb.ts'

const ENTRIES = 512
const ASID = 0xffff
/** No page has this upper part: it has 20 bits. */
const EMPTY = -1

export interface L2TlbState {
  readonly page: readonly number[]
  readonly upper: readonly number[]
  readonly physical: readonly number[]
  readonly context: readonly number[]
  readonly flags: readonly number[]
}

export class L2Tlb {
  readonly physical = new Float64Array(ENTRIES)
  readonly flags = new Int32Array(ENTRIES)
  readonly #page = new Int32Array(ENTRIES)
  readonly #upper = new Int32Array(ENTRIES).fill(EMPTY)
  readonly #context = new Int32Array(ENTRIES)

  /** False: it stays empty. */
  readonly #present: boolean

  constructor(present = true) {
    this.#present = present
  }

  lookup(page: number, upper: number, context: number): number {
    const at = page & (ENTRIES - 1)
    if (this.#page[at] !== page || this.#upper[at] !== upper) return -1
    const difference = this.#context[at] ^ context
    return difference === 0 || ((difference & ~ASID) === 0 && (this.flags[at] & FLAG_GLOBAL) !== 0) ? at : -1
  }

  fill(page: number, upper: number, physical: number, context: number, flags: number): void {
    if (!this.#present) return
    const at = page & (ENTRIES - 1)
    this.#page[at] = page
    this.#upper[at] = upper
    this.physical[at] = physical
    this.#context[at] = context
    this.flags[at] = flags
  }

  /** As `Tlb.fence`. */
  fence(page: number, upper: number, context: number, mask: number, globals: boolean): void {
    const from = upper < 0 ? 0 : page & (ENTRIES - 1)
    const to = upper < 0 ? ENTRIES : from + 1
    for (let at = from; at < to; at++) {
      if (((this.#context[at] ^ context) & mask) !== 0) continue
      if (!globals && (this.flags[at] & FLAG_GLOBAL) !== 0) continue
      if (upper >= 0 && (this.#page[at] !== page || this.#upper[at] !== upper)) continue
      this.#upper[at] = EMPTY
    }
  }

  save(): L2TlbState {
    return {
      page: [...this.#page],
      upper: [...this.#upper],
      physical: [...this.physical],
      context: [...this.#context],
      flags: [...this.flags],
    }
  }

  restore(state: L2TlbState): void {
    this.#page.set(state.page)
    this.#upper.set(state.upper)
    this.physical.set(state.physical)
    this.#context.set(state.context)
    this.flags.set(state.flags)
  }
}
