/**
 * Halting: the thread of a vCPU that waits watches for a while whether something comes before it sleeps, if nobody else
 * wants the hart: a short wait then costs no switch. How long it watches follows how long the vCPU has waited before.
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { hie, hip } from '../../hw/spec/csrs/hypervisor.ts'
import { sie, sip } from '../../hw/spec/csrs/supervisor.ts'

/** Policy, KVM's, in ticks of the time CSR (10 MHz): it begins with 10 µs, doubles, and never watches for more than 500 µs. */
const FIRST = 100
const MOST = 5000
/** How long it watches before others may look: interrupts are taken between. */
const PIECE = 50

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

  /** Watches for a piece of the time that it has; false if that is over. */
  watches(port: HartPort, vcpu: number): boolean {
    const now = port.read(time)
    if (this.#since[vcpu] === 0) this.#since[vcpu] = now
    const end = this.#since[vcpu] + this.#watch[vcpu]
    if (now >= end) return false
    port.account('host kernel', 'halt polling', 'waiting')
    const piece = Math.min(end, now + PIECE)
    while (port.read(time) < piece && !hasCome(port)) {
      // Only time passes.
    }
    return true
  }

  /** The vCPU goes on. */
  over(port: HartPort, vcpu: number): void {
    if (this.#since[vcpu] === 0) return
    const waited = port.read(time) - this.#since[vcpu]
    this.#since[vcpu] = 0
    const watch = this.#watch[vcpu]
    if (waited <= watch) return
    if (waited > MOST) this.#watch[vcpu] = 0
    else this.#watch[vcpu] = watch === 0 ? FIRST : Math.min(watch * 2, MOST)
  }
}

/** An interrupt for the guest whose context is on the hart, or for the host. */
function hasCome(port: HartPort): boolean {
  return (port.read(hip) & port.read(hie)) !== 0 || (port.read(sip) & port.read(sie)) !== 0
}
