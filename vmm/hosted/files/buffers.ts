/** Blocks of the file system's own area, through the page cache: pages of the device. */
import type { HartPort } from '../../../hw/port.ts'
import {
  CACHE_PAGE,
  FAILED,
  JOURNALED,
  keyOf,
  NO_PAGE,
  type PageCache,
  READING,
  REFERENCED,
  VALID,
} from '../page-cache.ts'
import { BLOCK_READ, type BlockLayer, FOR_PAGES } from './block-layer.ts'
import { DEVICE } from './inodes.ts'

/** In place of an address: the block is being read; it cannot be read. */
export const COMING = 0
export const LOST = -1

const SECTOR = 512

export class Buffers {
  /** Where the area begins on the disk. */
  readonly record = { firstSector: 0 }
  readonly #cache: PageCache
  readonly #blocks: BlockLayer

  constructor(cache: PageCache, blocks: BlockLayer) {
    this.#cache = cache
    this.#blocks = blocks
  }

  sectorOf(block: number): number {
    return this.record.firstSector + (block * CACHE_PAGE) / SECTOR
  }

  /** The page of the cache that holds the block, read when it is not there: NO_PAGE if the cache has no room now. */
  #page(port: HartPort, block: number): number {
    const cache = this.#cache
    const key = keyOf(DEVICE, block)
    let page = cache.find(port, key)
    if (page === NO_PAGE) page = cache.take(port, key)
    if (page === NO_PAGE) return NO_PAGE
    cache.release(port, page)
    const flags = cache.flags(port, page)
    if ((flags & (VALID | READING | FAILED)) === 0) {
      cache.setFlags(port, page, READING | REFERENCED)
      this.#blocks.add(
        port,
        BLOCK_READ,
        this.sectorOf(block),
        CACHE_PAGE / SECTOR,
        cache.addressOf(page),
        FOR_PAGES,
        page,
      )
      this.#blocks.unplug(port)
    }
    return page
  }

  /** Where the block's contents are in memory, COMING or LOST. They stay as long as the entry lasts. */
  read(port: HartPort, block: number): number {
    const page = this.#page(port, block)
    if (page === NO_PAGE) return COMING
    const flags = this.#cache.flags(port, page)
    if ((flags & FAILED) !== 0) return LOST
    if ((flags & VALID) === 0) return COMING
    this.#cache.setFlags(port, page, flags | REFERENCED)
    return this.#cache.addressOf(page)
  }

  /** The block's page, held for the journal from now on; NO_PAGE if the journal has it already or it is not there. */
  journal(port: HartPort, block: number): number {
    const cache = this.#cache
    const page = cache.find(port, keyOf(DEVICE, block))
    if (page === NO_PAGE) return NO_PAGE
    const flags = cache.flags(port, page)
    if ((flags & JOURNALED) !== 0) {
      cache.release(port, page)
      return NO_PAGE
    }
    cache.setFlags(port, page, flags | JOURNALED)
    return page
  }
}
