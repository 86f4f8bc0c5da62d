/**
 * Pages of 4 KiB, cut from large ones that nobody has. Whoever had one before may have left something in it, so each is
 * zeroed when it is given. Free ones are lists: each holds the address of the next in its first word. A hart takes some at
 * a time from the list of all for itself, and gives some at a time back.
 */
import type { HartPort } from '../../hw/port.ts'
import type { FreeMemory } from '../core/free-memory.ts'
import { LARGE_PAGE, SMALL_PAGE } from '../core/g-stage.ts'
import { acquire, LOCK_BYTES, release } from '../core/spin-lock.ts'
import { TABLES } from './layout.ts'
import { count, hartMemory, hartMemoryAt } from './memory/hart-memory.ts'

export const IN_A_LARGE = LARGE_PAGE / SMALL_PAGE
/** Policy, as Linux's for small machines: pages that a hart takes or gives together, and the most that it keeps. */
const TOGETHER = 31
const MOST_KEPT = 6 * TOGETHER

export class SmallPages {
  /** The first free page, or 0; the large one that is being cut, and how many it has left. */
  readonly record = { first: 0, large: 0, left: 0 }
  readonly #free: FreeMemory
  readonly #order: number

  /** `order`: the nth page of a large one is number n ^ order. */
  constructor(free: FreeMemory, order: number) {
    this.#free = free
    this.#order = order
  }

  /** Its lock is new. */
  create(port: HartPort): void {
    port.fill(TABLES.freePages, 0, LOCK_BYTES)
  }

  /** A zeroed page, or 0. */
  take(port: HartPort): number {
    const hart = hartMemoryAt(port.hart)
    let left = port.load32(hart + hartMemory.free.at)
    if (left === 0) left = this.#fill(port, hart)
    if (left === 0) return 0
    const page = port.load64(hart + hartMemory.first.at)
    port.store64(hart + hartMemory.first.at, port.load64(page))
    port.store32(hart + hartMemory.free.at, left - 1)
    count(port, hartMemory.given.at, 1)
    port.fill(page, 0, SMALL_PAGE)
    return page
  }

  /** Takes pages for a hart, as long as there are enough. How many it got. */
  #fill(port: HartPort, hart: number): number {
    let got = 0
    let first = 0
    acquire(port, TABLES.freePages)
    while (got < TOGETHER) {
      const page = this.#find(port)
      if (page === 0) break
      port.store64(page, first)
      first = page
      got++
    }
    release(port, TABLES.freePages)
    port.store64(hart + hartMemory.first.at, first)
    port.store32(hart + hartMemory.free.at, got)
    return got
  }

  #find(port: HartPort): number {
    const { record } = this
    const { first } = record
    if (first !== 0) {
      record.first = port.load64(first)
      return first
    }
    if (record.left === 0) {
      record.large = this.#free.takePage()
      if (record.large === 0) return 0
      record.left = IN_A_LARGE
    }
    const index = (IN_A_LARGE - record.left) ^ this.#order
    record.left--
    return record.large + index * SMALL_PAGE
  }

  /** A page that nobody has any more. */
  give(port: HartPort, page: number): void {
    const hart = hartMemoryAt(port.hart)
    const kept = port.load32(hart + hartMemory.free.at)
    port.store64(page, port.load64(hart + hartMemory.first.at))
    port.store64(hart + hartMemory.first.at, page)
    port.store32(hart + hartMemory.free.at, kept + 1)
    count(port, hartMemory.returned.at, 1)
    if (kept + 1 > MOST_KEPT) this.#giveBack(port, hart, kept + 1)
  }

  #giveBack(port: HartPort, hart: number, kept: number): void {
    const { record } = this
    acquire(port, TABLES.freePages)
    for (let given = 0; given < TOGETHER; given++) {
      const page = port.load64(hart + hartMemory.first.at)
      port.store64(hart + hartMemory.first.at, port.load64(page))
      port.store64(page, record.first)
      record.first = page
    }
    release(port, TABLES.freePages)
    port.store32(hart + hartMemory.free.at, kept - TOGETHER)
  }
}
