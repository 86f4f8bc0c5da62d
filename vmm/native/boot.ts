/** Coming up: memory and devices, then guests, then the other harts. */
import type { HartPort } from '../../hw/port.ts'
import { hcounteren, hie } from '../../hw/spec/csrs/hypervisor.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { A0, A1, A2, A6, A7, SBI_HSM } from '../../hw/spec/sbi.ts'
import { prepareHypervisor, VS_INTERRUPTS } from '../core/guest-context.ts'
import { LOCK_BYTES } from '../core/spin-lock.ts'
import type { PlannedGuest } from './ground.ts'
import { startGuest } from './guest-start.ts'
import type { Interrupts } from './interrupts.ts'
import { SCHEDULER_LOCK } from './layout.ts'
import type { Plan } from './plan.ts'
import type { Running } from './running.ts'

/** hcounteren.IR. */
const COUNTED_FOR_ALL = 1 << 2

export class Boot {
  /** Guests prepared, harts started, and whether a call to the firmware that starts one is under way. */
  readonly counts = { prepared: 0, started: 1, calling: 0 }
  readonly #plan: Plan
  readonly #interrupts: Interrupts
  readonly #running: Running
  readonly #symbols: Program['symbols']

  constructor(plan: Plan, interrupts: Interrupts, running: Running, { symbols }: Program) {
    this.#plan = plan
    this.#interrupts = interrupts
    this.#running = running
    this.#symbols = symbols
  }

  boot(port: HartPort): void {
    port.account('vmm', 'boot', 'computing')
    prepareHart(port)
    // What others execute on the hart is counted there too.
    if (this.#plan.slots) port.clear(hcounteren, COUNTED_FOR_ALL)
    const plan = this.#plan
    // What RAM holds when a machine is switched on is anybody's.
    port.fill(SCHEDULER_LOCK, 0, LOCK_BYTES)
    for (const vm of plan.vms) port.fill(vm.ram.root, 0, 0x4000)
    plan.controller.start()
    for (const device of plan.devices) {
      device.start(port)
      if (device.source() !== 0) plan.controller.enable(device.source())
    }
    port.jump(this.#at('scrub'))
  }

  scrub(port: HartPort): void {
    port.account('vmm', 'boot', 'computing')
    if (this.#plan.free.scrub(port)) return port.jump(this.#at('scrub'))
    port.jump(this.#at('settle'))
  }

  /** Guests start when their devices are there. */
  settle(port: HartPort): void {
    port.account('vmm', 'boot', 'computing')
    const { devices, guests } = this.#plan
    this.#interrupts.handle(port)
    const due = this.#interrupts.runDevices(port)
    for (let index = 0; index < devices.length; index++) {
      if (devices[index].settled()) continue
      this.#running.setTimer(port, due)
      port.account('idle', 'boot', 'waiting')
      return port.wfi(this.#at('settle'))
    }
    // One in an entry: there may be many.
    const { counts } = this
    if (counts.prepared === guests.length) return this.#startHarts(port)
    this.#prepareGuest(port, guests[counts.prepared])
    counts.prepared++
    port.jump(this.#at('settle'))
  }

  #prepareGuest(port: HartPort, guest: PlannedGuest): void {
    const { vm, donated } = guest
    for (const { guest: address, page } of donated) vm.ram.donate(port, address, page)
    // Where a page lies would tell what others had asked for by then, and caches and DRAM tell where it lies.
    if (this.#plan.slots) vm.ram.populateAll(port)
    startGuest(port, guest, this.#plan)
  }

  /** Starts the other harts, one call to the firmware after the other; `called` goes on. */
  #startHarts(port: HartPort): void {
    const counts = this.counts
    if (counts.started === this.#plan.harts) return this.#running.next(port)
    counts.calling = 1
    port.setX(A0, counts.started)
    port.setX(A1, this.#at('start_secondary'))
    port.setX(A2, 0)
    port.setX(A6, 0)
    port.setX(A7, SBI_HSM)
    counts.started++
    port.ecall(this.#at('called'))
  }

  secondary(port: HartPort): void {
    port.account('vmm', 'boot', 'computing')
    prepareHart(port)
    this.#running.next(port)
  }

  called(port: HartPort): void {
    if (this.counts.calling !== 0 && port.hart === 0) {
      this.counts.calling = 0
      return this.#startHarts(port)
    }
    this.#running.next(port)
  }

  /** Where a label of the image is. */
  #at(label: string): number {
    return this.#symbols.get(label)!
  }
}

function prepareHart(port: HartPort): void {
  prepareHypervisor(port)
  port.write(hie, VS_INTERRUPTS)
}
