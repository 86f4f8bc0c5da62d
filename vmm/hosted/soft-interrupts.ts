/** Work that an interrupt leaves for when it is over, by hart: a bit for each kind that is pending. */
import type { HartPort, StateRecord } from '../../hw/port.ts'

export const SOFT_NET_TX = 0
export const SOFT_NET_RX = 1
export const SOFT_BLOCK = 2
export const SOFT_SCHED = 3
const KINDS = 4

/** Returns true if it has not done all that there is to do. */
export type SoftHandler = (port: HartPort) => boolean

const nothing: SoftHandler = () => false

export class SoftInterrupts {
  readonly pending: Int32Array
  readonly state: Record<string, StateRecord>
  readonly #handlers: SoftHandler[] = Array.from({ length: KINDS }, () => nothing)

  constructor(harts: number) {
    this.pending = new Int32Array(harts)
    this.state = { 'soft interrupts': this.pending }
  }

  /** Who handles a kind. Set-up. */
  attach(kind: number, handler: SoftHandler): void {
    this.#handlers[kind] = handler
  }

  raise(hart: number, kind: number): void {
    this.pending[hart] |= 1 << kind
  }

  /** One round: what was pending when it began. What handlers leave or raise is pending again. */
  run(port: HartPort): void {
    const { hart } = port
    const kinds = this.pending[hart]
    this.pending[hart] = 0
    for (let kind = 0; kind < KINDS; kind++) {
      if ((kinds & (1 << kind)) !== 0 && this.#handlers[kind](port)) this.pending[hart] |= 1 << kind
    }
  }
}
