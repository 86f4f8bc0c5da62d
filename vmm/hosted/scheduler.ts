/**
 * The host's scheduler: a tick on every hart that has work, and fairness by weight. Whoever has had least for its
 * weight runs next; a task that wakes goes before one that has had clearly more. Pinned tasks run on their hart only.
 */
import type { HartPort } from '../../hw/port.ts'
import { NOWHERE } from '../core/vcpu.ts'
import { ASLEEP, NEVER, READY, type Task } from './task.ts'

/** Policy, in ticks of the time CSR (10 MHz): 250 ticks of the scheduler a second; caps count in periods of 100 ms. */
export const TICK = 40_000
const PERIOD = 1_000_000
/** A woken task goes before one that has had so much more than it, and gets no more credit than this for its sleep. */
const GRANULARITY = 10_000
const CREDIT = 30_000
const USUAL_WEIGHT = 256

export const IDLE = -1

export class Scheduler {
  readonly tasks: readonly Task[]
  /** By hart: the task that is current, or IDLE; whether another is wanted; when its next tick is; since when the task has been charged. */
  readonly current: Int32Array
  readonly wanted: Int32Array
  readonly ticks: Float64Array
  readonly since: Float64Array
  /** By hart: harts that it has to interrupt before it goes on (a mask). */
  readonly kicks: Int32Array
  /** The least runtime of a task that ran lately; and the number of the period in which caps are counted. */
  readonly record = { least: 0, period: 0 }
  readonly #processes: readonly { readonly record: { used: number } }[]

  constructor(tasks: readonly Task[], harts: number) {
    this.tasks = tasks
    this.current = new Int32Array(harts).fill(IDLE)
    this.wanted = new Int32Array(harts)
    this.ticks = new Float64Array(harts).fill(NEVER)
    this.since = new Float64Array(harts)
    this.kicks = new Int32Array(harts)
    this.#processes = [...new Set(tasks.map(task => task.process))]
  }

  /** Makes a sleeping task ready, and sees to it that a hart takes it up. */
  wake(port: HartPort, task: Task): void {
    const { record } = task
    if (record.state !== ASLEEP) return
    record.state = READY
    record.due = NEVER
    const floor = this.record.least - CREDIT
    if (record.runtime < floor) record.runtime = floor
    // The hart where it fell asleep may still be saving it, and looks for work itself afterwards.
    if (record.hart !== NOWHERE) return this.want(port, record.hart)
    const hart = this.#place(port, task)
    const running = this.current[hart]
    if (running === IDLE || this.tasks[running].record.runtime > record.runtime + GRANULARITY) this.want(port, hart)
  }

  /** Puts a task to sleep until somebody wakes it, or until `due`. It leaves its hart when the entry is over. */
  sleep(task: Task, due: number): void {
    task.record.state = ASLEEP
    task.record.due = due
  }

  /** A task that may run anywhere has lost its hart: one that idles looks for it. */
  offer(port: HartPort): void {
    for (let hart = 0; hart < this.current.length; hart++) {
      if (this.current[hart] === IDLE && hart !== port.hart) return this.want(port, hart)
    }
  }

  /** Makes a hart choose anew. */
  want(port: HartPort, hart: number): void {
    this.wanted[hart] = 1
    this.interrupt(port, hart)
  }

  /** Makes another hart enter the kernel. */
  interrupt(port: HartPort, hart: number): void {
    if (hart !== port.hart) this.kicks[port.hart] |= 1 << hart
  }

  /** Where a woken task runs: its pin; or its last hart, this one, or any that is idle; else its last hart. */
  #place(port: HartPort, task: Task): number {
    const { pin, record } = task
    if (pin !== NOWHERE) return pin
    if (record.last !== NOWHERE && this.current[record.last] === IDLE) return record.last
    for (let hart = 0; hart < this.current.length; hart++) if (this.current[hart] === IDLE) return hart
    return record.last === NOWHERE ? port.hart : record.last
  }

  /** Charges the hart's current task for the time since it was charged last. */
  charge(port: HartPort, now: number): void {
    const { hart } = port
    const index = this.current[hart]
    if (index !== IDLE) {
      const task = this.tasks[index]
      const ticks = now - this.since[hart]
      task.record.runtime += (ticks * USUAL_WEIGHT) / task.process.node.weight
      task.process.record.used += ticks
    }
    this.since[hart] = now
  }

  /** The task that the hart should run: the current one may stay. IDLE if there is none. */
  pick(port: HartPort, now: number): number {
    const period = Math.floor(now / PERIOD)
    if (period !== this.record.period) {
      this.record.period = period
      for (let index = 0; index < this.#processes.length; index++) this.#processes[index].record.used = 0
    }
    let best = IDLE
    let least = 0
    for (let index = 0; index < this.tasks.length; index++) {
      const { record, pin, process } = this.tasks[index]
      if (record.state !== READY || (record.hart !== NOWHERE && record.hart !== port.hart)) continue
      if (pin !== NOWHERE && pin !== port.hart) continue
      const { cap } = process.node
      if (cap !== 0 && process.record.used * 100 >= PERIOD * cap) continue
      if (best === IDLE || record.runtime < least) {
        best = index
        least = record.runtime
      }
    }
    if (best !== IDLE && least > this.record.least) this.record.least = least
    return best
  }

  /** When the hart's current task will have used up its process's cap (ticks); NEVER if it has none, or has used it up. */
  capDue(hart: number): number {
    const index = this.current[hart]
    if (index === IDLE) return NEVER
    const { node, record } = this.tasks[index].process
    const left = (PERIOD * node.cap) / 100 - record.used
    return left > 0 ? this.since[hart] + left : NEVER
  }

  /** True if another ready task of the hart's has had clearly less than the current one: asked at each tick. */
  isOverdue(port: HartPort, now: number): boolean {
    const index = this.current[port.hart]
    const best = this.pick(port, now)
    return best !== index
  }

  /** Wakes what is due; returns when the next task that fell asleep on this hart is due, or a capped one may go on. */
  wakeDue(port: HartPort, now: number): number {
    let next = NEVER
    for (let index = 0; index < this.tasks.length; index++) {
      const task = this.tasks[index]
      const { record, process } = task
      if (record.last !== port.hart && record.hart !== port.hart) continue
      if (record.state === READY && record.hart === NOWHERE && process.node.cap !== 0) {
        next = Math.min(next, (this.record.period + 1) * PERIOD)
      }
      if (record.state !== ASLEEP || record.due === NEVER) continue
      if (record.due <= now) this.wake(port, task)
      else if (record.due < next) next = record.due
    }
    return next
  }
}
