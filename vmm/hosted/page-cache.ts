/**
 * The index of the host's page cache: which page of which file lies in which 4 KiB of cache memory. It lies in RAM, as
 * a kernel's does: heads of hash chains, then a descriptor a page. A page is given to another file when nobody uses it,
 * it holds nothing that the disk does not, and it has not been used since the hand came by last.
 */
import type { HartPort } from '../../hw/port.ts'
import { layout } from '../../hw/spec/layout.ts'
import { TABLES } from './layout.ts'

export const CACHE_PAGE = 4096
/** 8 MiB. */
export const CACHE_PAGES = 2048
const HEADS = 1024
const HEADS_BYTES = HEADS * 4
/** How far the hand goes in search of one page. */
const REACH = 256

/**
 * `key` is 0 for a page that was never used; `next` is the number of the next page of the chain, plus one; `users` hold
 * it; `nextDirty` is the next of its file's pages that hold what the disk does not, plus one.
 */
const descriptor = layout(32, 'our own', {
  key: { at: 0, bytes: 4 },
  flags: { at: 4, bytes: 4 },
  next: { at: 8, bytes: 4 },
  users: { at: 12, bytes: 4 },
  nextDirty: { at: 16, bytes: 4 },
})

/**
 * Flags of a page: its contents can be used; it is being read, or written; it holds what the disk does not; it was used
 * lately; its last read failed; whoever comes to it reads on; the journal's transaction has it.
 */
export const VALID = 1
export const READING = 2
export const WRITING = 4
export const DIRTY = 8
export const REFERENCED = 16
export const FAILED = 32
export const MARKER = 64
export const JOURNALED = 128

export const NO_PAGE = -1

/** A page's key: its file's number and its own in it. Never 0. */
const FILE = 2 ** 26

export function keyOf(file: number, page: number): number {
  return (file + 1) * FILE + page
}

export function fileOf(key: number): number {
  return Math.floor(key / FILE) - 1
}

export function pageOf(key: number): number {
  return key % FILE
}

export class PageCache {
  /** `hand`: where the search for a page goes on. `base`: the first page's address. */
  readonly record: { hand: number; base: number }

  constructor(base: number) {
    this.record = { hand: 0, base }
  }

  /** Clears the index. */
  create(port: HartPort): void {
    port.fill(TABLES.cacheIndex, 0, HEADS_BYTES + CACHE_PAGES * descriptor.size)
  }

  /** Where a page's contents are, for the kernel and for the disk. */
  addressOf(page: number): number {
    return this.record.base + page * CACHE_PAGE
  }

  keyOf(port: HartPort, page: number): number {
    return port.load32(descriptorOf(page) + descriptor.key.at)
  }

  flags(port: HartPort, page: number): number {
    return port.load32(descriptorOf(page) + descriptor.flags.at)
  }

  setFlags(port: HartPort, page: number, flags: number): void {
    port.store32(descriptorOf(page) + descriptor.flags.at, flags)
  }

  nextDirty(port: HartPort, page: number): number {
    return port.load32(descriptorOf(page) + descriptor.nextDirty.at) - 1
  }

  setNextDirty(port: HartPort, page: number, next: number): void {
    port.store32(descriptorOf(page) + descriptor.nextDirty.at, next + 1)
  }

  /** One user more. */
  hold(port: HartPort, page: number): void {
    const at = descriptorOf(page) + descriptor.users.at
    port.store32(at, port.load32(at) + 1)
  }

  /** The page with this key, now used once more; NO_PAGE if it is not there. */
  find(port: HartPort, key: number): number {
    let page = port.load32(headOf(key)) - 1
    while (page >= 0) {
      const at = descriptorOf(page)
      if (port.load32(at + descriptor.key.at) === key) {
        port.store32(at + descriptor.users.at, port.load32(at + descriptor.users.at) + 1)
        return page
      }
      page = port.load32(at + descriptor.next.at) - 1
    }
    return NO_PAGE
  }

  /** A page for a key that is not there, with one user and no contents; NO_PAGE if none can be had now. */
  take(port: HartPort, key: number): number {
    const { record } = this
    for (let tried = 0; tried < REACH; tried++) {
      const page = record.hand
      record.hand = page + 1 === CACHE_PAGES ? 0 : page + 1
      const at = descriptorOf(page)
      const flags = port.load32(at + descriptor.flags.at)
      if (port.load32(at + descriptor.users.at) !== 0 || (flags & (READING | WRITING | DIRTY | JOURNALED)) !== 0)
        continue
      if ((flags & REFERENCED) !== 0) {
        port.store32(at + descriptor.flags.at, flags & ~REFERENCED)
        continue
      }
      const old = port.load32(at + descriptor.key.at)
      if (old !== 0) this.#unlink(port, page, old)
      const head = headOf(key)
      port.store32(at + descriptor.key.at, key)
      port.store32(at + descriptor.flags.at, 0)
      port.store32(at + descriptor.next.at, port.load32(head))
      port.store32(at + descriptor.users.at, 1)
      port.store32(head, page + 1)
      return page
    }
    return NO_PAGE
  }

  /** One user less. */
  release(port: HartPort, page: number): void {
    const at = descriptorOf(page) + descriptor.users.at
    port.store32(at, port.load32(at) - 1)
  }

  #unlink(port: HartPort, page: number, key: number): void {
    let at = headOf(key)
    let other = port.load32(at) - 1
    while (other !== page) {
      at = descriptorOf(other) + descriptor.next.at
      other = port.load32(at) - 1
    }
    port.store32(at, port.load32(descriptorOf(page) + descriptor.next.at))
  }
}

function descriptorOf(page: number): number {
  return TABLES.cacheIndex + HEADS_BYTES + page * descriptor.size
}

function headOf(key: number): number {
  return TABLES.cacheIndex + (key % HEADS) * 4
}
