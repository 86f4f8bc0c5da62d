/**
 * A set-associative cache's tags: which lines it holds. An empty way is taken first, then one at random, as Rocket, CVA6
 * and SiFive's L2 do it: by a 16-bit shift register that moves on with each replacement. So hits change nothing.
 */
import type { CacheGeometry } from '../time/prices-memory.ts'

const EMPTY = -1
/** x^16 + x^14 + x^13 + x^11 + 1, shifted right. */
const TAPS = 0xb400

export interface CacheState {
  readonly tags: readonly number[]
  readonly random: number
}

export class Cache {
  readonly ways: number
  readonly tags: Int32Array
  readonly #setMask: number
  /** Added to a line's number to find its set: line numbers need not begin where addresses do. */
  readonly #phase: number
  #random = 1

  /** Throws RangeError if sets or ways are no powers of two. */
  constructor(name: string, { bytes, ways, lineBytes }: CacheGeometry, phase: number) {
    const sets = bytes / lineBytes / ways
    if (!isPowerOfTwo(sets) || !isPowerOfTwo(ways) || !isPowerOfTwo(lineBytes)) {
      throw new RangeError(
        `${name} of ${bytes} bytes, ${ways} ways, ${lineBytes} a line: sets, ways and lines must be powers of two`,
      )
    }
    this.ways = ways
    this.#setMask = sets - 1
    this.#phase = phase
    this.tags = new Int32Array(sets * ways).fill(EMPTY)
  }

  /** Where a line is, or -1. */
  find(line: number): number {
    const first = this.#first(line)
    for (let at = first; at < first + this.ways; at++) if (this.tags[at] === line) return at
    return -1
  }

  /** The place that a line will take; `tags` has who is there, or -1. */
  victim(line: number): number {
    const first = this.#first(line)
    for (let at = first; at < first + this.ways; at++) if (this.tags[at] === EMPTY) return at
    const random = this.#random
    this.#random = (random >>> 1) ^ (random & 1 ? TAPS : 0)
    return first + (random & (this.ways - 1))
  }

  /** Gives a line up, if it is here. */
  drop(line: number): void {
    const at = this.find(line)
    if (at >= 0) this.tags[at] = EMPTY
  }

  /** As after reset: empty, and the next victim is the first. */
  forget(): void {
    this.tags.fill(EMPTY)
    this.#random = 1
  }

  save(): CacheState {
    return { tags: [...this.tags], random: this.#random }
  }

  restore(state: CacheState): void {
    this.tags.set(state.tags)
    this.#random = state.random
  }

  #first(line: number): number {
    return ((line + this.#phase) & this.#setMask) * this.ways
  }
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && (value & (value - 1)) === 0
}
