/**
 * Which vCPU a hart runs. Pinned vCPUs run on their hart only; the others wherever there is room. Among those that may
 * run, the one that has had least for its weight goes next; one that has used up its cap waits for the next period.
 * Who has just come stays for a while: however often others are woken, harts do not spend their time in switching.
 */
import type { HartPort } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { NOWHERE, RUNNABLE, type Vcpu } from '../core/vcpu.ts'

/** Policy, in ticks of the time CSR (10 MHz): a turn is 5 ms, caps count in periods of 50 ms. */
export const SLICE_TICKS = 50_000
const PERIOD_TICKS = 500_000
/** And nobody is sent away within 0.1 ms of having come. */
const STAY_TICKS = 1000

/** In place of a vCPU: the hart is somebody's own. */
const RESERVED = -2

export interface Share {
  readonly weight: number
  /** Percent of a hart, 0: none. */
  readonly cap: number
}

export class Scheduler {
  /** By vCPU: time had, divided by weight; ticks had in this period; since when that is not charged; when it came to its hart. */
  readonly had: Float64Array
  readonly used: Float64Array
  readonly since: Float64Array
  readonly came: Float64Array
  readonly periods: Float64Array
  /** By hart: the vCPU that is running there, or NOWHERE. */
  readonly running: Int32Array
  readonly #vcpus: readonly Vcpu[]
  readonly #shares: readonly Share[]
  readonly #dedicated: boolean[]

  constructor(vcpus: readonly Vcpu[], shares: readonly Share[], harts: number) {
    this.#vcpus = vcpus
    this.#shares = shares
    this.had = new Float64Array(vcpus.length)
    this.used = new Float64Array(vcpus.length)
    this.since = new Float64Array(vcpus.length)
    this.came = new Float64Array(vcpus.length)
    this.periods = new Float64Array(1)
    this.running = new Int32Array(harts).fill(NOWHERE)
    this.#dedicated = Array.from({ length: harts }, (_, hart) => {
      const candidates = shares.filter((_, index) => vcpus[index].pin === hart || vcpus[index].pin === NOWHERE)
      return candidates.length <= 1 && candidates.every(({ cap }) => cap === 0)
    })
  }

  /** True if the hart is one vCPU's alone, without a cap: then nothing has to be measured, and its wfi need not be seen. */
  isDedicated(hart: number): boolean {
    return this.#dedicated[hart]
  }

  /** The VMM has work on the hart whenever its vCPU has none: it wants to see the vCPU's wfi. Set-up. */
  share(hart: number): void {
    this.#dedicated[hart] = false
  }

  /** No vCPU runs on the hart, ever. Set-up. */
  reserve(hart: number): void {
    this.running[hart] = RESERVED
  }

  /** Charges the vCPU that was running on the hart; it may be picked again. */
  stop(port: HartPort): void {
    const index = this.running[port.hart]
    if (index === NOWHERE) return
    const ticks = port.read(time) - this.since[index]
    this.used[index] = this.used[index] + ticks
    this.had[index] = this.had[index] + ticks / this.#shares[index].weight
    this.running[port.hart] = NOWHERE
  }

  /** A hart other than this that runs nothing, as a mask; 0 if there is none. */
  idleHart(hart: number): number {
    const { running } = this
    for (let other = 0; other < running.length; other++) {
      if (other !== hart && running[other] === NOWHERE) return 1 << other
    }
    return 0
  }

  /** The vCPU that the hart runs next, now running there; NOWHERE if none can. `last` is the one whose context it holds. */
  pick(port: HartPort, last: number): number {
    const now = port.read(time)
    const period = Math.floor(now / PERIOD_TICKS)
    if (period !== this.periods[0]) {
      this.periods[0] = period
      this.used.fill(0)
    }
    let best = NOWHERE
    if (last !== NOWHERE && now - this.came[last] < STAY_TICKS && this.#mayRun(last, port.hart)) best = last
    else {
      for (let index = 0; index < this.#vcpus.length; index++) {
        if (!this.#mayRun(index, port.hart)) continue
        if (best === NOWHERE || this.had[index] < this.had[best]) best = index
      }
    }
    if (best === NOWHERE) return NOWHERE
    if (best !== last) this.came[best] = now
    this.running[port.hart] = best
    this.since[best] = now
    return best
  }

  /** When the hart has to look again for the sake of fairness, in ticks from now: another wants its turn, or the cap is reached. */
  turn(port: HartPort, index: number): number {
    const { cap } = this.#shares[index]
    const left = cap === 0 ? Infinity : Math.max(1, (PERIOD_TICKS * cap) / 100 - this.used[index])
    let others = false
    let isBehind = false
    for (let other = 0; other < this.#vcpus.length; other++) {
      if (other === index || !this.#mayRun(other, port.hart)) continue
      others = true
      if (this.had[other] < this.had[index]) isBehind = true
    }
    const stay = this.came[index] + STAY_TICKS - this.since[index]
    if (isBehind && stay > 0 && left > stay) return stay
    return others && left > SLICE_TICKS ? SLICE_TICKS : left
  }

  /** When a hart has to look again because a cap held somebody back: the next period, in ticks of time; Infinity if none was. */
  nextPeriod(port: HartPort): number {
    for (let index = 0; index < this.#vcpus.length; index++) {
      const { pin, record } = this.#vcpus[index]
      const here = pin === NOWHERE || pin === port.hart
      if (here && record.status === RUNNABLE && this.#isCapped(index)) return (this.periods[0] + 1) * PERIOD_TICKS
    }
    return Infinity
  }

  #isCapped(index: number): boolean {
    const { cap } = this.#shares[index]
    return cap !== 0 && this.used[index] >= (PERIOD_TICKS * cap) / 100
  }

  #mayRun(index: number, hart: number): boolean {
    const { pin, record } = this.#vcpus[index]
    if (record.status !== RUNNABLE || this.#isCapped(index)) return false
    if (pin !== NOWHERE) return pin === hart
    // Free vCPUs: not while another hart still holds their context, or has picked them and is fetching it.
    if (record.hart !== NOWHERE && record.hart !== hart) return false
    const { running } = this
    for (let other = 0; other < running.length; other++) if (other !== hart && running[other] === index) return false
    return true
  }
}
