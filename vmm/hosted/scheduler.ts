/**
 * The host's scheduler. Each hart has a run queue in RAM (scheduling/run-queues.ts): of those who are not ahead of the others,
 * the one whose turn is to be over first runs, and one that wakes goes before another if it would be chosen. A hart with work
 * has a tick; a hart without takes work from another, and now and then the queues are evened out. Pinned threads stay.
 */
import type { HartPort } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { NOWHERE } from '../core/vcpu.ts'
import type { Dedication } from './dedication.ts'
import { Caps } from './scheduling/caps.ts'
import { LOOK, tell, TURN, WAKE } from './scheduling/messages.ts'
import { IDLE, Placement } from './scheduling/placement.ts'
import { EMPTY, RunQueues } from './scheduling/run-queues.ts'
import { SoftTimers } from './scheduling/soft-timers.ts'
import { Turns } from './scheduling/turns.ts'
import { ASLEEP, NEVER, READY, type Thread } from './task.ts'

/** Policy, in ticks of the time CSR (10 MHz): 250 ticks of the scheduler a second; queues are evened out every fourth tick. */
export const TICK = 40_000
const BALANCE = 4 * TICK

export { IDLE }

export class Scheduler {
  readonly tasks: readonly Thread[]
  /** By hart: the thread that is current, or IDLE; whether another is wanted; when its next tick is. */
  readonly current: Int32Array
  readonly wanted: Int32Array
  readonly ticks: Float64Array
  /** By hart: harts that it has to interrupt before it goes on (a mask). */
  readonly kicks: Int32Array
  /** By hart: when it evens out next. */
  readonly evening: Float64Array
  readonly queues: RunQueues
  /** Threads' come first, by their numbers; then one a hart, for the end of a turn; then those of others. */
  readonly timers: SoftTimers
  readonly #turns: Turns
  readonly #others: number
  readonly caps: Caps
  readonly placement: Placement
  readonly dedication: Dedication

  #elapsed: (port: HartPort, timer: number) => void = () => {}

  /** `others`: how many timers there are beside the threads'. */
  constructor(tasks: readonly Thread[], harts: number, dedication: Dedication, others = 0) {
    this.tasks = tasks
    this.dedication = dedication
    this.current = new Int32Array(harts).fill(IDLE)
    this.wanted = new Int32Array(harts)
    this.ticks = new Float64Array(harts).fill(NEVER)
    this.kicks = new Int32Array(harts)
    this.evening = new Float64Array(harts)
    this.queues = new RunQueues(tasks, harts)
    this.#others = tasks.length + harts
    this.timers = new SoftTimers(this.#others + others, harts, (port, timer) => {
      if (timer < tasks.length) this.wake(port, tasks[timer])
      else if (timer < this.#others) this.#endTurn(port)
      else this.#elapsed(port, timer - this.#others)
    })
    this.#turns = new Turns(this.queues, this.timers, tasks.length)
    this.caps = new Caps(tasks)
    this.placement = new Placement(tasks, this.current, this.queues, this.caps, dedication)
  }

  /** The number of a timer beside the scheduler's own. */
  otherTimer(number: number): number {
    return this.#others + number
  }

  /** Who is called when one of them is due. Set-up. */
  attachTimers(elapsed: (port: HartPort, timer: number) => void): void {
    this.#elapsed = elapsed
  }

  /** Threads that are ready from the beginning: each to its hart, or to the one with the fewest. */
  begin(port: HartPort): void {
    for (let index = 0; index < this.tasks.length; index++) {
      const task = this.tasks[index]
      if (task.record.state !== READY) continue
      const hart = task.pin === NOWHERE ? this.placement.emptiest(port) : task.pin
      this.#add(port, task, hart)
    }
  }

  /** Makes a sleeping thread ready, and sees to it that a hart takes it up. */
  wake(port: HartPort, task: Thread): void {
    const { record } = task
    if (record.state !== ASLEEP) return
    this.queues.beginWake(port, task)
    this.#wake(port, task)
    this.queues.endWake(port, task)
  }

  #wake(port: HartPort, task: Thread): void {
    const { record } = task
    record.state = READY
    record.due = NEVER
    this.timers.cancel(port, task.index)
    // The hart where it fell asleep may still be saving it, and looks for work itself afterwards.
    if (record.hart !== NOWHERE) return this.want(port, record.hart)
    const hart = this.placement.place(port, task)
    if (hart === port.hart) return this.#arrive(port, task)
    if (this.current[hart] !== IDLE) return this.#arriveElsewhere(port, task, hart)
    // A hart that idles has its queue in no cache but its own: it takes the thread in when it is interrupted.
    record.last = hart
    this.queues.send(port, task, hart)
    tell(port, this.kicks, hart, WAKE)
  }

  /** A thread that has been woken comes to this hart's queue. */
  #arrive(port: HartPort, task: Thread): void {
    const { hart } = port
    this.#add(port, task, hart)
    if (this.current[hart] === IDLE || this.queues.pick(port, hart) === task.index) this.wanted[hart] = 1
    else this.#turns.time(port, port.read(time))
  }

  /** A thread that has been woken comes to the queue of a hart that runs another: who has nothing to do may take it from there. */
  #arriveElsewhere(port: HartPort, task: Thread, hart: number): void {
    this.#add(port, task, hart)
    if (this.queues.pick(port, hart) === task.index) this.want(port, hart)
    else tell(port, this.kicks, hart, TURN)
  }

  /** Takes in those that other harts have woken for this one. */
  takeWoken(port: HartPort): void {
    for (let index = this.queues.takeSent(port); index !== EMPTY; index = this.queues.nextSent(port, index)) {
      const task = this.tasks[index]
      if (task.record.state === READY) this.#arrive(port, task)
    }
  }

  /** What this hart was interrupted for: looking is done by whoever leaves the kernel. */
  takeMessage(port: HartPort, what: number): void {
    if (what === WAKE) this.takeWoken(port)
    else if (what === TURN) this.#turns.time(port, port.read(time))
  }

  #add(port: HartPort, task: Thread, hart: number): void {
    task.record.last = hart
    this.queues.add(port, task, hart, port.read(time))
  }

  /** Puts a thread to sleep until somebody wakes it, or until `due`. It leaves its hart when the entry is over. */
  sleep(port: HartPort, task: Thread, due: number): void {
    const { record } = task
    record.state = ASLEEP
    record.due = due
    if (due !== NEVER) this.timers.start(port, task.index, due)
  }

  /** A sleeping thread is to wake at another time. */
  rearm(port: HartPort, task: Thread, due: number): void {
    const { record } = task
    if (record.state !== ASLEEP) return
    this.timers.cancel(port, task.index)
    this.sleep(port, task, due)
  }

  /** Makes a hart choose anew. */
  want(port: HartPort, hart: number): void {
    this.wanted[hart] = 1
    this.interrupt(port, hart)
  }

  /** Makes another hart enter the kernel. */
  interrupt(port: HartPort, hart: number): void {
    if (hart !== port.hart) tell(port, this.kicks, hart, LOOK)
  }

  /** A new period: everybody may have his share again. */
  #renew(port: HartPort, now: number): void {
    const { record } = this.caps
    if (!this.caps.renew(now) || record.throttled === 0) return
    record.throttled = 0
    for (let index = 0; index < this.tasks.length; index++) {
      const task = this.tasks[index]
      if (!task.record.throttled) continue
      task.record.throttled = false
      if (task.record.state !== READY || task.record.hart !== NOWHERE || task.record.queued !== NOWHERE) continue
      const hart = this.placement.place(port, task)
      this.#add(port, task, hart)
      if (this.current[hart] === IDLE) this.want(port, hart)
    }
  }

  /** The first of the hart's that may run, the current one among them; EMPTY if there is none. */
  #first(port: HartPort, now: number): number {
    const { queues } = this
    const { hart } = port
    for (let index = queues.pick(port, hart); index !== EMPTY; index = queues.pick(port, hart)) {
      if (index === this.current[hart]) return index
      const task = this.tasks[index]
      if (task.record.state === READY && !this.caps.isReached(task.share)) return index
      queues.remove(port, task, hart, now)
      if (task.record.state === READY) this.caps.throttle(task)
    }
    return EMPTY
  }

  /** The thread that the hart is to run: it has the hart from now on, as the queue knows it. The current one may stay. IDLE if there is none. */
  pick(port: HartPort, now: number): number {
    this.#renew(port, now)
    const { queues } = this
    const { hart } = port
    const last = this.current[hart]
    queues.charge(port, hart, now)
    const stays = last !== IDLE && this.#mayStay(port, this.tasks[last], now)
    let next = this.#first(port, now)
    if (next === EMPTY && this.#take(port, 1)) next = this.#first(port, now)
    if (next === EMPTY) return IDLE
    if (next !== last) {
      if (stays) queues.wait(port, this.tasks[last], hart, now)
      queues.begin(port, this.tasks[next], hart, now)
    }
    this.#turns.time(port, now)
    return next
  }

  #endTurn(port: HartPort): void {
    const { hart } = port
    const now = port.read(time)
    if (this.isOverdue(port, now)) this.wanted[hart] = 1
    else if (this.current[hart] !== IDLE) this.#turns.time(port, now)
  }

  /** True if the current thread is ready and has not had what it may have. Else it leaves the queue. */
  #mayStay(port: HartPort, task: Thread, now: number): boolean {
    const isReady = task.record.state === READY
    if (isReady && !this.caps.isReached(task.share)) return true
    if (isReady) this.caps.throttle(task)
    this.queues.end(port, task, port.hart, now)
    return false
  }

  /** Who has lost the hart: if it has been woken meanwhile it waits again, unless it has had what it may have. */
  putBack(port: HartPort, task: Thread): void {
    const { record } = task
    record.last = port.hart
    if (record.state !== READY || record.throttled) return
    if (record.queued === NOWHERE) this.#add(port, task, task.pin === NOWHERE ? port.hart : task.pin)
    if (task.pin === NOWHERE) this.#offer(port)
    else if (task.pin !== port.hart) this.want(port, task.pin)
  }

  /** A thread that may run anywhere waits: a hart that idles looks for it. */
  #offer(port: HartPort): void {
    const hart = this.placement.idle(port.hart)
    if (hart !== NOWHERE) this.want(port, hart)
  }

  /** Takes a thread from the hart that has the most waiting, if it has at least so many more. True if it did. */
  #take(port: HartPort, more: number): boolean {
    const index = this.placement.fromBusiest(port, more)
    if (index === IDLE) return false
    const task = this.tasks[index]
    this.queues.remove(port, task, task.record.queued, port.read(time))
    this.#add(port, task, port.hart)
    return true
  }

  /** In the soft interrupt of a tick: evens the queues out now and then. */
  balance(port: HartPort): boolean {
    const { hart } = port
    const now = port.read(time)
    if (this.evening[hart] > now) return false
    this.evening[hart] = now + BALANCE
    this.#take(port, 2)
    return false
  }

  /** When the hart's current thread will have used up its process's cap (ticks); NEVER if it has none, or has used it up. */
  capDue(hart: number): number {
    const index = this.current[hart]
    if (index === IDLE) return NEVER
    const left = this.caps.left(this.tasks[index].share)
    return left > 0 ? this.queues.since[hart] + left : NEVER
  }

  /** At each tick: true if the current thread's turn is over and others wait, or it has had what it may have. */
  isOverdue(port: HartPort, now: number): boolean {
    const { hart } = port
    const isOver = this.queues.charge(port, hart, now)
    const index = this.current[hart]
    if (index === IDLE) return this.queues.count(port, hart) > 0
    if (this.caps.isReached(this.tasks[index].share)) return true
    return isOver && this.queues.count(port, hart) > 0
  }

  /** Wakes what is due on this hart; returns when the next is, or when threads that have had their cap may go on. */
  wakeDue(port: HartPort, now: number): number {
    this.#renew(port, now)
    const next = this.timers.expire(port, now)
    return this.caps.record.throttled > 0 ? Math.min(next, this.caps.nextPeriod()) : next
  }

  /** A thread is over. */
  end(port: HartPort, task: Thread, state: number): void {
    const { record } = task
    record.state = state
    if (record.queued !== NOWHERE) this.queues.remove(port, task, record.queued, port.read(time))
    this.timers.cancel(port, task.index)
    if (record.hart !== NOWHERE) this.want(port, record.hart)
  }
}
