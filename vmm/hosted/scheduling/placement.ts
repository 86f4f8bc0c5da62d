/** On which hart a thread should run: when it is woken, when a hart has nothing to do, and when one has more than others. */
import type { HartPort } from '../../../hw/port.ts'
import { NOWHERE } from '../../core/vcpu.ts'
import type { Dedication } from '../dedication.ts'
import { READY, type Thread } from '../task.ts'
import type { Caps } from './caps.ts'
import type { RunQueues } from './run-queues.ts'

/** In place of a thread: the hart idles. */
export const IDLE = -1

export class Placement {
  readonly #tasks: readonly Thread[]
  /** By hart. */
  readonly #current: Int32Array
  readonly #queues: RunQueues
  readonly #caps: Caps
  readonly #dedication: Dedication

  constructor(tasks: readonly Thread[], current: Int32Array, queues: RunQueues, caps: Caps, dedication: Dedication) {
    this.#tasks = tasks
    this.#current = current
    this.#queues = queues
    this.#caps = caps
    this.#dedication = dedication
  }

  /** Where a woken thread runs: its pin; or its last hart, if that idles, or any that does; else where less waits of its last and this one. */
  place(port: HartPort, { pin, record }: Thread): number {
    if (pin !== NOWHERE) return pin
    const { last } = record
    if (last !== NOWHERE && this.#current[last] === IDLE) return last
    const idle = this.idle(NOWHERE)
    if (idle !== NOWHERE) return idle
    const { reserved, housekeeping } = this.#dedication
    const here = reserved[port.hart] ? housekeeping : port.hart
    if (last === NOWHERE || last === here) return here
    return this.#hasLess(port, here, last) ? here : last
  }

  /** A hart that idles and is nobody's, other than one; NOWHERE if there is none. */
  idle(than: number): number {
    for (let hart = 0; hart < this.#current.length; hart++)
      if (this.#current[hart] === IDLE && hart !== than && !this.#dedication.reserved[hart]) return hart
    return NOWHERE
  }

  /** The hart with the fewest waiting, for threads that are there from the beginning. */
  emptiest(port: HartPort): number {
    let hart = this.#dedication.housekeeping
    for (let other = 0; other < this.#current.length; other++) {
      if (this.#dedication.reserved[other]) continue
      if (this.#queues.count(port, other) < this.#queues.count(port, hart)) hart = other
    }
    return hart
  }

  /** Of two harts: fewer wait for it, or as many and it has had less to do lately. */
  #hasLess(port: HartPort, hart: number, than: number): boolean {
    const count = this.#queues.count(port, hart)
    const other = this.#queues.count(port, than)
    return count < other || (count === other && this.#queues.loadOf(port, hart) < this.#queues.loadOf(port, than))
  }

  /** A thread for this hart from the one that has the most waiting, if it has at least so many more; IDLE if there is none. */
  fromBusiest(port: HartPort, more: number): number {
    const { hart } = port
    if (this.#dedication.reserved[hart]) return IDLE
    const least = this.#queues.count(port, hart) + more
    let busiest = NOWHERE
    for (let other = 0; other < this.#current.length; other++) {
      if (other === hart || this.#queues.count(port, other) < least) continue
      if (busiest === NOWHERE || this.#hasLess(port, busiest, other)) busiest = other
    }
    if (busiest === NOWHERE) return IDLE
    for (let index = this.#tasks.length - 1; index >= 0; index--) {
      const { record, pin, share } = this.#tasks[index]
      if (record.queued !== busiest || pin !== NOWHERE) continue
      // One that is only just leaving its hart still has its registers there.
      if (record.hart === NOWHERE && record.state === READY && !this.#caps.isReached(share)) return index
    }
    return IDLE
  }
}
