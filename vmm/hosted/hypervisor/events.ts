/**
 * Counters that one side adds to and the other sleeps for, as eventfd: a process's thread waits for several, and reads the one
 * that it is told of, which is zero then. The kernel adds when a guest rings a doorbell, a thread to tell another.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { acquire, release } from '../../core/spin-lock.ts'
import { TABLES } from '../layout.ts'
import type { Process } from '../process.ts'
import type { Scheduler } from '../scheduler.ts'

const counter = layout(0x20, 'our own', {
  lock: { at: 0x00, bytes: 16 },
  count: { at: 0x10, bytes: 8 },
})
/** Of a process. */
export const EVENTS = 8

export class Events {
  readonly #processes: readonly Process[]
  readonly #scheduler: Scheduler

  constructor(processes: readonly Process[], scheduler: Scheduler) {
    this.#processes = processes
    this.#scheduler = scheduler
  }

  create(port: HartPort): void {
    port.fill(TABLES.events, 0, this.#processes.length * EVENTS * counter.size)
  }

  #at(process: Process, event: number): number {
    return TABLES.events + (process.vm.index * EVENTS + event) * counter.size
  }

  /** Adds to it, and wakes who waits. */
  add(port: HartPort, process: Process, event: number, by: number): void {
    const at = this.#at(process, event)
    acquire(port, at)
    const count = port.load64(at + counter.count.at)
    port.store64(at + counter.count.at, count + by)
    process.record.ready |= 1 << event
    release(port, at)
    // Who was told and has not read yet finds both.
    if (count === 0) this.#scheduler.wake(port, this.#scheduler.tasks[process.eventTasks[event]])
  }

  /** What has been added since it was read last. */
  read(port: HartPort, process: Process, event: number): number {
    const at = this.#at(process, event)
    acquire(port, at)
    const count = port.load64(at + counter.count.at)
    port.store64(at + counter.count.at, 0)
    process.record.ready &= ~(1 << event)
    release(port, at)
    return count
  }

  /** An event that a thread of the process's waits for and that is not zero, or -1. */
  ready(process: Process, task: number): number {
    const { ready } = process.record
    if (ready === 0) return -1
    for (let event = 0; event < EVENTS; event++)
      if ((ready & (1 << event)) !== 0 && process.eventTasks[event] === task) return event
    return -1
  }
}
