/**
 * What the scheduler keeps of each thread and of each process, in RAM, and brings up to date whenever a thread comes to a
 * queue or leaves it, gets the hart or loses it: the queue's clock, time had, load averages, the queue's average of what
 * its threads have had, and pressure. Processes are groups of threads: both levels are kept.
 */
import type { HartPort } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'
import type { Thread } from '../task.ts'
import { loadAverage, updateLoad } from './load-average.ts'
import { changePressure, pressure } from './pressure.ts'

/** The time CSR's ticks are of 100 ns. */
const NANOSECONDS = 100
const USUAL_WEIGHT = 256
/** Policy: a thread that has had so much without a break gives way (ns). */
const SLICE = 3_000_000

/** A thread or a process on a hart: its load, time had, where its slice ends, how much it is behind, when it came and began to wait. */
const entity = layout(0x80, 'our own', {
  load: { at: 0x00, bytes: 16 },
  had: { at: loadAverage.size, bytes: 8 },
  deadline: { at: 0x48, bytes: 8 },
  lag: { at: 0x50, bytes: 8 },
  waiting: { at: 0x58, bytes: 8 },
  waited: { at: 0x60, bytes: 8 },
  switches: { at: 0x68, bytes: 8 },
  isQueued: { at: 0x70, bytes: 4 },
  wakeLock: { at: 0x74, bytes: 4 },
  notes: { at: 0x78, bytes: 8 },
})
/** A hart's queue: its clocks, the sums of its entities, its load and its pressure. */
const queue = layout(0x100, 'our own', {
  clock: { at: 0x00, bytes: 8 },
  taskClock: { at: 0x08, bytes: 8 },
  weights: { at: 0x18, bytes: 4 },
  entities: { at: 0x1c, bytes: 4 },
  average: { at: 0x20, bytes: 8 },
  pressure: { at: 0x40, bytes: 16 },
  load: { at: 0x80, bytes: 16 },
})
const GROUP_PRESSURE = 0
const GROUP_LOAD = pressure.size
/** A process's group: pressure, the load of its queue, its own entity. */
const GROUP_BYTES = 0x100
const GROUP_ENTITY = 0x80

const THREADS = 192

function threadAt(index: number): number {
  return TABLES.entities + index * entity.size
}

function queueAt(hart: number): number {
  return TABLES.queues + hart * queue.size
}

/** Where a thread's list of those begins who are told when it loses its hart. */
export function noteHeadOf(thread: number): number {
  return threadAt(thread) + entity.notes.at
}

export class Entities {
  /** By thread: its process's group. */
  readonly #groups: Int32Array
  readonly #count: number

  constructor(threads: readonly Thread[]) {
    const shares = [...new Set(threads.map(({ share }) => share))]
    this.#count = shares.length
    this.#groups = Int32Array.from(threads, ({ share }) => shares.indexOf(share))
    if (threads.length > THREADS) throw new Error(`${threads.length} threads: the host has room for ${THREADS}`)
  }

  /** Clears the records. */
  create(port: HartPort, harts: number): void {
    port.fill(TABLES.entities, 0, this.#groups.length * entity.size)
    port.fill(TABLES.groups, 0, this.#count * GROUP_BYTES)
    port.fill(TABLES.queues, 0, harts * queue.size)
  }

  #groupAt(task: Thread): number {
    return TABLES.groups + this.#groups[task.index] * GROUP_BYTES
  }

  /** A hart's clocks, brought up to now (ns): the machine's, and the one by which threads are charged, which never goes back. */
  #clock(port: HartPort, hart: number): number {
    const at = queueAt(hart)
    const now = port.read(time) * NANOSECONDS
    const before = port.load64(at + queue.clock.at)
    port.store64(at + queue.clock.at, now)
    const elapsed = now > before ? now - before : 0
    port.store64(at + queue.taskClock.at, port.load64(at + queue.taskClock.at) + elapsed)
    return now
  }

  /** Both levels' loads. */
  #loads(port: HartPort, task: Thread, hart: number, now: number, isReady: boolean, isRunning: boolean): void {
    const group = this.#groupAt(task)
    const own = threadAt(task.index)
    updateLoad(port, own, now, task.weight, isReady, isRunning)
    if (updateLoad(port, group + GROUP_LOAD, now, 1, isReady, isRunning)) {
      // A process's weight on the hart follows what its threads ask for.
      const load = port.load32(group + GROUP_LOAD + loadAverage.load.at)
      updateLoad(port, group + GROUP_ENTITY, now, Math.max(2, load), isReady, isRunning)
    }
    updateLoad(port, queueAt(hart) + queue.load.at, now, 1, isReady, isRunning)
  }

  /** The current thread has had so many ticks. True if its slice is over. */
  ran(port: HartPort, task: Thread, hart: number, ticks: number): boolean {
    const now = this.#clock(port, hart)
    const own = threadAt(task.index)
    const group = this.#groupAt(task) + GROUP_ENTITY
    const had = Math.floor((ticks * NANOSECONDS * USUAL_WEIGHT) / task.weight)
    const total = port.load64(own + entity.had.at) + had
    port.store64(own + entity.had.at, total)
    port.store64(group + entity.had.at, port.load64(group + entity.had.at) + had)
    this.#loads(port, task, hart, now, true, true)
    if (total < port.load64(own + entity.deadline.at)) return false
    port.store64(own + entity.deadline.at, total + Math.floor((SLICE * USUAL_WEIGHT) / task.weight))
    return true
  }

  /** Whoever wakes a thread is alone with its state, and sees what the thread had written before it slept. */
  beginWake(port: HartPort, task: Thread): void {
    port.swap32If(threadAt(task.index) + entity.wakeLock.at, 0, 1)
    port.fence()
  }

  endWake(port: HartPort, task: Thread): void {
    port.fence()
    port.store32(threadAt(task.index) + entity.wakeLock.at, 0)
  }

  /** A thread comes to a queue, whose average has to know. */
  added(port: HartPort, task: Thread, hart: number): void {
    const now = this.#clock(port, hart)
    const at = queueAt(hart)
    const own = threadAt(task.index)
    if (port.load32(own + entity.isQueued.at) !== 0) return
    port.store32(own + entity.isQueued.at, 1)
    this.#loads(port, task, hart, now, false, false)
    const weights = port.load32(at + queue.weights.at) + task.weight
    const lag = port.load64(own + entity.lag.at)
    // What it was behind when it left counts against the weight that is there now.
    port.store64(own + entity.lag.at, weights === 0 ? 0 : Math.floor((lag * (weights - task.weight)) / weights))
    port.store32(at + queue.weights.at, weights)
    port.store32(at + queue.entities.at, port.load32(at + queue.entities.at) + 1)
    port.store64(
      at + queue.average.at,
      port.load64(at + queue.average.at) + Math.floor(task.record.runtime) * task.weight,
    )
    port.store64(own + entity.waiting.at, now)
    changePressure(port, this.#groupAt(task) + GROUP_PRESSURE, now, 1, 0)
    changePressure(port, at + queue.pressure.at, now, 1, 0)
  }

  /** A thread that has slept is no longer of its queue. */
  removed(port: HartPort, task: Thread, hart: number): void {
    const now = this.#clock(port, hart)
    const at = queueAt(hart)
    const own = threadAt(task.index)
    if (port.load32(own + entity.isQueued.at) === 0) return
    port.store32(own + entity.isQueued.at, 0)
    this.#loads(port, task, hart, now, true, false)
    const weights = port.load32(at + queue.weights.at)
    const average = port.load64(at + queue.average.at)
    const mean = weights === 0 ? 0 : Math.floor(average / weights)
    port.store64(own + entity.lag.at, Math.max(0, mean - Math.floor(task.record.runtime)))
    port.store32(at + queue.weights.at, Math.max(0, weights - task.weight))
    port.store32(at + queue.entities.at, Math.max(0, port.load32(at + queue.entities.at) - 1))
    port.store64(at + queue.average.at, Math.max(0, average - Math.floor(task.record.runtime) * task.weight))
    changePressure(port, this.#groupAt(task) + GROUP_PRESSURE, now, -1, 0)
    changePressure(port, at + queue.pressure.at, now, -1, 0)
  }

  /** A thread gets the hart: how long it has waited for it. */
  began(port: HartPort, task: Thread, hart: number): void {
    const now = this.#clock(port, hart)
    const own = threadAt(task.index)
    this.#loads(port, task, hart, now, true, false)
    port.store64(
      own + entity.waited.at,
      port.load64(own + entity.waited.at) + now - port.load64(own + entity.waiting.at),
    )
    port.store64(own + entity.switches.at, port.load64(own + entity.switches.at) + 1)
    changePressure(port, this.#groupAt(task) + GROUP_PRESSURE, now, 0, 1)
    changePressure(port, queueAt(hart) + queue.pressure.at, now, 0, 1)
  }

  /** A thread loses the hart. */
  ended(port: HartPort, task: Thread, hart: number): void {
    const now = this.#clock(port, hart)
    const own = threadAt(task.index)
    port.store64(own + entity.waiting.at, now)
    changePressure(port, this.#groupAt(task) + GROUP_PRESSURE, now, 0, -1)
    changePressure(port, queueAt(hart) + queue.pressure.at, now, 0, -1)
  }

  /** The load that a hart has had lately. */
  loadOf(port: HartPort, hart: number): number {
    return port.load32(queueAt(hart) + queue.load.at + loadAverage.load.at)
  }
}
