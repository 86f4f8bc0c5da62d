/**
 * Pages of 4 KiB for guests' memory, cut from large ones that nobody has. Whoever had one before may have left something
 * in it, so each is zeroed when it is given. Free ones are a list: each holds the address of the next in its first word.
 */
import type { HartPort } from '../../hw/port.ts'
import type { FreeMemory } from '../core/free-memory.ts'
import { LARGE_PAGE, SMALL_PAGE } from '../core/g-stage.ts'

export class SmallPages {
  /** The first free page, or 0; the next page of the large one that is being cut, and how many it has left. */
  readonly record = { first: 0, next: 0, left: 0 }
  readonly #free: FreeMemory

  constructor(free: FreeMemory) {
    this.#free = free
  }

  /** A zeroed page, or 0. */
  take(port: HartPort): number {
    const page = this.#find(port)
    if (page !== 0) port.fill(page, 0, SMALL_PAGE)
    return page
  }

  #find(port: HartPort): number {
    const { record } = this
    const { first } = record
    if (first !== 0) {
      record.first = port.load64(first)
      return first
    }
    if (record.left === 0) {
      record.next = this.#free.takePage()
      if (record.next === 0) return 0
      record.left = LARGE_PAGE / SMALL_PAGE
    }
    const page = record.next
    record.next += SMALL_PAGE
    record.left--
    return page
  }

  give(port: HartPort, page: number): void {
    port.store64(page, this.record.first)
    this.record.first = page
  }
}
