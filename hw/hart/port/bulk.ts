/**
 * Block copies, chunk by chunk. Instructions are those of the usual loop: words of eight bytes, unrolled eight times,
 * bytes before and after. Interrupts are taken between chunks.
 */
import { PAGE_BYTES } from '../../spec/address.ts'
import { TRAPPED } from '../services.ts'
import { ADDRESS, VALUE } from '../state.ts'
import type { PortHost } from './host.ts'

/** No chunk crosses a multiple of this: some 150 instructions, so that an interrupt waits no longer. */
export const CHUNK_BYTES = 512

/** The call, the comparison of alignments and the choice of loop. */
export const SET_UP = 12
/** Two pointers and a branch for each eight words. */
const LOOP_OF_EIGHT = 3
/** Where the alignments differ, each word is put together from two: two shifts and an or. */
const MERGE = 3
/** A byte: load, store, two pointers, branch. */
const COPIED_BYTE = 5
const FILLED_BYTE = 3

/** Copies up to a chunk. Returns the instructions retired, or -1 if an access trapped. */
export function copyChunk(host: PortHost, to: number, from: number, bytes: number, first: boolean): number {
  const source = host.reach(from, bytes, false)
  if (source === -2) return -1
  const target = host.reach(to, bytes, true)
  if (target === -2) return -1
  if (source < 0 || target < 0) return copySlowly(host, to, from, bytes)
  const { memory } = host
  memory.bytes.copyWithin(target, source, source + bytes)
  memory.written(target, bytes)
  const odd = oddBytes(to, bytes)
  const words = (bytes - odd) / 8
  host.priceRun(source, bytes, false, 'copy')
  host.priceRun(target, bytes, true, 'copy')
  const merge = (to - from) % 8 === 0 ? 0 : MERGE
  return (first ? SET_UP : 0) + words * (2 + merge) + Math.ceil(words / 8) * LOOP_OF_EIGHT + odd * COPIED_BYTE
}

/** Fills up to a chunk, likewise. */
export function fillChunk(host: PortHost, to: number, byte: number, bytes: number, first: boolean): number {
  const target = host.reach(to, bytes, true)
  if (target === -2) return -1
  if (target < 0) return fillSlowly(host, to, byte, bytes)
  const { memory } = host
  memory.bytes.fill(byte, target, target + bytes)
  memory.written(target, bytes)
  const odd = oddBytes(to, bytes)
  const words = (bytes - odd) / 8
  host.priceRun(target, bytes, true, 'copy')
  return (first ? SET_UP : 0) + words + Math.ceil(words / 8) * LOOP_OF_EIGHT + odd * FILLED_BYTE
}

/** Chunks of a page, and more than what filling a page takes in cycles. */
export const CHUNKS_OF_PAGE = PAGE_BYTES / CHUNK_BYTES
export const PAGE_CYCLES = PAGE_BYTES / 2

/** Fills a whole page, at its start, when nothing can come between its chunks. Returns the instructions of each chunk but for the call's, -1, or 0: not so. */
export function fillPage(host: PortHost, to: number, byte: number): number {
  const target = host.reach(to, PAGE_BYTES, true)
  if (target < 0) return target === -2 ? -1 : 0
  const { memory } = host
  if (byte === 0) memory.clearPage(target)
  else {
    memory.bytes.fill(byte, target, target + PAGE_BYTES)
    memory.written(target, PAGE_BYTES)
  }
  return CHUNK_BYTES / 8 + (CHUNK_BYTES / 64) * LOOP_OF_EIGHT
}

/** Bytes before the first and behind the last whole word of the target. */
function oddBytes(to: number, bytes: number): number {
  const head = (8 - (to % 8)) % 8
  return head >= bytes ? bytes : head + ((bytes - head) % 8)
}

/** Where one side is a device, or watched: word by word, as wide as both sides' alignment allows. */
function copySlowly(host: PortHost, to: number, from: number, bytes: number): number {
  let instructions = 0
  for (let done = 0; done < bytes; ) {
    const width = widthAt(to + done, widthAt(from + done, bytes - done))
    putAddress(host, from + done)
    if (host.load(width, false) === TRAPPED) return -1
    putAddress(host, to + done)
    if (host.store(width) === TRAPPED) return -1
    done += width
    instructions += COPIED_BYTE
  }
  return instructions
}

function fillSlowly(host: PortHost, to: number, byte: number, bytes: number): number {
  const { words } = host.memory
  const pattern = (byte & 0xff) * 0x0101_0101
  let instructions = 0
  for (let done = 0; done < bytes; ) {
    const width = widthAt(to + done, bytes - done)
    putAddress(host, to + done)
    words[VALUE >> 2] = pattern
    words[(VALUE >> 2) + 1] = pattern
    if (host.store(width) === TRAPPED) return -1
    done += width
    instructions += FILLED_BYTE
  }
  return instructions
}

/** The widest access that is aligned at `address` and takes at most `room` bytes. */
function widthAt(address: number, room: number): number {
  let width = 8
  while (address % width !== 0 || width > room) width /= 2
  return width
}

function putAddress(host: PortHost, address: number): void {
  const { words } = host.memory
  words[ADDRESS >> 2] = address | 0
  words[(ADDRESS >> 2) + 1] = Math.floor(address / 0x1_0000_0000)
}
