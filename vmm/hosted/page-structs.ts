/**
 * A record for each 4 KiB page of RAM, as a kernel keeps them: whose it is and where it is mapped, so that it can be taken
 * back; how many hold it, so that it is not taken back meanwhile; its neighbours in its group's list.
 */
import type { HartPort } from '../../hw/port.ts'
import { layout } from '../../hw/spec/layout.ts'
import { LARGE_PAGE } from '../core/g-stage.ts'
import { acquire, release } from '../core/spin-lock.ts'
import { groupAt, memoryGroup } from './memory/groups.ts'
import { hartMemory, hartMemoryAt } from './memory/hart-memory.ts'
import { ACTIVE, addFirst, INACTIVE, STAYING, takeOut } from './memory/page-lists.ts'

const PAGE = 4096
export const pageRecord = layout(64, 'our own', {
  flags: { at: 0x00, bytes: 4 },
  /** The group that has paid for it. */
  group: { at: 0x04, bytes: 4 },
  next: { at: 0x08, bytes: 8 },
  previous: { at: 0x10, bytes: 8 },
  /** Where its area lies, and its address there in pages. */
  area: { at: 0x18, bytes: 8 },
  index: { at: 0x20, bytes: 8 },
  mapped: { at: 0x30, bytes: 4 },
  held: { at: 0x34, bytes: 4 },
})
// Flags. A page of anonymous memory; in its group's lists; in that of pages touched lately; stays where it is; 2 MiB; written to by a device or a guest.
const ANONYMOUS = 1
const LISTED = 2
export const PAGE_ACTIVE = 4
export const PAGE_STAYS = 8
export const PAGE_LARGE = 16
const PAGE_DIRTY = 32
// Free; a table; touched since it was looked at last.
const PAGE_FREE = 64
const PAGE_TABLE = 128
const PAGE_TOUCHED = 256
/** Policy: pages that go to the lists together. */
const BATCH = 19
/** Bytes cleared in one entry. */
const PIECE = 0x1_0000

/** Bytes of the records for so much RAM. */
export function pageStructBytes(ramBytes: number): number {
  return (ramBytes / PAGE) * pageRecord.size
}

/** The list that a page with these flags is in. */
function listOf(flags: number): number {
  if ((flags & PAGE_STAYS) !== 0) return STAYING
  return (flags & PAGE_ACTIVE) !== 0 ? ACTIVE : INACTIVE
}

export class PageStructs {
  /** Bytes that have been cleared. */
  readonly record = { prepared: 0 }
  readonly #base: number
  readonly #ram: number
  readonly #bytes: number

  /** The records lie at `base`, for RAM of `ramBytes` from `ram` on. */
  constructor(base: number, ram: number, ramBytes: number) {
    this.#base = base
    this.#ram = ram
    this.#bytes = pageStructBytes(ramBytes)
  }

  /** Clears a piece of them at boot; false when all are. */
  prepare(port: HartPort): boolean {
    const own = this.record
    if (own.prepared >= this.#bytes) return false
    port.fill(this.#base + own.prepared, 0, Math.min(PIECE, this.#bytes - own.prepared))
    own.prepared += PIECE
    return true
  }

  /** Where a page's record lies. */
  at(page: number): number {
    return this.#base + Math.floor((page - this.#ram) / PAGE) * pageRecord.size
  }

  /** The page of a record. */
  pageOf(at: number): number {
    return this.#ram + ((at - this.#base) / pageRecord.size) * PAGE
  }

  /** A large page is to be cut: its parts have records of their own from now on. */
  divide(port: HartPort, large: number): void {
    port.fill(this.at(large), 0, (LARGE_PAGE / PAGE) * pageRecord.size)
  }

  /** A page is nobody's from now on: it must not have been before. */
  becomeFree(port: HartPort, page: number): void {
    const at = this.at(page)
    if (port.load32(at + pageRecord.flags.at) !== 0 || port.load32(at + pageRecord.held.at) !== 0)
      throw new Error(`the page at 0x${page.toString(16)} is given back, but it is not given`)
    port.store32(at + pageRecord.flags.at, PAGE_FREE)
  }

  /** It is somebody's again. */
  leaveFree(port: HartPort, page: number): void {
    const at = this.at(page)
    if (port.load32(at + pageRecord.flags.at) !== PAGE_FREE)
      throw new Error(`the page at 0x${page.toString(16)} is given, but it is not free`)
    port.store32(at + pageRecord.flags.at, 0)
  }

  /** A page becomes a table that a group has paid for. */
  beginTable(port: HartPort, page: number, group: number): void {
    const at = this.at(page)
    port.store32(at + pageRecord.held.at, 1)
    port.store32(at + pageRecord.group.at, group)
    port.store32(at + pageRecord.flags.at, PAGE_TABLE)
  }

  /** A page is used: when it is looked at next, it stays; if it is used again before, it comes to those touched lately. */
  touch(port: HartPort, at: number): void {
    const flags = port.load32(at + pageRecord.flags.at)
    if ((flags & PAGE_TOUCHED) === 0) return port.store32(at + pageRecord.flags.at, flags | PAGE_TOUCHED)
    if ((flags & (LISTED | PAGE_ACTIVE | PAGE_STAYS)) !== LISTED) return
    const group = port.load32(at + pageRecord.group.at)
    const lock = groupAt(group) + memoryGroup.lock.at
    acquire(port, lock)
    this.move(port, at, group, true)
    release(port, lock)
  }

  /** True if it has been used since this was asked last. */
  forgetTouch(port: HartPort, at: number): boolean {
    const flags = port.load32(at + pageRecord.flags.at)
    if ((flags & PAGE_TOUCHED) === 0) return false
    port.store32(at + pageRecord.flags.at, flags & ~PAGE_TOUCHED)
    return true
  }

  /** A page becomes anonymous memory that a group has paid for, mapped once: it can be found from here, and goes to the lists soon. */
  begin(port: HartPort, page: number, area: number, address: number, group: number, flags: number): void {
    const at = this.at(page)
    port.store32(at + pageRecord.held.at, 1)
    port.store32(at + pageRecord.mapped.at, 1)
    port.store32(at + pageRecord.group.at, group)
    port.store64(at + pageRecord.area.at, area)
    port.store64(at + pageRecord.index.at, Math.floor(address / PAGE))
    port.store32(at + pageRecord.flags.at, ANONYMOUS | flags)
    const hart = hartMemoryAt(port.hart)
    const waiting = port.load32(hart + hartMemory.batch.at)
    port.store64(hart + hartMemory.pages.at + waiting * 8, at)
    port.store32(hart + hartMemory.batch.at, waiting + 1)
    if (waiting + 1 === BATCH) this.listBatch(port)
  }

  /** What waits on this hart goes to the lists of its groups. */
  listBatch(port: HartPort): void {
    const hart = hartMemoryAt(port.hart)
    const waiting = port.load32(hart + hartMemory.batch.at)
    port.store32(hart + hartMemory.batch.at, 0)
    let locked = 0
    for (let index = 0; index < waiting; index++) {
      const at = port.load64(hart + hartMemory.pages.at + index * 8)
      const flags = port.load32(at + pageRecord.flags.at)
      // It may have been given back meanwhile.
      if ((flags & (ANONYMOUS | LISTED)) !== ANONYMOUS) continue
      const group = port.load32(at + pageRecord.group.at)
      const lock = groupAt(group) + memoryGroup.lock.at
      if (lock !== locked) {
        if (locked !== 0) release(port, locked)
        acquire(port, lock)
        locked = lock
      }
      port.store32(at + pageRecord.flags.at, flags | LISTED)
      addFirst(port, group, listOf(flags), at)
    }
    if (locked !== 0) release(port, locked)
  }

  /** A page is nobody's any more. */
  end(port: HartPort, page: number): void {
    const at = this.at(page)
    const flags = port.load32(at + pageRecord.flags.at)
    if (flags === 0) return
    port.store32(at + pageRecord.flags.at, 0)
    port.store32(at + pageRecord.held.at, 0)
    port.store32(at + pageRecord.mapped.at, 0)
    if ((flags & LISTED) === 0) return
    const group = port.load32(at + pageRecord.group.at)
    const lock = groupAt(group) + memoryGroup.lock.at
    acquire(port, lock)
    takeOut(port, group, listOf(flags), at)
    release(port, lock)
  }

  /** Moves a listed page to the front of the list that these flags say. Its group's lists are locked. */
  move(port: HartPort, at: number, group: number, active: boolean): void {
    const flags = port.load32(at + pageRecord.flags.at)
    takeOut(port, group, listOf(flags), at)
    const now = active ? flags | PAGE_ACTIVE : flags & ~PAGE_ACTIVE
    port.store32(at + pageRecord.flags.at, now)
    addFirst(port, group, listOf(now), at)
  }

  /** One holder more of the page of a record, or one less. */
  holdOne(port: HartPort, at: number, by: number): void {
    port.add32(at + pageRecord.held.at, by)
  }

  /** Somebody who goes by other tables than its owner's can write to it. */
  soil(port: HartPort, at: number): void {
    const flags = port.load32(at + pageRecord.flags.at)
    if ((flags & PAGE_DIRTY) === 0) port.or32(at + pageRecord.flags.at, PAGE_DIRTY)
  }
}
