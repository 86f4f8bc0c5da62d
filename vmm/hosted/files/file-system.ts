/**
 * The host's file system (hw/spec/layouts/host-file-system.ts): mounting, looking a path up, opening, and where the
 * pages of open files lie on the disk. An open file's extents are kept in memory, in order, and searched by halving.
 * What has to wait for the disk says so and is asked again: the kernel has no stack to wait on.
 */
import type { HartPort } from '../../../hw/port.ts'
import {
  directoryEntry,
  extent,
  EXTENT_MAGIC,
  extentHeader,
  FS_AREA_SECTORS,
  FS_BLOCK,
  FS_BLOCK_SECTORS,
  FS_MAGIC,
  inode,
  INODES_A_BLOCK,
  superblock,
} from '../../../hw/spec/layouts/host-file-system.ts'
import type { FreeMemory } from '../../core/free-memory.ts'
import { TABLES } from '../layout.ts'
import type { BlockLayer } from './block-layer.ts'
import { type Buffers, COMING, LOST } from './buffers.ts'
import { clearInodes, DEVICE, inodeAt, NO_INODE, openInode, slotOfInode } from './inodes.ts'

/** In place of what was asked for: it comes later; there is none. */
export const LATER = -2
export const NONE = -1

const SLASH = 0x2f
/** Extents of an open file: a page of them. */
const MOST_EXTENTS = FS_BLOCK / extent.size
/** The page has no place on the disk. */
export const HOLE = -1

export class FileSystem {
  readonly record = { mounted: false, failed: false, inodeTable: 0, inodes: 0, root: 0, mapped: 0 }
  readonly #buffers: Buffers
  readonly #blocks: BlockLayer
  readonly #free: FreeMemory

  constructor(buffers: Buffers, blocks: BlockLayer, free: FreeMemory) {
    this.#buffers = buffers
    this.#blocks = blocks
    this.#free = free
  }

  /** Reads the superblock. False as long as it has to wait. */
  mount(port: HartPort): boolean {
    const { record } = this
    if (record.mounted || record.failed) return true
    const { record: blocks } = this.#blocks
    if (blocks.failed) {
      record.failed = true
      return true
    }
    this.#buffers.record.firstSector = this.#blocks.sectors() - FS_AREA_SECTORS
    const at = this.#buffers.read(port, 0)
    if (at === COMING) return false
    if (at === LOST || port.load32(at + superblock.magic.at) !== FS_MAGIC) {
      record.failed = true
      return true
    }
    record.inodeTable = port.load32(at + superblock.inodeTable.at)
    record.inodes = port.load32(at + superblock.inodes.at)
    record.root = port.load32(at + superblock.root.at)
    clearInodes(port)
    record.mounted = true
    return true
  }

  /** The slot of the file with the path that lies at TABLES.path, so many bytes: NONE if there is none, LATER if it has to wait. */
  open(port: HartPort, bytes: number): number {
    const { record } = this
    if (!record.mounted) return NONE
    let slot = this.#load(port, record.root)
    let at = 0
    while (slot >= 0 && at < bytes) {
      let end = at
      while (end < bytes && port.load8(TABLES.path + end) !== SLASH) end++
      if (end > at) slot = this.#enter(port, slot, TABLES.path + at, end - at)
      at = end + 1
    }
    return slot
  }

  /** The slot of a directory's entry. */
  #enter(port: HartPort, directory: number, name: number, length: number): number {
    const number = this.#lookUp(port, directory, name, length)
    return number < 0 ? number : this.#load(port, number)
  }

  /** The inode's number that a directory has for a name. */
  #lookUp(port: HartPort, directory: number, name: number, length: number): number {
    const size = port.load64(inodeAt(directory) + openInode.length.at)
    for (let page = 0; page * FS_BLOCK < size; page++) {
      const sector = this.sectorOf(port, directory, page)
      if (sector === HOLE) continue
      const block = this.#buffers.read(port, (sector - this.#buffers.record.firstSector) / FS_BLOCK_SECTORS)
      if (block === COMING) return LATER
      if (block === LOST) return NONE
      for (let at = block; at < block + FS_BLOCK; at += directoryEntry.size) {
        const number = port.load32(at + directoryEntry.inode.at)
        if (number === 0 || port.load32(at + directoryEntry.length.at) !== length) continue
        if (isSame(port, at + directoryEntry.name.at, name, length)) return number
      }
    }
    return NONE
  }

  /** The block of the inode table that holds an inode. */
  blockOf(number: number): number {
    return this.record.inodeTable + Math.floor(number / INODES_A_BLOCK)
  }

  /** An inode's slot in memory, filled from the table when it is not there. */
  #load(port: HartPort, number: number): number {
    const open = slotOfInode(port, number)
    if (open !== NO_INODE) return open
    if (number >= this.record.inodes) return NONE
    const block = this.#buffers.read(port, this.blockOf(number))
    if (block === COMING) return LATER
    if (block === LOST) return NONE
    const from = block + (number % INODES_A_BLOCK) * inode.size
    const tree = from + inode.tree.at
    if (port.load32(tree + extentHeader.magic.at) !== EXTENT_MAGIC) return NONE
    const ready = this.#readLeaves(port, tree)
    if (ready !== 0) return ready
    const slot = slotOfInode(port, 0)
    if (slot === NO_INODE) return NONE
    const at = inodeAt(slot)
    port.fill(at, 0, openInode.size)
    const extents = this.#free.takeTable(port)
    if (extents === 0) return NONE
    port.store32(at + openInode.number.at, number)
    port.store64(at + openInode.length.at, port.load64(from + inode.length.at))
    port.store64(at + openInode.modified.at, port.load64(from + inode.modified.at))
    port.store64(at + openInode.extents.at, extents)
    port.store32(at + openInode.extentCount.at, this.#copyExtents(port, extents, tree))
    return slot
  }

  /** 0 once the leaves of an extent tree can be read; LATER or NONE. */
  #readLeaves(port: HartPort, tree: number): number {
    if (port.load32(tree + extentHeader.depth.at) === 0) return 0
    const entries = port.load32(tree + extentHeader.entries.at)
    for (let index = 0; index < entries; index++) {
      const leaf = this.#buffers.read(port, port.load64(entryAt(tree, index) + extent.start.at))
      if (leaf === COMING) return LATER
      if (leaf === LOST || port.load32(leaf + extentHeader.magic.at) !== EXTENT_MAGIC) return NONE
    }
    return 0
  }

  /** Copies a tree's extents, in their order, to a page. How many there are. */
  #copyExtents(port: HartPort, to: number, tree: number): number {
    const entries = port.load32(tree + extentHeader.entries.at)
    if (port.load32(tree + extentHeader.depth.at) === 0) {
      port.copy(to, entryAt(tree, 0), entries * extent.size)
      return entries
    }
    let count = 0
    for (let index = 0; index < entries; index++) {
      const leaf = this.#buffers.read(port, port.load64(entryAt(tree, index) + extent.start.at))
      const here = Math.min(port.load32(leaf + extentHeader.entries.at), MOST_EXTENTS - count)
      port.copy(to + count * extent.size, entryAt(leaf, 0), here * extent.size)
      count += here
    }
    return count
  }

  /** The sector where a page of an open file begins, or HOLE; `record.mapped` is how many pages lie there one behind the other. */
  sectorOf(port: HartPort, slot: number, page: number): number {
    const { record } = this
    if (slot === DEVICE) {
      record.mapped = 1
      return this.#buffers.sectorOf(page)
    }
    const at = inodeAt(slot)
    const extents = port.load64(at + openInode.extents.at)
    let low = 0
    let high = port.load32(at + openInode.extentCount.at) - 1
    if (high < 0) return HOLE
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (port.load32(extents + middle * extent.size + extent.logical.at) <= page) low = middle
      else high = middle - 1
    }
    const found = extents + low * extent.size
    const offset = page - port.load32(found + extent.logical.at)
    const blocks = port.load32(found + extent.blocks.at)
    if (offset < 0 || offset >= blocks) return HOLE
    record.mapped = blocks - offset
    return port.load64(found + extent.start.at) + offset * FS_BLOCK_SECTORS
  }
}

function entryAt(node: number, index: number): number {
  return node + extentHeader.size + index * extent.size
}

function isSame(port: HartPort, name: number, other: number, length: number): boolean {
  for (let index = 0; index < length; index++) {
    if (port.load8(name + index) !== port.load8(other + index)) return false
  }
  return true
}
