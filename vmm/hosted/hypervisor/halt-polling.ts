/** How long the thread of a vCPU that waits watches before it sleeps: that follows how long the vCPU has waited before. */
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { countWatched } from './statistics.ts'

/** Policy, KVM's, in ticks of the time CSR (10 MHz): it begins with 10 µs, doubles, and never watches for more than 500 µs. */
const FIRST = 100
const MOST = 5000

export class HaltPolling {
  readonly state: Record<string, StateRecord>
  /** By vCPU: how long it watches, and since when it has been waiting (0: it is not). */
  readonly #watch: Float64Array
  readonly #since: Float64Array

  constructor(vcpus: number) {
    this.#watch = new Float64Array(vcpus)
    this.#since = new Float64Array(vcpus)
    this.state = { 'halt watch': this.#watch, 'halt since': this.#since }
  }

  /** Until when the vCPU is to be watched for (ticks); 0 if not any longer. */
  until(port: HartPort, vcpu: number): number {
    const now = port.read(time)
    if (this.#since[vcpu] === 0) this.#since[vcpu] = now
    const end = this.#since[vcpu] + this.#watch[vcpu]
    return now < end ? end : 0
  }

  /** The vCPU goes on; `watched`: it has not slept. */
  over(port: HartPort, vcpu: number, watched: boolean): void {
    if (this.#since[vcpu] === 0) return
    const waited = port.read(time) - this.#since[vcpu]
    this.#since[vcpu] = 0
    if (watched) countWatched(port, vcpu, waited)
    const watch = this.#watch[vcpu]
    if (waited <= watch) return
    if (waited > MOST) this.#watch[vcpu] = 0
    else this.#watch[vcpu] = watch === 0 ? FIRST : Math.min(watch * 2, MOST)
  }
}
