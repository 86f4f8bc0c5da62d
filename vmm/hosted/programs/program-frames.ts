/** Programs in RAM: what the kernel keeps of their address spaces, descriptors, pipes and waits. */
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'

export const MOST_SPACES = 4
export const MOST_THREADS = 6
export const MOST_PIPES = 4

/** A pipe: its lock, how much it holds of its page, from where, and who waits for it to fill or to empty (masks of threads). */
export const pipe = layout(0x20, 'our own', {
  lock: { at: 0x00, bytes: 4 },
  used: { at: 0x04, bytes: 4 },
  first: { at: 0x08, bytes: 4 },
  readers: { at: 0x0c, bytes: 4 },
  writers: { at: 0x10, bytes: 4 },
  page: { at: 0x18, bytes: 8 },
})

/** A bucket of futexes: its lock, then waiting threads: the address that each waits at, or 0. */
export const futexBucket = layout(0x80, 'our own', {
  lock: { at: 0x00, bytes: 4 },
  waiters: { at: 0x04, bytes: 4 },
  address: { at: 0x10, bytes: 8 },
})
const FUTEX_BUCKETS = 16

/** A thread: its space, its own number and its parent's, where zero is written when it is over. */
export const threadInfo = layout(0x20, 'our own', {
  space: { at: 0x00, bytes: 4 },
  number: { at: 0x04, bytes: 4 },
  parent: { at: 0x08, bytes: 4 },
  flags: { at: 0x0c, bytes: 4 },
})

const PIPES = TABLES.programs
const FUTEXES = PIPES + MOST_PIPES * pipe.size
const THREADS = FUTEXES + FUTEX_BUCKETS * futexBucket.size
/** All of it. */
export const PROGRAM_TABLES = {
  base: TABLES.programs,
  bytes: THREADS + MOST_THREADS * threadInfo.size - TABLES.programs,
}

export function pipeAt(number: number): number {
  return PIPES + number * pipe.size
}

export function futexBucketAt(address: number): number {
  return FUTEXES + (Math.floor(address / 4) % FUTEX_BUCKETS) * futexBucket.size
}

export function threadAt(thread: number): number {
  return THREADS + thread * threadInfo.size
}
