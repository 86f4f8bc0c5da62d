/**
 * Pages of 4 KiB, cut from large ones that nobody has. Whoever had one before may have left something in it, so each is
 * zeroed when it is given. Free ones are lists: each holds the addresses of its neighbours in its first words, and its record
 * says that it is free: a list that is broken, or a page that is given back twice, is found before somebody else has it too. A
 * hart takes some at a time from the list of all for itself, and gives some at a time back. Where few are left, a thread of
 * the kernel's takes pages back from those that can do without; where hardly any are, whoever asks does.
 */
import type { HartPort } from '../../hw/port.ts'
import type { FreeMemory } from '../core/free-memory.ts'
import { LARGE_PAGE, SMALL_PAGE } from '../core/g-stage.ts'
import { acquire, LOCK_BYTES, release } from '../core/spin-lock.ts'
import { TABLES } from './layout.ts'
import { count, hartMemory, hartMemoryAt } from './memory/hart-memory.ts'
import type { PageStructs } from './page-structs.ts'
import { NEVER } from './task.ts'

export const IN_A_LARGE = LARGE_PAGE / SMALL_PAGE
/** Policy, as Linux's for small machines: pages that a hart takes or gives together, and the most that it keeps. */
const TOGETHER = 31
const MOST_KEPT = 6 * TOGETHER
/** Policy: hardly any, few and enough are so many parts of the machine's pages. */
const HARDLY_ANY = 128
const FEW = 96
const ENOUGH = 64
/** In a free page, behind the address of the next: that of the one before, 0 in the first of a hart's. */
const BEFORE = 8

/** Takes pages back from those that can do without: how many. */
type TakesBack = (port: HartPort) => number

export class SmallPages {
  /** The first page that is free for all, or 0, and how many there are; the large one that is being cut, and how many it has left; whether it was in vain to take pages back. */
  readonly record = { first: 0, shared: 0, large: 0, left: 0, inVain: 0 }
  readonly #free: FreeMemory
  readonly #pages: PageStructs
  readonly #order: number
  readonly #total: number
  #takeBack: TakesBack = () => 0
  #wake: (port: HartPort) => void = () => {}

  /** `order`: the nth page of a large one is number n ^ order; `total`: pages of the machine. */
  constructor(free: FreeMemory, pages: PageStructs, order: number, total: number) {
    this.#free = free
    this.#pages = pages
    this.#order = order
    this.#total = total
  }

  /** Who takes pages back; and who wakes the thread that asks for it. Set-up. */
  attach(takeBack: TakesBack, wake: (port: HartPort) => void): void {
    this.#takeBack = takeBack
    this.#wake = wake
  }

  /** Its lock is new. */
  create(port: HartPort): void {
    port.fill(TABLES.freePages, 0, LOCK_BYTES)
  }

  /** Pages that can be had. */
  available(): number {
    const { record } = this
    return this.#free.record.clean * IN_A_LARGE + record.left + record.shared
  }

  /** The thread's piece of work: when it wants to go on (ticks). */
  work(port: HartPort): number {
    if (this.available() >= this.#total / ENOUGH) return NEVER
    if (this.#takeBack(port) > 0) return 0
    this.record.inVain = 1
    return NEVER
  }

  /** Before a page is given. */
  #keepReserve(port: HartPort): void {
    const available = this.available()
    if (available >= this.#total / FEW || this.record.inVain !== 0) return
    this.#wake(port)
    if (available < this.#total / HARDLY_ANY && this.#takeBack(port) === 0) this.record.inVain = 1
  }

  /** A zeroed page, or 0. */
  take(port: HartPort): number {
    this.#keepReserve(port)
    const hart = hartMemoryAt(port.hart)
    let left = port.load32(hart + hartMemory.free.at)
    if (left === 0) left = this.#fill(port, hart)
    if (left === 0) return 0
    const page = port.load64(hart + hartMemory.first.at)
    this.#unlink(port, hart, page)
    port.store32(hart + hartMemory.free.at, left - 1)
    this.#pages.leaveFree(port, page)
    count(port, hartMemory.given.at, 1)
    port.fill(page, 0, SMALL_PAGE)
    return page
  }

  /** Takes the first page out of a hart's list. */
  #unlink(port: HartPort, hart: number, page: number): void {
    const next = port.load64(page)
    if (port.load64(page + BEFORE) !== 0 || (next !== 0 && port.load64(next + BEFORE) !== page))
      throw new Error(`the list of free pages is broken at 0x${page.toString(16)}`)
    if (next !== 0) port.store64(next + BEFORE, 0)
    port.store64(hart + hartMemory.first.at, next)
  }

  /** Puts a page in front of it. */
  #link(port: HartPort, hart: number, page: number): void {
    const next = port.load64(hart + hartMemory.first.at)
    port.store64(page, next)
    port.store64(page + BEFORE, 0)
    if (next !== 0) port.store64(next + BEFORE, page)
    port.store64(hart + hartMemory.first.at, page)
  }

  /** Takes pages for a hart, as long as there are enough. How many it got. */
  #fill(port: HartPort, hart: number): number {
    let got = 0
    acquire(port, TABLES.freePages)
    while (got < TOGETHER) {
      const page = this.#find(port)
      if (page === 0) break
      this.#link(port, hart, page)
      got++
    }
    release(port, TABLES.freePages)
    port.store32(hart + hartMemory.free.at, got)
    return got
  }

  #find(port: HartPort): number {
    const { record } = this
    const { first } = record
    if (first !== 0) {
      record.first = port.load64(first)
      record.shared--
      return first
    }
    if (record.left === 0) {
      record.large = this.#free.takePage()
      if (record.large === 0) return 0
      record.left = IN_A_LARGE
      this.#pages.divide(port, record.large)
    }
    const index = (IN_A_LARGE - record.left) ^ this.#order
    record.left--
    const page = record.large + index * SMALL_PAGE
    this.#pages.becomeFree(port, page)
    return page
  }

  /** A page that nobody has any more. */
  give(port: HartPort, page: number): void {
    const hart = hartMemoryAt(port.hart)
    const kept = port.load32(hart + hartMemory.free.at)
    this.#pages.becomeFree(port, page)
    this.#link(port, hart, page)
    port.store32(hart + hartMemory.free.at, kept + 1)
    count(port, hartMemory.returned.at, 1)
    this.record.inVain = 0
    if (kept + 1 > MOST_KEPT) this.#giveBack(port, hart, kept + 1)
  }

  #giveBack(port: HartPort, hart: number, kept: number): void {
    const { record } = this
    acquire(port, TABLES.freePages)
    for (let given = 0; given < TOGETHER; given++) {
      const page = port.load64(hart + hartMemory.first.at)
      this.#unlink(port, hart, page)
      port.store64(page, record.first)
      record.first = page
      record.shared++
    }
    release(port, TABLES.freePages)
    port.store32(hart + hartMemory.free.at, kept - TOGETHER)
  }
}
