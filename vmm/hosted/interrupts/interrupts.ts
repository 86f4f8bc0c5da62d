/** Interrupts: what the kernel does when messages of other harts, devices or the timer come, and how it sends messages. */
import type { HartPort } from '../../../hw/port.ts'
import { sie, sip } from '../../../hw/spec/csrs/supervisor.ts'
import { A0, A1, A6, A7, SBI_IPI } from '../../../hw/spec/sbi.ts'
import { interruptBegins, interruptEnds } from '../accounting.ts'
import type { KernelCode } from '../image.ts'
import type { Plan } from '../plan.ts'
import { takeSent } from '../scheduling/time-keeping.ts'
import type { Timers } from '../timers.ts'
import { CAUSES, MESSAGES, SOURCES } from './lines.ts'

/** Causes, as bits of sie and sip (priv: scause). */
const SOFTWARE = 1
const TIMER = 5
const EXTERNAL = 9
/** In the order in which they are taken. */
export const ORDER = [SOFTWARE, EXTERNAL, TIMER] as const

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
    const { lines, scheduler } = this.#plan
    interruptBegins(port)
    scheduler.queues.beginInterrupted(port)
    const pending = port.read(sip) & port.read(sie)
    for (let index = 0; index < ORDER.length; index++) {
      const cause = ORDER[index]
      if ((pending & (1 << cause)) === 0) continue
      const line = lines.find(port, CAUSES, cause)
      if (line !== 0) lines.count(port, line)
      if (cause === SOFTWARE) this.#messages(port)
      else if (cause === EXTERNAL) this.#external(port)
      else this.#timer(port)
    }
    scheduler.queues.endInterrupted(port)
    interruptEnds(port)
  }

  #timer(port: HartPort): void {
    port.account('host kernel', 'timer interrupt', 'scheduling')
    this.#timers.run(port)
  }

  /** One interrupt for all that other harts want: a bit each. */
  #messages(port: HartPort): void {
    const { lines, scheduler } = this.#plan
    port.clear(sip, 1 << SOFTWARE)
    const sent = takeSent(port)
    for (let what = 0; sent >>> what !== 0; what++) {
      if (((sent >>> what) & 1) === 0) continue
      const line = lines.find(port, MESSAGES, what)
      if (line === 0) continue
      lines.count(port, line)
      scheduler.takeMessage(port, what)
    }
  }

  #external(port: HartPort): void {
    const { controller, devices } = this.#plan
    port.account('host kernel', 'external interrupt', 'emulation')
    let source = controller.claim()
    // A wire that stays up whatever its driver does must not keep the entry going.
    for (let left = devices.length; source !== 0; left--) {
      this.#source(port, source)
      controller.complete(source)
      source = left > 1 ? controller.claim() : 0
    }
  }

  #source(port: HartPort, source: number): void {
    const { lines, devices } = this.#plan
    const line = lines.find(port, SOURCES, source)
    if (line === 0 || !lines.begin(port, line)) return
    do {
      for (let index = 0; index < devices.length; index++) {
        if (devices[index].source() === source) devices[index].interrupt(port)
      }
    } while (lines.end(port, line))
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
