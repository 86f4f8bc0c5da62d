/**
 * One hart at a time is within a VMM. Its entries run with interrupts off, but the firmware's cannot be masked: an entry
 * that was interrupted in its midst is not over yet, and until it is the entries of other harts begin again.
 */
import type { CurrentPort } from '../../drivers/port-environment.ts'
import type { HartPort } from '../../hw/port.ts'
import type { Party } from '../../hw/spec/ledger.ts'
import { NOWHERE } from './vcpu.ts'

export class EntryGuard {
  /** The hart whose entry is not over: state of the software's. */
  readonly record = { hart: NOWHERE }
  readonly #current: CurrentPort
  readonly #party: Party

  constructor(current: CurrentPort, party: Party) {
    this.#current = current
    this.#party = party
  }

  /** An entry whose drivers reach the hart that runs it; `door` is its own address. */
  guard(door: number, entry: (port: HartPort) => void): (port: HartPort) => void {
    const { record } = this
    const current = this.#current
    return port => {
      if (record.hart !== NOWHERE && record.hart !== port.hart) {
        port.account(this.#party, 'another hart', 'waiting')
        return port.jump(door)
      }
      const before = current.port
      current.port = port
      record.hart = port.hart
      entry(port)
      record.hart = NOWHERE
      current.port = before
    }
  }
}
