/** A thread of a program: its registers lie in its frame while the kernel runs, what it is of lies in RAM. */
import { taskFrameOf } from '../layout.ts'
import { ENDED, type Share, type TaskRecord, taskRecord, type Thread } from '../task.ts'

const WEIGHT = 256
/** Where a program's thread goes on when it is resumed, besides its program: in the system call that it waits in. */
export const IN_CALL = 8

export class ProgramThread implements Thread {
  readonly index: number
  /** Among the programs' threads. */
  readonly number: number
  /** Programs run on one hart. */
  readonly pin: number
  readonly weight = WEIGHT
  readonly share: Share = { cap: 0, record: { used: 0 } }
  readonly group: number
  readonly frame: number
  readonly record: TaskRecord = taskRecord(ENDED)

  constructor(index: number, number: number, pin: number, group: number) {
    this.index = index
    this.pin = pin
    this.group = group
    this.number = number
    this.frame = taskFrameOf(index)
  }
}
