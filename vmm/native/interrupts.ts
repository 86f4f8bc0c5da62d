/** The machine's own interrupts, and the time that drivers ask for. */
import type { HartPort } from '../../hw/port.ts'
import { maskOf } from '../../hw/spec/csr.ts'
import { scause, sip, stimecmp } from '../../hw/spec/csrs/supervisor.ts'
import { NO_TIME } from '../core/guest-context.ts'
import type { Plan } from './plan.ts'

/** Its number in scause. */
const TIMER = 5
const SSIP = maskOf(sip, 'SSIP')
const STIP = maskOf(sip, 'STIP')
const SEIP = maskOf(sip, 'SEIP')

export class Interrupts {
  readonly #plan: Plan

  constructor(plan: Plan) {
    this.#plan = plan
  }

  /** The machine's interrupts that are pending: acknowledged, and those of devices handled. */
  handle(port: HartPort): void {
    const cause = port.read(scause) // The interrupt bit is in the high word.
    const pending = port.read(sip)
    if ((pending & SSIP) !== 0) port.clear(sip, SSIP)
    if ((pending & SEIP) !== 0 && this.#plan.slots?.record.begun !== true) this.external(port)
    if ((pending & STIP) !== 0 || cause === TIMER) port.write(stimecmp, NO_TIME)
  }

  /** Those of devices. */
  external(port: HartPort): void {
    const { controller, devices } = this.#plan
    port.account('vmm', 'external interrupt', 'emulation')
    let source = controller.claim()
    // A wire that stays up whatever its driver does must not keep the entry going.
    for (let left = devices.length; source !== 0 && left > 0; left--) {
      for (const device of devices) if (device.source() === source) device.interrupt(port)
      controller.complete(source)
      source = left > 1 ? controller.claim() : 0
    }
  }

  /** Time for the drivers: on the hart that takes their interrupts, and where they are polled. */
  runDevices(port: HartPort): number {
    let next = Infinity
    if (port.hart !== 0) {
      for (const device of this.#plan.polled) next = Math.min(next, device.look(port))
      return next
    }
    for (const device of this.#plan.devices) next = Math.min(next, device.elapsed(port))
    return next
  }

  /** True if this hart polls a device: it looks again rather than to wait. */
  looks(port: HartPort): boolean {
    const { polled } = this.#plan
    for (let index = 0; index < polled.length; index++) if (polled[index].hart() === port.hart) return true
    return false
  }
}
