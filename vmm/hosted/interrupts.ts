/** Interrupts: what the kernel does when messages of other harts, devices or the timer come, and how it sends messages. */
import type { HartPort } from '../../hw/port.ts'
import { maskOf } from '../../hw/spec/csr.ts'
import { sip } from '../../hw/spec/csrs/supervisor.ts'
import { A0, A1, A6, A7, SBI_IPI } from '../../hw/spec/sbi.ts'
import { interruptBegins, interruptEnds } from './accounting.ts'
import type { KernelCode } from './image.ts'
import type { Plan } from './plan.ts'
import { takeSent } from './scheduling/time-keeping.ts'
import type { Timers } from './timers.ts'

// Interrupts as bits of sie and sip.
const SSIP = maskOf(sip, 'SSIP')
const STIP = maskOf(sip, 'STIP')
const SEIP = maskOf(sip, 'SEIP')

export class Interrupts {
  readonly #code: KernelCode
  readonly #plan: Plan
  readonly #timers: Timers

  constructor(plan: Plan, timers: Timers, code: KernelCode) {
    this.#code = code
    this.#plan = plan
    this.#timers = timers
  }

  /** Takes all that are pending. */
  take(port: HartPort): void {
    interruptBegins(port)
    const pending = port.read(sip)
    if ((pending & SSIP) !== 0) {
      port.clear(sip, SSIP)
      takeSent(port)
    }
    if ((pending & SEIP) !== 0) this.#external(port)
    if ((pending & STIP) !== 0) {
      port.account('host kernel', 'timer interrupt', 'scheduling')
      this.#timers.run(port)
    }
    interruptEnds(port)
  }

  #external(port: HartPort): void {
    const { controller, devices } = this.#plan
    port.account('host kernel', 'external interrupt', 'emulation')
    let source = controller.claim()
    // A wire that stays up whatever its driver does must not keep the entry going.
    for (let left = devices.length; source !== 0; left--) {
      for (let index = 0; index < devices.length; index++) {
        if (devices[index].source() === source) devices[index].interrupt(port)
      }
      controller.complete(source)
      source = left > 1 ? controller.claim() : 0
    }
  }

  /** Interrupts the harts that have to know something; goes on at `called`. */
  send(port: HartPort): void {
    const { kicks } = this.#plan.scheduler
    port.account('host kernel', 'interrupt another hart', 'scheduling')
    port.setX(A0, kicks[port.hart])
    port.setX(A1, 0)
    port.setX(A6, 0)
    port.setX(A7, SBI_IPI)
    kicks[port.hart] = 0
    port.ecall(this.#code.called)
  }
}
