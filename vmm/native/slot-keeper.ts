/**
 * Which guest runs where time is protected: the end of every entry, and the change of slots.
 *
 *   next ─▶ the guest whose slot it is, until its end
 *   next ─▶ (contexts saved, loaded) ─▶ arriving: devices, clearing ─▶ wfi until the padding is over ─▶ padded ─▶ next
 */
import type { HartPort } from '../../hw/port.ts'
import { maskOf } from '../../hw/spec/csr.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { hie } from '../../hw/spec/csrs/hypervisor.ts'
import { sie } from '../../hw/spec/csrs/supervisor.ts'
import { VS_INTERRUPTS } from '../core/guest-context.ts'
import { NOWHERE, RUNNABLE } from '../core/vcpu.ts'
import type { Interrupts } from './interrupts.ts'
import { VMM_BASE } from './layout.ts'
import type { Plan } from './plan.ts'
import type { Places, Running } from './running.ts'
import type { TimeSlots } from './time-slots.ts'

const EXTERNAL = maskOf(sie, 'SEIE')
/** Of the memory that the machine has: rows, one a bank. Whoever reads there opens it. */
const DRAM_BANKS = 8
const DRAM_ROW = 8192

export class SlotKeeper {
  readonly #plan: Plan
  readonly #slots: TimeSlots
  readonly #interrupts: Interrupts
  readonly #running: Running
  readonly #places: Places

  constructor(plan: Plan, slots: TimeSlots, interrupts: Interrupts, running: Running, places: Places) {
    this.#plan = plan
    this.#slots = slots
    this.#interrupts = interrupts
    this.#running = running
    this.#places = places
  }

  /** The vCPU whose slot it is has the hart, with or without a use for it. */
  next(port: HartPort): void {
    const { vcpus } = this.#plan
    const slots = this.#slots
    const running = this.#running
    if (!slots.record.begun) {
      slots.record.begun = true
      // Devices are looked after between slots only.
      port.clear(sie, EXTERNAL)
    }
    const now = port.read(time)
    const index = slots.owner(now)
    const last = running.loaded[port.hart]
    running.kicks[port.hart] = 0
    if (index !== last) {
      running.coming[port.hart] = index
      return last === NOWHERE ? running.load(port) : running.save(port, last, this.#places.saved)
    }
    const vcpu = vcpus[index]
    const end = slots.end(now)
    if (vcpu.record.status !== RUNNABLE) return running.wait(port, end)
    running.setTimer(port, end)
    running.enter(port, vcpu)
  }

  /** A slot begins: what devices have to say for anybody is heard, and what they are asked for is given to them; then the hart forgets what it did. */
  arriving(port: HartPort): void {
    port.account('vmm', 'time protection', 'scheduling')
    this.#interrupts.external(port)
    this.#interrupts.runDevices(port)
    this.#workOfDevices(port)
    port.fenceT()
    // Which rows of DRAM are open tells who used it last: now they are always the same.
    for (let bank = 0; bank < DRAM_BANKS; bank++) port.load32(VMM_BASE + bank * DRAM_ROW)
    const now = port.read(time)
    const beginning = this.#slots.beginning(now)
    if (now >= beginning) this.#slots.record.late++
    // The guest's own interrupts would end the wait: whoever begins it again and again goes on when his round is over, not at once.
    port.write(hie, 0)
    this.#sleepUntil(port, beginning)
  }

  /**
   * What the guest whose slot begins has asked of its devices in its last one: these reach for memory while it is its own
   * slot. What is not begun in the padding's first half waits for the next slot.
   */
  #workOfDevices(port: HartPort): void {
    const { vms, owner } = this.#plan
    const slots = this.#slots
    const vm = vms[owner[this.#running.loaded[port.hart]]]
    slots.open(port, vm)
    while (vm.isBehind() && slots.hasTime(port.read(time))) vm.work(port)
    slots.close(vm)
  }

  /** The guest's time has come, unless something else has ended the wait. */
  padded(port: HartPort): void {
    const now = port.read(time)
    const beginning = this.#slots.beginning(now)
    if (now < beginning) return this.#sleepUntil(port, beginning)
    port.write(hie, VS_INTERRUPTS)
    port.account('vmm', 'time protection', 'scheduling')
    const index = this.#running.loaded[port.hart]
    this.#plan.vcpus[index].record.fencing = false
    this.next(port)
  }

  #sleepUntil(port: HartPort, due: number): void {
    this.#running.setTimer(port, due)
    port.account('idle', 'time protection', 'waiting')
    port.wfi(this.#places.padded)
  }
}
