/**
 * Run queues, one a hart, in RAM and behind a lock: the hart's own queue has processes and threads of the kernel's, and each
 * process a queue there of its threads. A process weighs on a hart what its threads there do.
 */
import type { HartPort } from '../../../hw/port.ts'
import { acquire, LOCK_BYTES, release } from '../../core/spin-lock.ts'
import { NOWHERE } from '../../core/vcpu.ts'
import type { Thread } from '../task.ts'
import {
  account,
  advanceClock,
  beginInterrupted,
  beginsToWait,
  endInterrupted,
  createAccounts,
  hasWaited,
  loadOf,
  press,
} from './accounts.ts'
import { entity, MOST_ENTITIES, NO_GROUP, queue, threadEntity } from './entity.ts'
import { FairQueues } from './fair-queue.ts'
import { clock } from './time-keeping.ts'

/** Nobody. */
export const EMPTY = -1
/** The time CSR's ticks are of 100 ns. */
const NANOSECONDS = 100
/** Policy, Linux's: a turn is of 0.7 ms on one hart, longer by the logarithm of their number, for 8 at most. */
const SLICE = 700_000
const MOST_COUNTED = 8
/** Where queues' clocks begin (ns): time had is never negative. */
const BEGINNING = 2 ** 42
/** In a hart's page: its queue, its lock. A process's entity and queue; so many a page. */
const LOCK = 4096 - LOCK_BYTES
const GROUP_BYTES = 0x200
const IN_PAGE = 4096 / GROUP_BYTES
/** Any order will do for trees, if it has nothing to do with deadlines. */
const MIXER = 2654435761
const WORD = 2 ** 32

export class RunQueues {
  /** By hart: where its queue lies; pages of its processes' queues, one hart's after another's; since when its current thread has been charged. */
  readonly pages: Float64Array
  readonly groupPages: Float64Array
  readonly since: Float64Array
  readonly pagesAHart: number
  readonly #fair: FairQueues
  readonly #tasks: readonly Thread[]
  readonly #groups: number

  constructor(tasks: readonly Thread[], harts: number) {
    if (tasks.length > MOST_ENTITIES) throw new Error(`${tasks.length} threads: the host has room for ${MOST_ENTITIES}`)
    this.#tasks = tasks
    this.#groups = tasks.reduce((most, { group }) => Math.max(most, group + 1), 0)
    this.pagesAHart = Math.ceil(this.#groups / IN_PAGE)
    this.pages = new Float64Array(harts)
    this.groupPages = new Float64Array(harts * this.pagesAHart)
    this.since = new Float64Array(harts)
    this.#fair = new FairQueues(SLICE * (1 + Math.floor(Math.log2(Math.min(harts, MOST_COUNTED)))))
  }

  /** Makes all of them empty, in their zeroed pages. */
  create(port: HartPort): void {
    createAccounts(port, this.#groups)
    port.fill(threadEntity(0), 0, this.#tasks.length * entity.size)
    for (let index = 0; index < this.#tasks.length; index++) {
      const at = threadEntity(index)
      port.store32(at + entity.weight.at, this.#tasks[index].weight)
      port.store32(at + entity.order.at, (index * MIXER) % WORD)
      port.store32(at + entity.number.at, index)
    }
    for (let hart = 0; hart < this.pages.length; hart++) {
      const root = this.pages[hart]
      port.store64(root + queue.zero.at, BEGINNING)
      for (let group = 0; group < this.#groups; group++) {
        const node = this.#groupAt(hart, group)
        port.store64(node + entity.members.at, node + entity.size)
        port.store32(node + entity.order.at, ((MOST_ENTITIES + group) * MIXER) % WORD)
        port.store64(node + entity.size + queue.zero.at, BEGINNING)
        port.store64(node + entity.size + queue.owner.at, node)
      }
    }
  }

  /** A process's entity on a hart; its queue lies behind it. */
  #groupAt(hart: number, group: number): number {
    const page = this.groupPages[hart * this.pagesAHart + Math.floor(group / IN_PAGE)]
    return page + (group % IN_PAGE) * GROUP_BYTES
  }

  /** The queue on a hart that a thread is in, if it is there. */
  #queueOf(task: Thread, hart: number): number {
    return task.group === NO_GROUP ? this.pages[hart] : this.#groupAt(hart, task.group) + entity.size
  }

  /** Threads that wait for a hart, its current one not among them. */
  count(port: HartPort, hart: number): number {
    const root = this.pages[hart]
    const threads = port.load32(root + queue.threads.at)
    return port.load64(root + queue.current.at) === 0 ? threads : threads - 1
  }

  loadOf(port: HartPort, hart: number): number {
    return loadOf(port, this.pages[hart])
  }

  /** Charges a hart's current thread, and its process, for the time since it was charged last. True if its turn is over. */
  charge(port: HartPort, hart: number, time: number): boolean {
    this.since[hart] = time
    const root = this.pages[hart]
    const now = clock(port)
    const nanoseconds = advanceClock(port, root, now)
    let node = port.load64(root + queue.current.at)
    let at = root
    let isOver = false
    while (node !== 0) {
      if (this.#fair.charge(port, at, nanoseconds)) isOver = true
      account(port, node, at, now, true, true)
      at = port.load64(node + entity.members.at)
      if (at === 0) {
        this.#tasks[port.load32(node + entity.number.at)].share.record.used += nanoseconds / NANOSECONDS
        return isOver
      }
      node = port.load64(at + queue.current.at)
    }
    return isOver
  }

  /** The hart handles interrupts: its current thread is not charged for that. */
  beginInterrupted(port: HartPort): void {
    beginInterrupted(port, this.pages[port.hart], clock(port))
  }

  endInterrupted(port: HartPort): void {
    endInterrupted(port, this.pages[port.hart], clock(port))
  }

  /** How long the turn of a hart's current thread still is, or of its process's, whichever is shorter (ticks). */
  left(port: HartPort, hart: number): number {
    let left = Number.MAX_SAFE_INTEGER
    let at = this.pages[hart]
    while (at !== 0) {
      const node = port.load64(at + queue.current.at)
      if (node === 0) break
      left = Math.min(left, this.#fair.left(port, node))
      at = port.load64(node + entity.members.at)
    }
    return Math.ceil(left / NANOSECONDS)
  }

  /** A thread that is ready comes to a hart. */
  add(port: HartPort, task: Thread, hart: number, time: number): void {
    const root = this.pages[hart]
    const now = clock(port)
    task.record.queued = hart
    acquire(port, root + LOCK)
    this.charge(port, hart, time)
    const at = this.#queueOf(task, hart)
    let node = threadEntity(task.index)
    account(port, node, at, now, false, false)
    this.#fair.enter(port, at, node)
    node = port.load64(at + queue.owner.at)
    if (node !== 0) {
      account(port, node, root, now, port.load64(node + entity.queue.at) !== 0, false)
      this.#weighGroup(port, root, node)
    }
    port.store32(root + queue.threads.at, port.load32(root + queue.threads.at) + 1)
    beginsToWait(port, threadEntity(task.index), now)
    press(port, root, task.group, now, 1, 0)
    release(port, root + LOCK)
  }

  /** A process weighs what its threads on the hart do; without any it is not there. */
  #weighGroup(port: HartPort, root: number, node: number): void {
    const members = port.load64(node + entity.members.at)
    const current = port.load64(members + queue.current.at)
    const own = current === 0 ? 0 : port.load32(current + entity.weight.at)
    const weight = port.load32(members + queue.weights.at) + own
    const isThere = port.load64(node + entity.queue.at) !== 0
    if (weight === 0) {
      if (isThere) this.#fair.leave(port, root, node)
    } else if (isThere) this.#fair.weigh(port, root, node, weight)
    else {
      port.store32(node + entity.weight.at, weight)
      this.#fair.enter(port, root, node)
    }
  }

  /** A thread, waiting or current, is no longer of its hart's, if it was. */
  remove(port: HartPort, task: Thread, hart: number, time: number): void {
    const root = this.pages[hart]
    const node = threadEntity(task.index)
    const now = clock(port)
    acquire(port, root + LOCK)
    const at = port.load64(node + entity.queue.at)
    if (at !== 0) {
      this.charge(port, hart, time)
      account(port, node, at, now, true, false)
      this.#fair.leave(port, at, node)
      const group = port.load64(at + queue.owner.at)
      if (group !== 0) {
        account(port, group, root, now, true, false)
        this.#weighGroup(port, root, group)
      }
      port.store32(root + queue.threads.at, port.load32(root + queue.threads.at) - 1)
      press(port, root, task.group, now, -1, 0)
    }
    release(port, root + LOCK)
    task.record.queued = NOWHERE
  }

  /** The thread that a hart should run: its current one, if that is ready, is among them. EMPTY: there is none. */
  pick(port: HartPort, hart: number): number {
    let at = this.pages[hart]
    while (at !== 0) {
      const node = this.#fair.pick(port, at)
      if (node === 0) return EMPTY
      at = port.load64(node + entity.members.at)
      if (at === 0) return port.load32(node + entity.number.at)
    }
    return EMPTY
  }

  /** A thread that waits gets its hart. */
  begin(port: HartPort, task: Thread, hart: number, time: number): void {
    const root = this.pages[hart]
    const now = clock(port)
    acquire(port, root + LOCK)
    const node = threadEntity(task.index)
    const at = port.load64(node + entity.queue.at)
    this.#begin(port, at, node, now)
    const group = port.load64(at + queue.owner.at)
    if (group !== 0) this.#begin(port, root, group, now)
    hasWaited(port, node, now)
    press(port, root, task.group, now, 0, 1)
    this.since[hart] = time
    advanceClock(port, root, now)
    release(port, root + LOCK)
    task.record.queued = NOWHERE
  }

  #begin(port: HartPort, at: number, node: number, now: number): void {
    this.#fair.take(port, at, node)
    account(port, node, at, now, true, false)
    port.store64(at + queue.current.at, node)
  }

  /** The thread that had the hart waits for it again. */
  wait(port: HartPort, task: Thread, hart: number, time: number): void {
    const root = this.pages[hart]
    const now = clock(port)
    acquire(port, root + LOCK)
    this.charge(port, hart, time)
    const node = threadEntity(task.index)
    const at = port.load64(node + entity.queue.at)
    this.#wait(port, at, node, now)
    const group = port.load64(at + queue.owner.at)
    if (group !== 0) this.#wait(port, root, group, now)
    beginsToWait(port, node, now)
    press(port, root, task.group, now, 0, -1)
    release(port, root + LOCK)
    task.record.queued = hart
  }

  #wait(port: HartPort, at: number, node: number, now: number): void {
    account(port, node, at, now, true, true)
    port.store64(at + queue.current.at, 0)
    this.#fair.wait(port, at, node)
  }

  /** The thread that had the hart has gone to sleep. */
  end(port: HartPort, task: Thread, hart: number, time: number): void {
    press(port, this.pages[hart], task.group, clock(port), 0, -1)
    this.remove(port, task, hart, time)
    // What its process is left with waits.
    if (task.group !== NO_GROUP) this.#rest(port, hart, task.group)
  }

  /** A process whose thread has gone to sleep has lost the hart too. */
  #rest(port: HartPort, hart: number, group: number): void {
    const root = this.pages[hart]
    const node = this.#groupAt(hart, group)
    if (port.load64(root + queue.current.at) !== node) return
    port.store64(root + queue.current.at, 0)
    this.#fair.wait(port, root, node)
  }

  /** A thread that another hart is to take in goes before those that it has not taken in yet. */
  send(port: HartPort, task: Thread, hart: number): void {
    const head = this.pages[hart] + queue.sent.at
    for (;;) {
      const first = port.load32(head)
      port.store32(threadEntity(task.index) + entity.next.at, first)
      if (port.swap32If(head, first, task.index + 1) === first) return
    }
  }

  /** The first of those that are to be taken in here, as they came; EMPTY if there is none. `nextSent` has the others. */
  takeSent(port: HartPort): number {
    const head = this.pages[port.hart] + queue.sent.at
    if (port.load32(head) === 0) return EMPTY
    let order = 0
    for (let number = port.swap32(head, 0); number !== 0; ) {
      const link = threadEntity(number - 1) + entity.next.at
      const next = port.load32(link)
      port.store32(link, order)
      order = number
      number = next
    }
    return order - 1
  }

  nextSent(port: HartPort, index: number): number {
    return port.load32(threadEntity(index) + entity.next.at) - 1
  }

  /** Whoever wakes a thread is alone with its state, and sees what the thread had written before it slept. */
  beginWake(port: HartPort, task: Thread): void {
    port.swap32If(threadEntity(task.index) + entity.wakeLock.at, 0, 1)
    port.fence()
  }

  endWake(port: HartPort, task: Thread): void {
    port.fence()
    port.store32(threadEntity(task.index) + entity.wakeLock.at, 0)
  }
}
