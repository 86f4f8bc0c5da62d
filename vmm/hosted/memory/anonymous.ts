/**
 * Anonymous memory: pages that are given when they are touched, to whoever may have them, and taken back in the end. Each
 * is paid for by a group, zeroed, can be found from its own record, and is in a list of those that could be taken back.
 */
import type { HartPort } from '../../../hw/port.ts'
import { PTE_A, PTE_D, PTE_R, PTE_U, PTE_V, PTE_W, PTE_X } from '../../../hw/spec/layouts/pte.ts'
import type { FreeMemory } from '../../core/free-memory.ts'
import { LARGE_PAGE } from '../../core/g-stage.ts'
import { acquire, release } from '../../core/spin-lock.ts'
import { PAGE_LARGE, PAGE_STAYS, pageRecord, type PageStructs } from '../page-structs.ts'
import { IN_A_LARGE, type SmallPages } from '../small-pages.ts'
import { area, AREA_EXECUTE, AREA_LARGE, AREA_LOCKED, AREA_WRITE } from './areas.ts'
import { countPages, countTables, descriptor } from './descriptors.ts'
import type { MemoryGroups } from './groups.ts'
import { count, hartMemory } from './hart-memory.ts'

const PAGE = 4096

/** What an area's pages can be used for, as a leaf says it. Accessed and dirty are set beforehand, so that no hart traps to set them. */
export function leafOf(page: number, flags: number): number {
  const write = (flags & AREA_WRITE) !== 0 ? PTE_W : 0
  const execute = (flags & AREA_EXECUTE) !== 0 ? PTE_X : 0
  return (page / PAGE) * 1024 + (PTE_V | PTE_R | PTE_U | PTE_A | PTE_D | write | execute)
}

export class AnonymousMemory {
  readonly #free: FreeMemory
  readonly #small: SmallPages
  readonly #pages: PageStructs
  readonly #groups: MemoryGroups

  constructor(free: FreeMemory, small: SmallPages, pages: PageStructs, groups: MemoryGroups) {
    this.#free = free
    this.#small = small
    this.#pages = pages
    this.#groups = groups
  }

  /**
   * Gives the page that a table's empty entry is for. `owner` is the space's descriptor, `within` the area of the address.
   * Returns the page; 0 if the group may not have it, or there is none.
   */
  give(port: HartPort, owner: number, within: number, entry: number, address: number): number {
    const group = port.load32(owner + descriptor.group.at)
    const flags = port.load32(within + area.flags.at)
    const isLarge = (flags & AREA_LARGE) !== 0
    const pages = isLarge ? IN_A_LARGE : 1
    if (!this.#groups.charge(port, group, pages)) return 0
    const page = isLarge ? this.#free.takePage() : this.#small.take(port)
    if (page === 0) {
      this.#groups.uncharge(port, group, pages)
      return 0
    }
    const lock = owner + descriptor.tableLock.at
    acquire(port, lock)
    // Another thread may have been given it meanwhile.
    const other = port.load64(entry)
    if (other !== 0) {
      release(port, lock)
      this.#takeBack(port, group, page, isLarge)
      return Math.floor(other / 1024) * PAGE
    }
    const stays = (flags & AREA_LOCKED) !== 0 ? PAGE_STAYS : 0
    this.#pages.begin(port, page, within, address, group, isLarge ? stays | PAGE_LARGE : stays)
    countPages(port, owner, pages)
    if (stays !== 0) count(port, hartMemory.locked.at, pages)
    port.store64(entry, leafOf(page, flags))
    release(port, lock)
    return page
  }

  /** True if nobody but its owner holds the page. */
  isOwnersOnly(port: HartPort, page: number): boolean {
    return port.load32(this.#pages.at(page) + pageRecord.held.at) === 1
  }

  /** A page that was mapped at an entry which is empty now is nobody's. */
  take(port: HartPort, owner: number, page: number, isLarge: boolean, stays: boolean): void {
    const pages = isLarge ? IN_A_LARGE : 1
    countPages(port, owner, -pages)
    if (stays) count(port, hartMemory.locked.at, -pages)
    this.#pages.end(port, page)
    this.#takeBack(port, port.load32(owner + descriptor.group.at), page, isLarge)
  }

  #takeBack(port: HartPort, group: number, page: number, isLarge: boolean): void {
    if (isLarge) this.#free.givePage(page)
    else this.#small.give(port, page)
    this.#groups.uncharge(port, group, isLarge ? IN_A_LARGE : 1)
  }

  /** A page that the machine had an image in becomes a space's, at large entries or small ones that are about to be written. */
  adopt(port: HartPort, owner: number): void {
    this.#groups.charge(port, port.load32(owner + descriptor.group.at), IN_A_LARGE)
    countPages(port, owner, IN_A_LARGE)
    count(port, hartMemory.locked.at, IN_A_LARGE)
  }

  /** A zeroed page for tables, which the space's group pays for; 0 if there is none. */
  takeTable(port: HartPort, owner: number): number {
    if (!this.#groups.charge(port, port.load32(owner + descriptor.group.at), 1)) return 0
    const table = this.#small.take(port)
    if (table === 0) {
      this.#groups.uncharge(port, port.load32(owner + descriptor.group.at), 1)
      return 0
    }
    this.#pages.beginTable(port, table, port.load32(owner + descriptor.group.at))
    countTables(port, owner, 1)
    return table
  }

  /** A table that nothing points to any more. */
  giveTable(port: HartPort, owner: number, table: number): void {
    countTables(port, owner, -1)
    this.#pages.end(port, table)
    this.#takeBack(port, port.load32(owner + descriptor.group.at), table, false)
  }
}

/** Pages of 4 KiB that a VMM process may have: its guest's memory, and tables of both stages for it. */
export function allowance(guestBytes: number): number {
  return guestBytes / PAGE + 2 * (guestBytes / LARGE_PAGE) + 64
}
