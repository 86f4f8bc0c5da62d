/**
 * Records of one size that come and go often: free ones are lists, each record's first word the number of the next, plus
 * one. A hart has a list of its own, which it fills from the list of all, and gives back to it, some at a time under a lock.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { acquire, release } from '../../core/spin-lock.ts'
import { TABLES } from '../layout.ts'

/** A list: the first record's number, plus one, and how many there are. */
const list = layout(0x08, 'our own', {
  first: { at: 0x00, bytes: 4 },
  count: { at: 0x04, bytes: 4 },
})
/** In front of the harts' lists: the lock, the list of all. */
const SHARED = 0x10
const HARTS = 0x20
const MOST_HARTS = 32
const CACHE_BYTES = HARTS + MOST_HARTS * list.size
/** Policy: records that a hart takes or gives together, and the most that it keeps. */
const TOGETHER = 16
const MOST_KEPT = 2 * TOGETHER

export const NO_RECORD = -1

/** The caches that there are. */
export const REQUEST_CACHE = 0
export const PACKET_CACHE = 1
export const BUFFER_CACHE = 2

export class SlabCache {
  readonly #at: number
  readonly #base: number
  readonly #size: number
  readonly #count: number

  /** `count` records of `size` bytes from `base` on. */
  constructor(cache: number, base: number, size: number, count: number) {
    this.#at = TABLES.slabs + cache * CACHE_BYTES
    this.#base = base
    this.#size = size
    this.#count = count
  }

  /** All are in the list of all. */
  create(port: HartPort): void {
    port.fill(this.#at, 0, CACHE_BYTES)
    for (let number = 0; number < this.#count; number++)
      port.store32(this.#base + number * this.#size, number + 1 === this.#count ? 0 : number + 2)
    port.store32(this.#at + SHARED + list.first.at, 1)
    port.store32(this.#at + SHARED + list.count.at, this.#count)
  }

  /** A record's number, or NO_RECORD if this hart finds none. */
  take(port: HartPort): number {
    const own = this.#at + HARTS + port.hart * list.size
    let first = port.load32(own + list.first.at)
    if (first === 0) {
      this.#move(port, this.#at + SHARED, own)
      first = port.load32(own + list.first.at)
      if (first === 0) return NO_RECORD
    }
    port.store32(own + list.first.at, port.load32(this.#base + (first - 1) * this.#size))
    port.store32(own + list.count.at, port.load32(own + list.count.at) - 1)
    return first - 1
  }

  give(port: HartPort, number: number): void {
    const own = this.#at + HARTS + port.hart * list.size
    port.store32(this.#base + number * this.#size, port.load32(own + list.first.at))
    port.store32(own + list.first.at, number + 1)
    const count = port.load32(own + list.count.at) + 1
    port.store32(own + list.count.at, count)
    if (count > MOST_KEPT) this.#move(port, own, this.#at + SHARED)
  }

  /** Some from one list to another. */
  #move(port: HartPort, from: number, to: number): void {
    acquire(port, this.#at)
    for (let moved = 0; moved < TOGETHER; moved++) {
      const first = port.load32(from + list.first.at)
      if (first === 0) break
      const at = this.#base + (first - 1) * this.#size
      port.store32(from + list.first.at, port.load32(at))
      port.store32(from + list.count.at, port.load32(from + list.count.at) - 1)
      port.store32(at, port.load32(to + list.first.at))
      port.store32(to + list.first.at, first)
      port.store32(to + list.count.at, port.load32(to + list.count.at) + 1)
    }
    release(port, this.#at)
  }

  /** Records that nobody has, on so many harts; and all that there are. */
  unused(port: HartPort, harts: number): number {
    let count = port.load32(this.#at + SHARED + list.count.at)
    for (let hart = 0; hart < harts; hart++) count += port.load32(this.#at + HARTS + hart * list.size + list.count.at)
    return count
  }

  size(): number {
    return this.#count
  }
}
