/** Run queues, one a hart: heaps in RAM ordered by the time that threads have had for their weight, each behind a lock. */
import type { HartPort } from '../../../hw/port.ts'
import { acquire, LOCK_BYTES, release } from '../../core/spin-lock.ts'
import { NOWHERE } from '../../core/vcpu.ts'
import { EMPTY, heapCount, heapFirst, heapFirstKey, heapPop, heapPush, heapRemove, heapValue } from '../heap.ts'
import type { Thread } from '../task.ts'
import { Entities } from './entities.ts'

/** Policy (ticks): a thread that wakes gets no more credit than this for its sleep. */
const CREDIT = 30_000
/** In the page of a run queue: its lock. */
const LOCK = 4096 - LOCK_BYTES

export class RunQueues {
  /** By hart: where its queue lies, and the least time that a thread which ran lately had had. */
  readonly pages: Float64Array
  readonly least: Float64Array
  readonly entities: Entities

  constructor(tasks: readonly Thread[], harts: number) {
    this.pages = new Float64Array(harts)
    this.least = new Float64Array(harts).fill(CREDIT)
    this.entities = new Entities(tasks)
  }

  count(port: HartPort, hart: number): number {
    return heapCount(port, this.pages[hart])
  }

  /** Who has had least of those that wait, or EMPTY. */
  first(port: HartPort, hart: number): number {
    return heapFirst(port, this.pages[hart])
  }

  /** What he has had. */
  firstKey(port: HartPort, hart: number): number {
    return heapFirstKey(port, this.pages[hart])
  }

  /** One of those that wait, in no order. */
  valueAt(port: HartPort, hart: number, index: number): number {
    return heapValue(port, this.pages[hart], index)
  }

  add(port: HartPort, task: Thread, hart: number): void {
    task.record.queued = hart
    const page = this.pages[hart]
    acquire(port, page + LOCK)
    this.entities.added(port, task, hart)
    heapPush(port, page, Math.floor(task.record.runtime), task.index)
    release(port, page + LOCK)
  }

  /** The thread waits no longer, if it did. */
  remove(port: HartPort, task: Thread): void {
    const { record } = task
    if (record.queued === NOWHERE) return
    const page = this.pages[record.queued]
    acquire(port, page + LOCK)
    heapRemove(port, page, task.index)
    this.entities.removed(port, task, record.queued)
    release(port, page + LOCK)
    record.queued = NOWHERE
  }

  /** The first of the hart's queue is to run: it leaves the queue, and stays among those that the hart has. */
  takeFirst(port: HartPort, task: Thread): void {
    const page = this.pages[port.hart]
    acquire(port, page + LOCK)
    heapPop(port, page)
    release(port, page + LOCK)
    task.record.queued = NOWHERE
  }

  /** The thread's time by the clock of another hart, with no more credit than allowed. */
  move(task: Thread, hart: number): void {
    const { record } = task
    const from = record.last === NOWHERE ? hart : record.last
    record.runtime = this.least[hart] + Math.max(record.runtime - this.least[from], -CREDIT)
    record.last = hart
  }

  /** The hart's clock follows the one that has had least, and never goes back. */
  advance(port: HartPort, hart: number, runtime: number): void {
    const first = this.first(port, hart)
    const least = first === EMPTY ? runtime : Math.min(runtime, this.firstKey(port, hart))
    if (least > this.least[hart]) this.least[hart] = least
  }
}
