/** Files that grow: blocks from the bitmap, as near to the file's last as there are, in its extents and its inode, all through the journal. */
import type { HartPort } from '../../../hw/port.ts'
import {
  extent,
  extentHeader,
  FS_AREA_BLOCKS,
  FS_BITMAP,
  FS_BLOCK,
  FS_BLOCK_SECTORS,
  FS_FIRST_FREE,
  inode,
  INODE_EXTENTS,
  INODES_A_BLOCK,
  MOST_EXTENT_BLOCKS,
} from '../../../hw/spec/layouts/host-file-system.ts'
import { type Buffers, COMING, LOST } from './buffers.ts'
import { type FileSystem, LATER, NONE } from './file-system.ts'
import { inodeAt, MAP_CHANGED, openInode } from './inodes.ts'
import type { Journal } from './journal.ts'

const FULL_WORD = 0xffff_ffff
const WORD_BITS = 32

export class Allocation {
  readonly #buffers: Buffers
  readonly #fileSystem: FileSystem
  readonly #journal: Journal

  constructor(buffers: Buffers, fileSystem: FileSystem, journal: Journal) {
    this.#buffers = buffers
    this.#fileSystem = fileSystem
    this.#journal = journal
  }

  /** Makes a file so long, its blocks given where it has none. 0, or LATER if that has to wait, or NONE if there is no room. */
  grow(port: HartPort, slot: number, length: number): number {
    const at = inodeAt(slot)
    const number = port.load32(at + openInode.number.at)
    const bitmap = this.#buffers.read(port, FS_BITMAP)
    const table = this.#buffers.read(port, this.#fileSystem.blockOf(number))
    if (bitmap === COMING || table === COMING) return LATER
    if (bitmap === LOST || table === LOST) return NONE
    const own = table + (number % INODES_A_BLOCK) * inode.size
    const before = Math.ceil(port.load64(at + openInode.length.at) / FS_BLOCK)
    const after = Math.ceil(length / FS_BLOCK)
    for (let page = before; page < after; page++) {
      const block = this.#find(port, bitmap, this.#behind(port, at))
      if (block === NONE || !this.#append(port, at, own, page, block)) return NONE
      this.#mark(port, bitmap, block)
    }
    if (after > before && !this.#journal.join(port, FS_BITMAP)) return NONE
    port.store64(at + openInode.length.at, length)
    port.store64(own + inode.length.at, length)
    port.store32(at + openInode.flags.at, port.load32(at + openInode.flags.at) | MAP_CHANGED)
    return this.#journal.join(port, this.#fileSystem.blockOf(number)) ? 0 : NONE
  }

  /** The block behind the file's last, which suits it best. */
  #behind(port: HartPort, at: number): number {
    const count = port.load32(at + openInode.extentCount.at)
    if (count === 0) return FS_FIRST_FREE
    const last = port.load64(at + openInode.extents.at) + (count - 1) * extent.size
    const end = port.load64(last + extent.start.at) + port.load32(last + extent.blocks.at) * FS_BLOCK_SECTORS
    const block = (end - this.#buffers.record.firstSector) / FS_BLOCK_SECTORS
    return block >= FS_FIRST_FREE && block < FS_AREA_BLOCKS ? block : FS_FIRST_FREE
  }

  /** A free block from `from` on, or from the beginning; NONE if there is none. */
  #find(port: HartPort, bitmap: number, from: number): number {
    for (let step = 0; step <= FS_AREA_BLOCKS / WORD_BITS; step++) {
      const word = (Math.floor(from / WORD_BITS) + step) % (FS_AREA_BLOCKS / WORD_BITS)
      const bits = port.load32(bitmap + word * 4)
      if (bits === FULL_WORD) continue
      const first = step === 0 ? from % WORD_BITS : 0
      for (let bit = first; bit < WORD_BITS; bit++) if ((bits & (1 << bit)) === 0) return word * WORD_BITS + bit
    }
    return NONE
  }

  #mark(port: HartPort, bitmap: number, block: number): void {
    const at = bitmap + Math.floor(block / WORD_BITS) * 4
    port.store32(at, (port.load32(at) | (1 << (block % WORD_BITS))) >>> 0)
  }

  /** The block becomes a page of the file: its last extent grows, or there is one more. False if the inode has no room for it. */
  #append(port: HartPort, at: number, own: number, page: number, block: number): boolean {
    const count = port.load32(at + openInode.extentCount.at)
    const extents = port.load64(at + openInode.extents.at)
    const tree = own + inode.tree.at
    const sector = this.#buffers.sectorOf(block)
    const last = extents + (count - 1) * extent.size
    if (count > 0) {
      const blocks = port.load32(last + extent.blocks.at)
      if (
        port.load64(last + extent.start.at) + blocks * FS_BLOCK_SECTORS === sector &&
        port.load32(last + extent.logical.at) + blocks === page &&
        blocks < MOST_EXTENT_BLOCKS
      ) {
        port.store32(last + extent.blocks.at, blocks + 1)
        port.store32(tree + extentHeader.size + (count - 1) * extent.size + extent.blocks.at, blocks + 1)
        return true
      }
    }
    if (count === INODE_EXTENTS || port.load32(tree + extentHeader.depth.at) !== 0) return false
    const fresh = extents + count * extent.size
    port.store32(fresh + extent.logical.at, page)
    port.store32(fresh + extent.blocks.at, 1)
    port.store64(fresh + extent.start.at, sector)
    port.copy(tree + extentHeader.size + count * extent.size, fresh, extent.size)
    port.store32(tree + extentHeader.entries.at, count + 1)
    port.store32(at + openInode.extentCount.at, count + 1)
    return true
  }
}
