/**
 * Reading ahead, in the manner of Linux: whoever reads a file from its beginning, or goes on where it was, gets a window
 * of pages read beyond what it asked for. The first of those is marked: whoever comes to it has the next, larger window
 * read while it goes on.
 */
import type { HartPort } from '../../../hw/port.ts'
import { inodeAt, openInode } from './inodes.ts'

/** Policy: pages of the largest window (128 KiB). */
export const MOST_AHEAD = 32

/** What is to be read: `pages` from `first` on, the one at `marker` to be marked; no pages: nothing. */
export interface Window {
  readonly record: { first: number; pages: number; marker: number }
}

export class ReadAhead implements Window {
  readonly record = { first: 0, pages: 0, marker: 0 }

  /** A read of `pages` from `first` on does not find its first page. The window holds at least what was asked for. */
  missed(port: HartPort, slot: number, first: number, pages: number): void {
    const at = inodeAt(slot)
    const previous = port.load32(at + openInode.previous.at)
    if (first !== 0 && first !== previous) return this.#set(port, slot, first, pages, 0, false)
    const size = initialWindow(pages)
    this.#set(port, slot, first, size, size - pages, true)
  }

  /** A read comes to a marked page: the window behind the last one. */
  reached(port: HartPort, slot: number, page: number): void {
    const at = inodeAt(slot)
    const start = port.load32(at + openInode.ahead.at)
    const size = port.load32(at + openInode.aheadPages.at)
    // Somebody else's window: the reader has been here before, or another file position is read.
    if (page < start || page >= start + size)
      return this.#set(port, slot, page + 1, initialWindow(1), initialWindow(1), true)
    const next = nextWindow(size)
    this.#set(port, slot, start + size, next, next, true)
  }

  /** A read is over that ended before this page. */
  passed(port: HartPort, slot: number, page: number): void {
    port.store32(inodeAt(slot) + openInode.previous.at, page)
  }

  #set(port: HartPort, slot: number, first: number, pages: number, spare: number, isWindow: boolean): void {
    const { record } = this
    record.first = first
    record.pages = pages
    record.marker = spare > 0 ? first + pages - spare : -1
    if (!isWindow) return
    const at = inodeAt(slot)
    port.store32(at + openInode.ahead.at, first)
    port.store32(at + openInode.aheadPages.at, pages)
    port.store32(at + openInode.aheadSpare.at, spare)
  }
}

/** The first window for a read of so many pages: four times as many, or twice, a power of two, within the limit. */
function initialWindow(pages: number): number {
  let size = 1
  while (size < pages) size *= 2
  if (size <= MOST_AHEAD / 32) size *= 4
  else if (size <= MOST_AHEAD / 4) size *= 2
  else size = MOST_AHEAD
  return size < pages ? pages : size
}

function nextWindow(size: number): number {
  if (size < MOST_AHEAD / 16) return size * 4
  return Math.min(size * 2, MOST_AHEAD)
}
