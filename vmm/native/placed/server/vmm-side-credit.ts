/**
 * Servers go ahead of guests, but do not starve them: what servers take of a hart that they share, beyond what others had
 * of it meanwhile, is a millisecond at most; then they rest, if there is a guest that could go on.
 */
import type { HartPort, StateRecord } from '../../../../hw/port.ts'
import { time } from '../../../../hw/spec/csrs/counters.ts'
import { NOWHERE, RUNNABLE } from '../../../core/vcpu.ts'
import type { Plan } from '../../plan.ts'

/** Ticks, of 100 ns. Of the time between two turns of servers, the way out and in again is nobody's. */
const MOST = 10_000
const TRIP = 30
const REST = 5000
/** A guest that has its hart to itself may be asleep without saying so. */
const SHORT_REST = 1000

export class ServerCredit {
  readonly state: Readonly<Record<string, StateRecord>>
  /** By hart: until when servers rest there; 0 if they do not. */
  readonly rest: Float64Array
  /** Ticks that they may take yet, and up to when that is reckoned. */
  readonly #left: Float64Array
  readonly #reckoned: Float64Array

  constructor(harts: number) {
    this.rest = new Float64Array(harts)
    this.#left = new Float64Array(harts)
    this.#reckoned = new Float64Array(harts)
    this.state = {
      'servers rest': this.rest,
      'servers credit': this.#left,
      'servers reckoned': this.#reckoned,
    }
  }

  /** This hart is about to go into a server: true if it has to give a guest its turn first. */
  isUsedUp(port: HartPort, plan: Plan): boolean {
    const { hart } = port
    const now = port.read(time)
    const others = now - this.#reckoned[hart] - TRIP
    const left = this.#left[hart] + (others > 0 ? others : 0)
    this.#left[hart] = left < MOST ? left : MOST
    this.#reckoned[hart] = now
    const rest = this.rest[hart]
    if (rest > now) return hasGuest(plan, hart)
    if (rest !== 0) this.#left[hart] = MOST
    this.rest[hart] = 0
    if (this.#left[hart] >= 0 || !hasGuest(plan, hart)) return false
    this.rest[hart] = now + (plan.scheduler.isDedicated(hart) ? SHORT_REST : REST)
    return true
  }

  /** The hart has come out of a server. */
  charge(port: HartPort): void {
    const { hart } = port
    const now = port.read(time)
    this.#left[hart] = this.#left[hart] - (now - this.#reckoned[hart])
    this.#reckoned[hart] = now
  }
}

/** True if a guest could go on there. */
function hasGuest({ vcpus }: Plan, hart: number): boolean {
  for (let index = 0; index < vcpus.length; index++) {
    const { record, pin } = vcpus[index]
    if (record.status !== RUNNABLE || (pin !== NOWHERE && pin !== hart)) continue
    if (record.hart === NOWHERE || record.hart === hart) return true
  }
  return false
}
