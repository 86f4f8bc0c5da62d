/**
 * What the scheduler keeps in RAM: of a thread, and of a process on a hart, an *entity*; of what runs side by side, a *queue*. A
 * hart has a queue of processes and of threads that belong to none, each process a queue there of its own threads.
 */
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'

/** Times in nanoseconds. `runtime`: time had for its weight; `deadline`: when the turn that it asks for is to be over, by the same clock; `lag`: how much it was behind when it left. */
export const entity = layout(0x100, 'our own', {
  load: { at: 0x00, bytes: 16 },
  runtime: { at: 0x40, bytes: 8 },
  deadline: { at: 0x48, bytes: 8 },
  lag: { at: 0x50, bytes: 8 },
  /** In a queue's tree, by deadline: below and above, the heap order that keeps it balanced, the least runtime from here on down. */
  left: { at: 0x58, bytes: 8 },
  right: { at: 0x60, bytes: 8 },
  above: { at: 0x68, bytes: 8 },
  order: { at: 0x70, bytes: 4 },
  weight: { at: 0x74, bytes: 4 },
  least: { at: 0x78, bytes: 8 },
  /** The queue that it is in, or 0; for a process, the queue of its threads; for a thread, its number. */
  queue: { at: 0x80, bytes: 8 },
  members: { at: 0x88, bytes: 8 },
  number: { at: 0x90, bytes: 4 },
  wakeLock: { at: 0x94, bytes: 4 },
  /** Since when it waits, for how long it has in all, how often it got the hart, the time that it had before this turn. */
  waiting: { at: 0x98, bytes: 8 },
  waited: { at: 0xa0, bytes: 8 },
  switches: { at: 0xa8, bytes: 8 },
  began: { at: 0xb0, bytes: 8 },
  /** Who is told when the thread loses its hart (preemption-notes.ts). */
  notes: { at: 0xb8, bytes: 8 },
  had: { at: 0xc0, bytes: 8 },
  /** Among those that have been woken for a hart: the number of the next, plus one. */
  next: { at: 0xc8, bytes: 4 },
})

/** `current` is in no tree. The average of what all have had is `zero` + `lags` ÷ `weights`. */
export const queue = layout(0x100, 'our own', {
  root: { at: 0x00, bytes: 8 },
  current: { at: 0x08, bytes: 8 },
  zero: { at: 0x10, bytes: 8 },
  lags: { at: 0x18, bytes: 8 },
  weights: { at: 0x20, bytes: 4 },
  /** Entities, the current one included; of a hart: threads in all below. */
  count: { at: 0x24, bytes: 4 },
  threads: { at: 0x28, bytes: 4 },
  /** Of a hart: the number, plus one, of the thread that others have woken for it last. */
  sent: { at: 0x2c, bytes: 4 },
  /** The process whose threads are in it, or 0: a hart's. */
  owner: { at: 0x30, bytes: 8 },
  load: { at: 0x40, bytes: 16 },
  /** Of a hart: its clocks, and its pressure. */
  clock: { at: 0x80, bytes: 8 },
  taskClock: { at: 0x88, bytes: 8 },
  /** Time in interrupts, since when, and how much of it threads' clock has left out. */
  interrupted: { at: 0x90, bytes: 8 },
  interruptedSince: { at: 0x98, bytes: 8 },
  excluded: { at: 0xa0, bytes: 8 },
  pressure: { at: 0xc0, bytes: 16 },
})

/** Threads that there is room for. */
export const MOST_ENTITIES = 192
/** A thread that belongs to no process. */
export const NO_GROUP = -1

export function threadEntity(thread: number): number {
  return TABLES.entities + thread * entity.size
}
