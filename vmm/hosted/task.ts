/** A task: a thread of a VMM process. Its user registers lie in its frame while the kernel runs. */
import { NOWHERE } from '../core/vcpu.ts'
import { taskFrameOf } from './layout.ts'
import type { Process } from './process.ts'

export const READY = 0
export const ASLEEP = 1
/** Its process has ended. */
export const ENDED = 2

/** Where a task goes on when it is resumed. */
export const IN_USER = 0
export const IN_GUEST = 1
/** In the system call that waits for an event. */
export const IN_WAIT = 2

/** A time that does not come: 28 years of ticks. */
export const NEVER = Number.MAX_SAFE_INTEGER

export interface TaskRecord {
  [field: string]: number | boolean
  state: number
  mode: number
  /** The hart that it is current on, or NOWHERE; and the one that it was on last. */
  hart: number
  last: number
  /** Asleep: when it wakes in any case (ticks). */
  due: number
  /** Time had, for its weight: whoever has least runs next. */
  runtime: number
}

export class Task {
  readonly index: number
  readonly process: Process
  /** The vCPU that it runs (number over all machines), or NOWHERE: it is the process's I/O thread. */
  readonly vcpu: number
  /** The hart that it may run on, or NOWHERE: any. */
  readonly pin: number
  readonly frame: number
  readonly record: TaskRecord

  constructor(index: number, process: Process, vcpu: number, pin: number) {
    this.index = index
    this.process = process
    this.vcpu = vcpu
    this.pin = pin
    this.frame = taskFrameOf(index)
    this.record = { state: READY, mode: IN_USER, hart: NOWHERE, last: NOWHERE, due: NEVER, runtime: 0 }
  }
}
