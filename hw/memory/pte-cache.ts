/**
 * The walker's own cache of non-leaf page-table entries, by their physical address (PTW.scala, nPTECacheEntries = 8).
 * One for the first stage, one for the G-stage. Any fence empties them.
 */
const ENTRIES = 8
const EMPTY = -1

export interface PteCacheState {
  readonly address: readonly number[]
  readonly next: readonly number[]
  readonly at: number
}

export class PteCache {
  readonly #address = new Float64Array(ENTRIES).fill(EMPTY)
  readonly #next = new Float64Array(ENTRIES)
  #at = 0
  /** False: it stays empty. */
  readonly #present: boolean

  constructor(present = true) {
    this.#present = present
  }

  /** Page number of the table that the entry at `address` points to, or -1. */
  lookup(address: number): number {
    for (let at = 0; at < ENTRIES; at++) if (this.#address[at] === address) return this.#next[at]
    return -1
  }

  fill(address: number, next: number): void {
    if (!this.#present) return
    this.#address[this.#at] = address
    this.#next[this.#at] = next
    this.#at = (this.#at + 1) & (ENTRIES - 1)
  }

  clear(): void {
    this.#address.fill(EMPTY)
  }

  save(): PteCacheState {
    return { address: [...this.#address], next: [...this.#next], at: this.#at }
  }

  restore(state: PteCacheState): void {
    this.#address.set(state.address)
    this.#next.set(state.next)
    this.#at = state.at
  }
}
