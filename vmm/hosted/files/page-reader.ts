/** Pages of files for those who want to read or write them: found in the page cache, or taken and read, with others ahead of the reader. */
import type { HartPort } from '../../../hw/port.ts'
import {
  CACHE_PAGE,
  FAILED,
  keyOf,
  MARKER,
  NO_PAGE,
  type PageCache,
  READING,
  REFERENCED,
  VALID,
} from '../page-cache.ts'
import { BLOCK_READ, type BlockLayer, FOR_PAGES } from './block-layer.ts'
import { type FileSystem, HOLE } from './file-system.ts'
import { inodeAt, openInode } from './inodes.ts'
import { ReadAhead } from './read-ahead.ts'

const PAGE_SECTORS = CACHE_PAGE / 512

export class PageReader {
  readonly #ahead = new ReadAhead()
  readonly record = this.#ahead.record
  readonly #cache: PageCache
  readonly #fileSystem: FileSystem
  readonly #blocks: BlockLayer

  constructor(cache: PageCache, fileSystem: FileSystem, blocks: BlockLayer) {
    this.#cache = cache
    this.#fileSystem = fileSystem
    this.#blocks = blocks
  }

  /**
   * The page of the cache for a page of a file, with one user more; NO_PAGE if the cache has none to give now. What it
   * does not hold is being read when this returns, if `needed`; for a reader who wants so many pages, others with it.
   */
  get(port: HartPort, file: number, number: number, wanted: number, isRead: boolean, needed: boolean): number {
    const cache = this.#cache
    const key = keyOf(file, number)
    let page = cache.find(port, key)
    if (page === NO_PAGE && isRead) {
      this.#ahead.missed(port, file, number, wanted)
      this.#readWindow(port, file)
      page = cache.find(port, key)
    }
    if (page === NO_PAGE) page = cache.take(port, key)
    if (page === NO_PAGE) return NO_PAGE
    const flags = cache.flags(port, page)
    if ((flags & (VALID | READING)) === 0 && needed) {
      this.#read(port, file, number, page, REFERENCED)
      return page
    }
    cache.setFlags(port, page, (flags & ~MARKER) | REFERENCED)
    if (isRead && (flags & MARKER) !== 0) {
      this.#ahead.reached(port, file, number)
      this.#readWindow(port, file)
    }
    return page
  }

  /** What has been asked for goes to the disk. A reader has come as far as this page. */
  done(port: HartPort, file: number, isRead: boolean, next: number): void {
    if (isRead) this.#ahead.passed(port, file, next)
    this.#blocks.unplug(port)
  }

  /** Reads the pages of the window that are not in the cache, as long as it has room for them. */
  #readWindow(port: HartPort, file: number): void {
    const cache = this.#cache
    const { first, pages, marker } = this.record
    const end = Math.ceil(port.load64(inodeAt(file) + openInode.length.at) / CACHE_PAGE)
    const last = Math.min(first + pages, end)
    for (let number = first; number < last; number++) {
      const key = keyOf(file, number)
      let page = cache.find(port, key)
      if (page === NO_PAGE) {
        page = cache.take(port, key)
        if (page === NO_PAGE) return
        this.#read(port, file, number, page, number === marker ? MARKER : 0)
      }
      cache.release(port, page)
    }
  }

  #read(port: HartPort, file: number, number: number, page: number, flags: number): void {
    const cache = this.#cache
    const sector = this.#fileSystem.sectorOf(port, file, number)
    if (sector === HOLE) return cache.setFlags(port, page, FAILED)
    cache.setFlags(port, page, READING | flags)
    this.#blocks.add(port, BLOCK_READ, sector, PAGE_SECTORS, cache.addressOf(page), FOR_PAGES, page)
  }
}
