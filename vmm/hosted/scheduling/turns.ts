/** Turns end when they are over: where others wait, a timer of the hart's is set to the end of the current thread's turn, which a tick would find late. */
import type { HartPort } from '../../../hw/port.ts'
import type { RunQueues } from './run-queues.ts'
import type { SoftTimers } from './soft-timers.ts'

/** No timer is set closer (ticks). */
const SHORTEST = 100

export class Turns {
  readonly #queues: RunQueues
  readonly #timers: SoftTimers
  /** The number of hart 0's timer; the others' follow. */
  readonly #first: number

  constructor(queues: RunQueues, timers: SoftTimers, first: number) {
    this.#queues = queues
    this.#timers = timers
    this.#first = first
  }

  /** Sets the hart's timer anew: somebody has got the hart, has come to its queue, or has not used up his turn yet. */
  time(port: HartPort, now: number): void {
    const { hart } = port
    const timer = this.#first + hart
    if (this.#queues.count(port, hart) === 0) return this.#timers.cancel(port, timer)
    this.#timers.start(port, timer, now + Math.max(SHORTEST, this.#queues.left(port, hart)))
  }
}
