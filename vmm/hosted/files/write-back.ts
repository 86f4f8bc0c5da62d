/**
 * Write-back: which pages of which files hold what the disk does not, and when they go there. Pages go in the order of
 * their places in the file, so that neighbours merge. A flusher looks now and then: at what is old, or at everything
 * once there is much of it; whoever writes when there is too much has to wait.
 */
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { clearHeap, EMPTY, heapPop, heapPush } from '../heap.ts'
import { TABLES } from '../layout.ts'
import {
  CACHE_PAGE,
  CACHE_PAGES,
  DIRTY,
  FAILED,
  fileOf,
  pageOf,
  type PageCache,
  VALID,
  WRITING,
} from '../page-cache.ts'
import { NEVER } from '../task.ts'
import { BLOCK_WRITE, type BlockLayer, FOR_PAGES } from './block-layer.ts'
import { type FileSystem, HOLE } from './file-system.ts'
import { inodeAt, MOST_OPEN, openInode } from './inodes.ts'

const SECTOR = 512
/** Policy, Linux's defaults: the flusher looks every 5 s for what is older than 30 s; it begins at 10 % of the cache, and writers wait at 20 %. */
const INTERVAL = 50_000_000
const OLD = 300_000_000
const BACKGROUND = Math.floor(CACHE_PAGES / 10)
const LIMIT = Math.floor(CACHE_PAGES / 5)
/** Pages that go to the disk in one entry, and ticks until the flusher goes on if there is still much. */
const AT_A_TIME = 64
const SOON = 1_000

export class WriteBack {
  /** Pages of all files: those that hold what the disk does not, those on their way; when the flusher looks next (ticks), and whether it has been called. */
  readonly record = { dirty: 0, writing: 0, due: NEVER }
  readonly state: Record<string, StateRecord> = { 'write-back': this.record }
  readonly #cache: PageCache
  readonly #fileSystem: FileSystem
  readonly #blocks: BlockLayer
  #wakeFlusher: (port: HartPort, due: number) => void = () => {}

  constructor(cache: PageCache, fileSystem: FileSystem, blocks: BlockLayer) {
    this.#cache = cache
    this.#fileSystem = fileSystem
    this.#blocks = blocks
  }

  /** Who calls `flush` at `due` (ticks). Set-up. */
  attach(wakeFlusher: (port: HartPort, due: number) => void): void {
    this.#wakeFlusher = wakeFlusher
  }

  /** The page holds what the disk does not. */
  soil(port: HartPort, slot: number, page: number): void {
    const { record } = this
    const flags = this.#cache.flags(port, page)
    this.#cache.setFlags(port, page, (flags & ~FAILED) | VALID | DIRTY)
    if ((flags & DIRTY) !== 0) return
    const now = port.read(time)
    this.#queue(port, slot, page, now)
    record.dirty++
    if (record.dirty > BACKGROUND) this.#call(port, now)
    else if (record.due === NEVER) this.#call(port, now + INTERVAL)
  }

  #call(port: HartPort, due: number): void {
    if (this.record.due <= due) return
    this.record.due = due
    this.#wakeFlusher(port, due)
  }

  /** Puts a page behind its file's others. */
  #queue(port: HartPort, slot: number, page: number, now: number): void {
    const at = inodeAt(slot)
    const last = port.load32(at + openInode.lastDirty.at)
    this.#cache.setNextDirty(port, page, -1)
    if (last === 0) {
      port.store32(at + openInode.firstDirty.at, page + 1)
      port.store64(at + openInode.since.at, now)
    } else this.#cache.setNextDirty(port, last - 1, page)
    port.store32(at + openInode.lastDirty.at, page + 1)
    port.store32(at + openInode.dirty.at, port.load32(at + openInode.dirty.at) + 1)
  }

  /** True if whoever writes has to wait until something has been written back. */
  isOver(): boolean {
    return this.record.dirty + this.record.writing > LIMIT
  }

  /** True if nothing of a file is dirty or on its way. */
  isClean(port: HartPort, slot: number): boolean {
    const at = inodeAt(slot)
    return port.load32(at + openInode.dirty.at) === 0 && port.load32(at + openInode.writing.at) === 0
  }

  /**
   * Sends pages of a file to the disk, as many as an entry has time for, but for those that are on their way there with
   * older contents. Who wants all of them there asks again until `isClean`.
   */
  writeOut(port: HartPort, slot: number): void {
    const cache = this.#cache
    const at = inodeAt(slot)
    let page = port.load32(at + openInode.firstDirty.at) - 1
    if (page < 0) return
    clearHeap(port, TABLES.sorting)
    let taken = 0
    while (page >= 0 && taken < AT_A_TIME) {
      const next = cache.nextDirty(port, page)
      heapPush(port, TABLES.sorting, pageOf(cache.keyOf(port, page)), page)
      page = next
      taken++
    }
    port.store32(at + openInode.firstDirty.at, page + 1)
    if (page < 0) port.store32(at + openInode.lastDirty.at, 0)
    port.store32(at + openInode.dirty.at, port.load32(at + openInode.dirty.at) - taken)
    const now = port.read(time)
    for (page = heapPop(port, TABLES.sorting); page !== EMPTY; page = heapPop(port, TABLES.sorting)) {
      if (!this.#write(port, slot, page)) this.#queue(port, slot, page, now)
    }
    this.#blocks.unplug(port)
  }

  /** False if the page is on its way already. */
  #write(port: HartPort, slot: number, page: number): boolean {
    const { record } = this
    const cache = this.#cache
    const flags = cache.flags(port, page)
    if ((flags & WRITING) !== 0) return false
    const at = inodeAt(slot)
    record.dirty--
    const sector = this.#fileSystem.sectorOf(port, slot, pageOf(cache.keyOf(port, page)))
    if (sector === HOLE) {
      cache.setFlags(port, page, flags & ~DIRTY)
      port.store32(at + openInode.error.at, 1)
      return true
    }
    cache.setFlags(port, page, (flags & ~DIRTY) | WRITING)
    record.writing++
    port.store32(at + openInode.writing.at, port.load32(at + openInode.writing.at) + 1)
    this.#blocks.add(port, BLOCK_WRITE, sector, CACHE_PAGE / SECTOR, cache.addressOf(page), FOR_PAGES, page)
    return true
  }

  /** A page has been written, or could not be. */
  written(port: HartPort, page: number, ok: boolean): void {
    const cache = this.#cache
    cache.setFlags(port, page, cache.flags(port, page) & ~WRITING)
    this.record.writing--
    const at = inodeAt(fileOf(cache.keyOf(port, page)))
    port.store32(at + openInode.writing.at, port.load32(at + openInode.writing.at) - 1)
    if (!ok) port.store32(at + openInode.error.at, 1)
  }

  /** Every file's pages. */
  writeAll(port: HartPort): void {
    for (let slot = 0; slot < MOST_OPEN; slot++) this.writeOut(port, slot)
  }

  /** Calls the flusher if it is due; returns when it is next. */
  elapsed(port: HartPort): number {
    return this.record.due <= port.read(time) ? this.flush(port) : this.record.due
  }

  /** The flusher: what is old, or all if there is much. Returns when it looks again (ticks). */
  flush(port: HartPort): number {
    const { record } = this
    const now = port.read(time)
    const isMuch = record.dirty > BACKGROUND
    for (let slot = 0; slot < MOST_OPEN; slot++) {
      const at = inodeAt(slot)
      if (port.load32(at + openInode.firstDirty.at) === 0) continue
      if (isMuch || now - port.load64(at + openInode.since.at) >= OLD) this.writeOut(port, slot)
    }
    record.due = record.dirty === 0 ? NEVER : now + (record.dirty > BACKGROUND ? SOON : INTERVAL)
    return record.due
  }
}
