/**
 * The file system of the hosted configuration's host, in the manner of ext4: extents, an inode table, a bitmap, a
 * journal. Whoever makes the disk writes it, the host's kernel mounts it. It lies in an area of the host's own at the
 * disk's end; the disks of guests are files whose extents lie in front of it, where the guests' data is.
 *
 *   0 superblock · 1 bitmap of the area's blocks · 2 inode table · journal · blocks that files and directories take
 *
 * Blocks of the area are counted from its first; extents name sectors of the whole disk, for an image that was there
 * before the file system may begin at any.
 */
import { layout } from '../layout.ts'

export const FS_BLOCK = 4096
export const FS_BLOCK_SECTORS = FS_BLOCK / 512
/** The area: 4 MiB. */
export const FS_AREA_BLOCKS = 1024
export const FS_AREA_SECTORS = FS_AREA_BLOCKS * FS_BLOCK_SECTORS
export const FS_MAGIC = 0x6261_7265
/** First block and number of blocks of each part. */
export const FS_BITMAP = 1
export const FS_INODES = { first: 2, blocks: 4 } as const
export const FS_JOURNAL = { first: 6, blocks: 256 } as const
export const FS_FIRST_FREE = FS_JOURNAL.first + FS_JOURNAL.blocks

export const superblock = layout(0x40, 'our own', {
  magic: { at: 0x00, bytes: 4 },
  blocks: { at: 0x04, bytes: 4 },
  bitmap: { at: 0x08, bytes: 4 },
  inodeTable: { at: 0x0c, bytes: 4 },
  inodes: { at: 0x10, bytes: 4 },
  journal: { at: 0x14, bytes: 4 },
  journalBlocks: { at: 0x18, bytes: 4 },
  root: { at: 0x1c, bytes: 4 },
  /** The last transaction that has been committed, and whose blocks are all where they belong. */
  sequence: { at: 0x20, bytes: 4 },
})

/** An inode: what it is, its size and time, and the root of its extent tree: a header, then four extents or indices. */
export const inode = layout(0x80, 'our own', {
  kind: { at: 0x00, bytes: 4 },
  links: { at: 0x04, bytes: 4 },
  length: { at: 0x08, bytes: 8 },
  /** In ticks of the time CSR. */
  modified: { at: 0x10, bytes: 8 },
  tree: { at: 0x30, bytes: 16 },
})
export const INODE_EXTENTS = 4
export const INODES_A_BLOCK = FS_BLOCK / inode.size
export const KIND_FILE = 1
export const KIND_DIRECTORY = 2
export const ROOT_INODE = 1

/** In front of the entries of a node. `depth` 0: they are extents. */
export const extentHeader = layout(0x10, 'our own', {
  magic: { at: 0x00, bytes: 4 },
  entries: { at: 0x04, bytes: 4 },
  depth: { at: 0x08, bytes: 4 },
})
export const EXTENT_MAGIC = 0xf30a
/** So many blocks of a file from `logical` on lie on the disk from sector `start` on. In an index: `start` is the block of the area that holds the node. */
export const extent = layout(0x10, 'our own', {
  logical: { at: 0x00, bytes: 4 },
  blocks: { at: 0x04, bytes: 4 },
  start: { at: 0x08, bytes: 8 },
})
export const LEAF_EXTENTS = FS_BLOCK / extent.size - 1
/** As in ext4: 128 MiB. */
export const MOST_EXTENT_BLOCKS = 32768

/** An entry of a directory: 64 bytes, inode 0 if it is free. */
export const directoryEntry = layout(0x40, 'our own', {
  inode: { at: 0x00, bytes: 4 },
  length: { at: 0x04, bytes: 4 },
  name: { at: 0x08, bytes: 8 },
})

/** A block of the journal that begins or ends a transaction; behind the first: the blocks of the area that it holds, 4 bytes each. */
export const journalBlock = layout(0x10, 'our own', {
  magic: { at: 0x00, bytes: 4 },
  kind: { at: 0x04, bytes: 4 },
  sequence: { at: 0x08, bytes: 4 },
  blocks: { at: 0x0c, bytes: 4 },
})
export const JOURNAL_MAGIC = 0xc03b_3998
export const JOURNAL_DESCRIPTOR = 1
export const JOURNAL_COMMIT = 2

/** Where a guest's disk is: the directory, and the file's name in it. */
export const IMAGES = 'images'
export function imageName(guest: number): string {
  return `guest${guest}.img`
}

/** The host's log: a file that is empty at first, and grows. */
export const LOG = { directory: 'log', name: 'messages' } as const
