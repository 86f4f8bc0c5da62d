/** Threads, and the task: a thread of a VMM process. Its user registers lie in its frame while the kernel runs. */
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
/** In the one that waits until no vCPU goes by an old I/O bus. */
export const IN_WATCH = 3

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
  /** The hart in whose run queue it waits, or NOWHERE. */
  queued: number
  /** Its process has had what its cap allows: it waits for the next period. */
  throttled: boolean
  /** What its system call has open meanwhile (objects/descriptor-tables.ts), or 0. */
  holds: number
  /** Ticks that find it on its hart are its guest's. */
  guest: boolean
}

/** What threads of a process have a share of: no more than `cap` hundredths of a hart (0: as it comes), `used` ticks of them had in this period. */
export interface Share {
  readonly cap: number
  readonly record: { used: number }
}

/** What the scheduler knows of a thread, whether of a process or of the kernel. */
export interface Thread {
  readonly index: number
  /** The hart that it may run on, or NOWHERE: any. */
  readonly pin: number
  readonly weight: number
  readonly share: Share
  /** Those of a group, a process's, are side by side before they are beside others; NO_GROUP: it is by itself. */
  readonly group: number
  readonly frame: number
  readonly record: TaskRecord
}

export function taskRecord(state: number): TaskRecord {
  return {
    state,
    mode: IN_USER,
    hart: NOWHERE,
    last: NOWHERE,
    due: NEVER,
    queued: NOWHERE,
    throttled: false,
    holds: 0,
    guest: false,
  }
}

export class Task implements Thread {
  readonly index: number
  readonly process: Process
  /** The vCPU that it runs (number over all machines), or NOWHERE: it is the process's I/O thread. */
  readonly vcpu: number
  /** The hart that it may run on, or NOWHERE: any. */
  readonly pin: number
  readonly weight: number
  readonly share: Share
  readonly group: number
  readonly frame: number
  readonly record: TaskRecord

  constructor(index: number, process: Process, vcpu: number, pin: number) {
    this.index = index
    this.process = process
    this.vcpu = vcpu
    this.pin = pin
    this.frame = taskFrameOf(index)
    this.weight = process.node.weight
    this.share = process.share
    this.group = process.vm.index
    // A vCPU waits for its process to be prepared.
    this.record = taskRecord(vcpu === NOWHERE ? READY : ASLEEP)
  }
}
