/** A thread of the kernel's own: it does a bounded piece of work when it has the hart, in the address space that is there. */
import type { HartPort } from '../../hw/port.ts'
import { NOWHERE } from '../core/vcpu.ts'
import { taskFrameOf } from './layout.ts'
import { NO_GROUP } from './scheduling/entity.ts'
import type { Process } from './process.ts'
import { ASLEEP, type Share, type TaskRecord, taskRecord, type Thread } from './task.ts'

/** As Linux's: kernel threads have the weight of others. */
const WEIGHT = 256

/** A piece of work: returns when the thread wants to go on (ticks): now or earlier, at once; NEVER: when it is woken. */
export type Work = (port: HartPort) => number

export class KernelThread implements Thread {
  readonly name: string
  readonly index: number
  readonly pin: number
  readonly weight = WEIGHT
  readonly share: Share = { cap: 0, record: { used: 0 } }
  readonly group = NO_GROUP
  readonly frame: number
  readonly record: TaskRecord
  readonly work: Work
  /** In whose address space it works, unless in any. */
  readonly process: Process | undefined

  /** It sleeps until it is called, unless it is ready at once. */
  constructor(name: string, index: number, work: Work, pin = NOWHERE, state = ASLEEP, process?: Process) {
    this.record = taskRecord(state)
    this.name = name
    this.index = index
    this.work = work
    this.process = process
    this.pin = pin
    this.frame = taskFrameOf(index)
  }
}
