/** Pipes between programs: a page each, a lock, and threads that wait for it to fill or to empty. */
import type { HartPort } from '../../../hw/port.ts'
import type { SmallPages } from '../small-pages.ts'
import type { Scheduler } from '../scheduler.ts'
import { MOST_PIPES, pipe, pipeAt } from './program-frames.ts'
import type { ProgramSpace } from './program-space.ts'
import type { ProgramThread } from './program-thread.ts'

const PAGE = 4096
const WAITS = -1000
const BAD_ADDRESS = -14

export class Pipes {
  readonly record = { made: 0 }
  readonly #threads: readonly ProgramThread[]
  readonly #scheduler: Scheduler
  readonly #small: SmallPages

  constructor(threads: readonly ProgramThread[], scheduler: Scheduler, small: SmallPages) {
    this.#threads = threads
    this.#scheduler = scheduler
    this.#small = small
  }

  /** A new pipe, or -1. */
  make(port: HartPort): number {
    const { record } = this
    if (record.made === MOST_PIPES) return -1
    const page = this.#small.take(port)
    if (page === 0) return -1
    port.fill(pipeAt(record.made), 0, pipe.size)
    port.store64(pipeAt(record.made) + pipe.page.at, page)
    record.made++
    return record.made - 1
  }

  write(
    port: HartPort,
    thread: ProgramThread,
    space: ProgramSpace,
    number: number,
    from: number,
    bytes: number,
  ): number {
    const at = pipeAt(number)
    port.swap32If(at + pipe.lock.at, 0, 1)
    const used = port.load32(at + pipe.used.at)
    const first = used === 0 ? 0 : port.load32(at + pipe.first.at)
    const room = PAGE - first - used
    if (room === 0) return this.#wait(port, at, pipe.writers.at, thread)
    const count = Math.min(bytes, room)
    const copied = space.copyIn(port, port.load64(at + pipe.page.at) + first + used, from, count)
    if (copied) {
      port.store32(at + pipe.first.at, first)
      port.store32(at + pipe.used.at, used + count)
      this.#wake(port, at + pipe.readers.at)
    }
    port.swap32(at + pipe.lock.at, 0)
    return copied ? count : BAD_ADDRESS
  }

  read(port: HartPort, thread: ProgramThread, space: ProgramSpace, number: number, to: number, bytes: number): number {
    const at = pipeAt(number)
    port.swap32If(at + pipe.lock.at, 0, 1)
    const used = port.load32(at + pipe.used.at)
    if (used === 0) return this.#wait(port, at, pipe.readers.at, thread)
    const first = port.load32(at + pipe.first.at)
    const count = Math.min(bytes, used)
    const copied = space.copyOut(port, to, port.load64(at + pipe.page.at) + first, count)
    if (copied) {
      port.store32(at + pipe.first.at, first + count)
      port.store32(at + pipe.used.at, used - count)
      this.#wake(port, at + pipe.writers.at)
    }
    port.swap32(at + pipe.lock.at, 0)
    return copied ? count : BAD_ADDRESS
  }

  #wait(port: HartPort, at: number, waiters: number, thread: ProgramThread): number {
    port.or32(at + waiters, 1 << thread.number)
    port.swap32(at + pipe.lock.at, 0)
    return WAITS
  }

  #wake(port: HartPort, waiters: number): void {
    const mask = port.load32(waiters)
    if (mask === 0) return
    port.store32(waiters, 0)
    for (let number = 0; number < this.#threads.length; number++) {
      if ((mask & (1 << number)) !== 0) this.#scheduler.wake(port, this.#threads[number])
    }
  }
}
