/**
 * Pages of 4 KiB, cut from large ones that nobody has. Whoever had one before may have left something in it, so each is
 * zeroed when it is given. Free ones are a list: each holds the address of the next in its first word. A hart takes some
 * at a time for itself.
 */
import type { HartPort } from '../../hw/port.ts'
import type { FreeMemory } from '../core/free-memory.ts'
import { LARGE_PAGE, SMALL_PAGE } from '../core/g-stage.ts'
import { TABLES } from './layout.ts'
import type { PageStructs } from './page-structs.ts'

/** In front of a hart's own free pages: how many, and the first. */
const COUNT = 0
const FIRST = 8
const HART_LIST = 16
export const IN_A_LARGE = LARGE_PAGE / SMALL_PAGE
/** Policy, as Linux's for small machines: pages that a hart takes together. */
const TAKEN_TOGETHER = 31

export class SmallPages {
  /** The first free page, or 0; the large one that is being cut, and how many it has left. */
  readonly record = { first: 0, large: 0, left: 0 }
  readonly #free: FreeMemory
  readonly #pages: PageStructs
  readonly #order: number

  /** `order`: the nth page of a large one is number n ^ order. */
  constructor(free: FreeMemory, pages: PageStructs, order: number) {
    this.#free = free
    this.#pages = pages
    this.#order = order
  }

  /** Harts have none yet. */
  create(port: HartPort, harts: number): void {
    port.fill(TABLES.freePages, 0, harts * HART_LIST)
  }

  /** A zeroed page for an address of somebody's, or 0. */
  take(port: HartPort, address: number): number {
    const list = TABLES.freePages + port.hart * HART_LIST
    let left = port.load32(list + COUNT)
    if (left === 0) left = this.#fill(port, list)
    if (left === 0) return 0
    const page = port.load64(list + FIRST)
    port.store64(list + FIRST, port.load64(page))
    port.store32(list + COUNT, left - 1)
    port.fill(page, 0, SMALL_PAGE)
    this.#pages.begin(port, page, address)
    return page
  }

  /** Takes pages for a hart, as long as there are enough. How many it got. */
  #fill(port: HartPort, list: number): number {
    let count = 0
    let first = 0
    while (count < TAKEN_TOGETHER) {
      const page = this.#find(port)
      if (page === 0) break
      port.store64(page, first)
      first = page
      count++
    }
    port.store64(list + FIRST, first)
    port.store32(list + COUNT, count)
    return count
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

  give(port: HartPort, page: number): void {
    this.#pages.end(port, page)
    port.store64(page, this.record.first)
    this.record.first = page
  }
}
