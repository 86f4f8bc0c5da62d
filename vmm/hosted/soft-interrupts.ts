/**
 * Work that an interrupt leaves for when it is over, by hart: a bit for each kind that is pending. It is done as soon as
 * the interrupt ends, some rounds of it; if there is more, a thread of the kernel's takes it over, so that others run too.
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { countSoftInterrupt } from './accounting.ts'
import { NEVER } from './task.ts'

export const SOFT_NET_TX = 0
export const SOFT_NET_RX = 1
export const SOFT_BLOCK = 2
export const SOFT_SCHED = 3
const KINDS = 4
/** Policy, Linux's: rounds before the thread takes over. */
const ROUNDS = 10

/** Returns true if it has not done all that there is to do. */
export type SoftHandler = (port: HartPort) => boolean

const nothing: SoftHandler = () => false

export class SoftInterrupts {
  readonly pending: Int32Array
  /** By hart: rounds since the last time that nothing was pending; whether the thread has them. */
  readonly #rounds: Int32Array
  readonly #busy: Int32Array
  readonly state: Record<string, StateRecord>
  readonly #handlers: SoftHandler[] = Array.from({ length: KINDS }, () => nothing)
  #wakeThread: (port: HartPort) => void = () => {}

  constructor(harts: number) {
    this.pending = new Int32Array(harts)
    this.#rounds = new Int32Array(harts)
    this.#busy = new Int32Array(harts)
    this.state = { 'soft interrupts': this.pending, 'soft rounds': this.#rounds, 'soft thread': this.#busy }
  }

  /** Who handles a kind. Set-up. */
  attach(kind: number, handler: SoftHandler): void {
    this.#handlers[kind] = handler
  }

  /** Who wakes the hart's thread. Set-up. */
  attachThread(wakeThread: (port: HartPort) => void): void {
    this.#wakeThread = wakeThread
  }

  raise(hart: number, kind: number): void {
    this.pending[hart] |= 1 << kind
  }

  /** The end of an interrupt: a round of what is pending. True if there is more, for the next entry. */
  runSome(port: HartPort): boolean {
    const { hart } = port
    if (this.#busy[hart] !== 0) return false
    this.run(port)
    if (this.pending[hart] === 0) {
      this.#rounds[hart] = 0
      return false
    }
    this.#rounds[hart]++
    if (this.#rounds[hart] < ROUNDS) return true
    this.#rounds[hart] = 0
    this.#busy[hart] = 1
    this.#wakeThread(port)
    return false
  }

  /** One round: what was pending when it began. What handlers leave or raise is pending again. */
  run(port: HartPort): void {
    const { hart } = port
    const kinds = this.pending[hart]
    this.pending[hart] = 0
    countSoftInterrupt(port)
    for (let kind = 0; kind < KINDS; kind++) {
      if ((kinds & (1 << kind)) !== 0 && this.#handlers[kind](port)) this.pending[hart] |= 1 << kind
    }
  }

  /** The thread has nothing left: interrupts do their work again. */
  calm(port: HartPort): number {
    this.#busy[port.hart] = 0
    return NEVER
  }
}
