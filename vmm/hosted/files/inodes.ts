/** Files that are open, in RAM: what their inodes say, where their extents are, and what of them has to be written. */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'

/** Slot 0 is the disk's area of the file system itself: its blocks are pages of the cache as well. */
export const DEVICE = 0
export const MOST_OPEN = 62
export const NO_INODE = -1

/** `number` 0: the slot is free. Numbers of pages are those of the cache, plus one. */
export const openInode = layout(0x80, 'our own', {
  number: { at: 0x00, bytes: 4 },
  flags: { at: 0x04, bytes: 4 },
  length: { at: 0x08, bytes: 8 },
  modified: { at: 0x10, bytes: 8 },
  /** The extents, in order, and how many. */
  extents: { at: 0x18, bytes: 8 },
  extentCount: { at: 0x20, bytes: 4 },
  /** Pages that hold what the disk does not: the first, the last, how many, and since when there are any (ticks). */
  firstDirty: { at: 0x24, bytes: 4 },
  lastDirty: { at: 0x28, bytes: 4 },
  dirty: { at: 0x2c, bytes: 4 },
  since: { at: 0x30, bytes: 8 },
  /** Pages that are being written, and whether a write has failed. */
  writing: { at: 0x38, bytes: 4 },
  error: { at: 0x3c, bytes: 4 },
  /** Reading ahead: the page read last, plus one; the window's first page, its size, and how much of it was not asked for. */
  previous: { at: 0x40, bytes: 4 },
  ahead: { at: 0x44, bytes: 4 },
  aheadPages: { at: 0x48, bytes: 4 },
  aheadSpare: { at: 0x4c, bytes: 4 },
  /** Pages in the cache. */
  cached: { at: 0x50, bytes: 4 },
})

/** Flag: where its data lies, or how much it is, has changed since the journal's last transaction. */
export const MAP_CHANGED = 1

export function inodeAt(slot: number): number {
  return TABLES.inodes + slot * openInode.size
}

export function clearInodes(port: HartPort): void {
  port.fill(TABLES.inodes, 0, MOST_OPEN * openInode.size)
}

/** The slot of an inode that is open, or NO_INODE. */
export function slotOfInode(port: HartPort, number: number): number {
  for (let slot = 1; slot < MOST_OPEN; slot++) {
    if (port.load32(inodeAt(slot) + openInode.number.at) === number) return slot
  }
  return NO_INODE
}
