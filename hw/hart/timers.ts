/** The supervisor's and the virtual supervisor's timer comparators (Sstc). */
import type { TimeSource } from '../board.ts'
import type { Clock } from '../bus/chip.ts'
import { STI, VSTI } from '../spec/csrs/machine.ts'
import { HENVCFG, HTIMEDELTA, MENVCFG, STIMECMP, VSTIMECMP } from './slots.ts'

const MASK = (1n << 64n) - 1n
const NONE = -1
/** menvcfg.STCE and henvcfg.STCE, in the high word. */
const STCE = 0x8000_0000 | 0

/** The CSRs of the hart that the timers belong to, wherever they lie now. */
export interface TimerCsrs {
  high(slot: number): number
  long(slot: number): bigint
}

export class Timers {
  /** STIP and VSTIP as the comparators say. */
  pending = 0
  #supervisorEvent = NONE
  #virtualEvent = NONE
  readonly #csrs: TimerCsrs
  readonly #time: TimeSource
  readonly #clock: Clock

  constructor(csrs: TimerCsrs, time: TimeSource, clock: Clock) {
    this.#csrs = csrs
    this.#time = time
    this.#clock = clock
  }

  /** Compares anew: after a write to a comparator, to htimedelta or to STCE, and when an event says so. */
  update(): void {
    const csrs = this.#csrs
    const now = this.#time.mtime()
    const enabled = (csrs.high(MENVCFG) & STCE) !== 0
    const forVirtual = enabled && (csrs.high(HENVCFG) & STCE) !== 0
    this.#cancel()
    this.pending = 0
    if (enabled) this.#supervisorEvent = this.#compare(now, now, csrs.long(STIMECMP), 1 << STI)
    if (forVirtual) {
      const guestNow = (now + csrs.long(HTIMEDELTA)) & MASK
      this.#virtualEvent = this.#compare(now, guestNow, csrs.long(VSTIMECMP), 1 << VSTI)
    }
  }

  save(): readonly number[] {
    return [this.pending, this.#supervisorEvent, this.#virtualEvent]
  }

  restore([pending = 0, supervisor = NONE, virtual = NONE]: readonly number[]): void {
    this.pending = pending
    this.#supervisorEvent = supervisor
    this.#virtualEvent = virtual
  }

  /** The event at which a comparator is reached; NONE if it has been, or never is. */
  #compare(now: bigint, seen: bigint, comparator: bigint, bit: number): number {
    if (seen >= comparator) {
      this.pending |= bit
      return NONE
    }
    const reached = now + comparator - seen
    const cycle = reached > MASK ? Infinity : this.#time.cycleOf(reached)
    return cycle === Infinity ? NONE : this.#clock.at(cycle, 'timer', null)
  }

  #cancel(): void {
    if (this.#supervisorEvent !== NONE) this.#clock.cancel(this.#supervisorEvent)
    if (this.#virtualEvent !== NONE) this.#clock.cancel(this.#virtualEvent)
    this.#supervisorEvent = this.#virtualEvent = NONE
  }
}
