/**
 * What is to happen at a time: a heap of timers a hart, in RAM and behind a lock, of which the hart's comparator knows the
 * first. A timer is a number: a thread's, which wakes it, or somebody else's, who is called.
 */
import type { HartPort } from '../../../hw/port.ts'
import { acquire, LOCK_BYTES, release } from '../../core/spin-lock.ts'
import { NOWHERE } from '../../core/vcpu.ts'
import { heapCount, heapFirst, heapFirstKey, heapPop, heapPush, heapRemove } from '../heap.ts'
import { NEVER } from '../task.ts'

/** In a hart's page: its lock. */
const LOCK = 4096 - LOCK_BYTES

export class SoftTimers {
  /** By hart: where its heap lies. By timer: the hart whose heap it is in, or NOWHERE. */
  readonly pages: Float64Array
  readonly homes: Int32Array
  readonly #elapsed: (port: HartPort, timer: number) => void

  constructor(timers: number, harts: number, elapsed: (port: HartPort, timer: number) => void) {
    this.pages = new Float64Array(harts)
    this.homes = new Int32Array(timers).fill(NOWHERE)
    this.#elapsed = elapsed
  }

  /** Sets a timer, on this hart. */
  start(port: HartPort, timer: number, due: number): void {
    this.cancel(port, timer)
    const page = this.pages[port.hart]
    acquire(port, page + LOCK)
    this.homes[timer] = port.hart
    heapPush(port, page, due, timer)
    release(port, page + LOCK)
  }

  /** A timer that is set is so no longer. */
  cancel(port: HartPort, timer: number): void {
    const home = this.homes[timer]
    if (home === NOWHERE) return
    const page = this.pages[home]
    acquire(port, page + LOCK)
    heapRemove(port, page, timer)
    this.homes[timer] = NOWHERE
    release(port, page + LOCK)
  }

  /** Calls those of this hart's that are due; returns when the next is (ticks). */
  expire(port: HartPort, now: number): number {
    const page = this.pages[port.hart]
    acquire(port, page + LOCK)
    let next = NEVER
    while (heapCount(port, page) > 0) {
      next = heapFirstKey(port, page)
      if (next > now) break
      next = NEVER
      const timer = heapFirst(port, page)
      heapPop(port, page)
      this.homes[timer] = NOWHERE
      // Whoever is called may set it again, here or elsewhere.
      release(port, page + LOCK)
      this.#elapsed(port, timer)
      acquire(port, page + LOCK)
    }
    release(port, page + LOCK)
    return next
  }
}
