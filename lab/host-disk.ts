/** The disk of the hosted configuration's host: the user's disk, and behind it the host's file system, made anew, in which guests' disks are files. */
import { type Backing, MemoryBacking } from '../hw/devices/disk-backing.ts'
import {
  directoryEntry,
  extent,
  EXTENT_MAGIC,
  extentHeader,
  FS_AREA_BLOCKS,
  FS_AREA_SECTORS,
  FS_BITMAP,
  FS_BLOCK,
  FS_BLOCK_SECTORS,
  FS_FIRST_FREE,
  FS_INODES,
  FS_JOURNAL,
  FS_MAGIC,
  IMAGES,
  imageName,
  inode,
  INODE_EXTENTS,
  INODES_A_BLOCK,
  KIND_DIRECTORY,
  KIND_FILE,
  LEAF_EXTENTS,
  LOG,
  MOST_EXTENT_BLOCKS,
  ROOT_INODE,
  superblock,
} from '../hw/spec/layouts/host-file-system.ts'
import { JoinedBacking } from './joined-backing.ts'

/** A part of the disk, which becomes a file in a directory of the root. */
export interface DiskFile {
  readonly directory: string
  readonly name: string
  readonly first: number
  readonly sectors: number
}

/** The file that a guest's part of the disk becomes. */
export function guestDisk(guest: number, { first, sectors }: { first: number; sectors: number }): DiskFile {
  return { directory: IMAGES, name: imageName(guest), first, sectors }
}

interface ExtentEntry {
  readonly logical: number
  readonly blocks: number
  readonly start: number
}

/** The area's bytes while the file system is being made. */
class Area {
  readonly bytes = new Uint8Array(FS_AREA_BLOCKS * FS_BLOCK)
  readonly #view = new DataView(this.bytes.buffer)
  readonly #firstSector: number
  #nextBlock: number = FS_FIRST_FREE
  #nextInode = ROOT_INODE + 1

  /** `firstSector`: where the area lies on the disk. */
  constructor(firstSector: number) {
    this.#firstSector = firstSector
    const word = (member: { at: number }, value: number) => this.#view.setUint32(member.at, value, true)
    word(superblock.magic, FS_MAGIC)
    word(superblock.blocks, FS_AREA_BLOCKS)
    word(superblock.bitmap, FS_BITMAP)
    word(superblock.inodeTable, FS_INODES.first)
    word(superblock.inodes, FS_INODES.blocks * INODES_A_BLOCK)
    word(superblock.journal, FS_JOURNAL.first)
    word(superblock.journalBlocks, FS_JOURNAL.blocks)
    word(superblock.root, ROOT_INODE)
  }

  sectorOf(block: number): number {
    return this.#firstSector + block * FS_BLOCK_SECTORS
  }

  takeBlock(): number {
    if (this.#nextBlock === FS_AREA_BLOCKS) throw new Error("the host's file system is full")
    return this.#nextBlock++
  }

  #store64(at: number, value: number): void {
    this.#view.setBigUint64(at, BigInt(value), true)
  }

  #node(at: number, depth: number, entries: readonly ExtentEntry[]): void {
    this.#view.setUint32(at + extentHeader.magic.at, EXTENT_MAGIC, true)
    this.#view.setUint32(at + extentHeader.entries.at, entries.length, true)
    this.#view.setUint32(at + extentHeader.depth.at, depth, true)
    entries.forEach(({ logical, blocks, start }, index) => {
      const entry = at + extentHeader.size + index * extent.size
      this.#view.setUint32(entry + extent.logical.at, logical, true)
      this.#view.setUint32(entry + extent.blocks.at, blocks, true)
      this.#store64(entry + extent.start.at, start)
    })
  }

  /** A new inode with these extents, in leaves of their own if it has no room for them. Its number. */
  addInode(kind: number, size: number, extents: readonly ExtentEntry[], number = this.#nextInode++): number {
    const at = FS_INODES.first * FS_BLOCK + number * inode.size
    this.#view.setUint32(at + inode.kind.at, kind, true)
    this.#view.setUint32(at + inode.links.at, 1, true)
    this.#store64(at + inode.length.at, size)
    if (extents.length <= INODE_EXTENTS) {
      this.#node(at + inode.tree.at, 0, extents)
      return number
    }
    const indices: ExtentEntry[] = []
    for (let first = 0; first < extents.length; first += LEAF_EXTENTS) {
      const leaf = this.takeBlock()
      this.#node(leaf * FS_BLOCK, 0, extents.slice(first, first + LEAF_EXTENTS))
      indices.push({ logical: extents[first].logical, blocks: 0, start: leaf })
    }
    if (indices.length > INODE_EXTENTS)
      throw new Error(
        `a file of ${size} bytes: the host's file system has room for ${INODE_EXTENTS * LEAF_EXTENTS} extents`,
      )
    this.#node(at + inode.tree.at, 1, indices)
    return number
  }

  /** A directory's block with its entries; returns the block. */
  directory(entries: readonly { readonly name: string; readonly inode: number }[]): number {
    if (entries.length * directoryEntry.size > FS_BLOCK)
      throw new Error(
        `${entries.length} files in a directory: the host's file system has room for ${FS_BLOCK / directoryEntry.size}`,
      )
    const block = this.takeBlock()
    entries.forEach((entry, index) => {
      const at = block * FS_BLOCK + index * directoryEntry.size
      this.#view.setUint32(at + directoryEntry.inode.at, entry.inode, true)
      this.#view.setUint32(at + directoryEntry.length.at, entry.name.length, true)
      this.bytes.set(new TextEncoder().encode(entry.name), at + directoryEntry.name.at)
    })
    return block
  }

  /** Marks what has been taken in the bitmap. */
  finish(): void {
    for (let block = 0; block < this.#nextBlock; block++)
      this.bytes[FS_BITMAP * FS_BLOCK + (block >> 3)] |= 1 << (block & 7)
  }
}

/** Extents of a file that lies in one piece. */
function extentsOf(first: number, blocks: number): readonly ExtentEntry[] {
  const extents: ExtentEntry[] = []
  for (let logical = 0; logical < blocks; logical += MOST_EXTENT_BLOCKS) {
    extents.push({
      logical,
      blocks: Math.min(MOST_EXTENT_BLOCKS, blocks - logical),
      start: first + logical * FS_BLOCK_SECTORS,
    })
  }
  return extents
}

/** The disk with the host's file system behind it. What lies on the disk stays where it is: its parts become files in place, in whole blocks. */
export function hostDisk(disk: Backing, files: readonly DiskFile[]): Backing {
  const parts = [...files, { ...LOG, first: 0, sectors: 0 }]
  const area = new Area(disk.sectors)
  const names = [...new Set(parts.map(({ directory }) => directory))]
  const directoryOf = (entries: Parameters<Area['directory']>[0], number?: number) => {
    const extents = [{ logical: 0, blocks: 1, start: area.sectorOf(area.directory(entries)) }]
    return area.addInode(KIND_DIRECTORY, FS_BLOCK, extents, number)
  }
  const directories = names.map(name => {
    const inside = parts.filter(({ directory }) => directory === name)
    const entries = inside.map(file => {
      const blocks = Math.floor(file.sectors / FS_BLOCK_SECTORS)
      return { name: file.name, inode: area.addInode(KIND_FILE, blocks * FS_BLOCK, extentsOf(file.first, blocks)) }
    })
    return { name, inode: directoryOf(entries) }
  })
  directoryOf(directories, ROOT_INODE)
  area.finish()
  return new JoinedBacking(disk, new MemoryBacking(FS_AREA_SECTORS, area.bytes))
}
