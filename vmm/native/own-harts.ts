/** Harts on which no vCPU runs: they are a driver's, and do what has to be done for it; else they wait for more. */
import type { HartPort } from '../../hw/port.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { A0, A1, A6, A7, SBI_IPI } from '../../hw/spec/sbi.ts'
import { NOWHERE } from '../core/vcpu.ts'
import type { Interrupts } from './interrupts.ts'
import type { Plan } from './plan.ts'
import type { Running } from './running.ts'

export class OwnHarts {
  /** By hart: 1 if it is a driver's own. */
  readonly #own: Int32Array
  #plan: Plan | undefined
  #interrupts: Interrupts | undefined
  #running: Running | undefined
  #called = 0
  #woken = 0

  /** `own`: which they are, NOWHERE among them. */
  constructor(own: readonly number[], harts: number) {
    this.#own = new Int32Array(harts)
    for (const hart of own) if (hart !== NOWHERE) this.#own[hart] = 1
  }

  /** The VMM that they belong to. Set-up. */
  join(plan: Plan, interrupts: Interrupts, running: Running, { symbols }: Program): void {
    this.#plan = plan
    this.#interrupts = interrupts
    this.#running = running
    this.#called = symbols.get('called')!
    this.#woken = symbols.get('woken')!
    for (let hart = 0; hart < this.#own.length; hart++) if (this.#own[hart] === 1) plan.scheduler.reserve(hart)
  }

  /** They have nothing else to do than this, whenever they have been entered. Set-up. */
  lead(running: Running): void {
    const guests = running.next.bind(running)
    running.next = port => {
      if (!this.has(port.hart)) return guests(port)
      port.account('vmm', 'scheduling', 'scheduling')
      this.attend(port, Infinity)
    }
  }

  has(hart: number): boolean {
    return this.#own[hart] === 1
  }

  /** Devices, other harts, what guests' devices have left for later; then it looks again, or waits until `due` (0: not at all), or less. */
  attend(port: HartPort, due: number): void {
    const next = this.#interrupts!.runDevices(port)
    if (this.tell(port)) return
    if (this.#work(port) || due === 0 || this.#interrupts!.looks(port)) return port.jump(this.#woken)
    this.#running!.setTimer(port, next < due ? next : due)
    port.account('idle', 'nothing to run', 'waiting')
    port.wfi(this.#woken)
  }

  /** Interrupts the harts that have to know something first; the firmware returns to `called`, and that comes to `next`. */
  tell(port: HartPort): boolean {
    const { kicks } = this.#running!
    const others = kicks[port.hart] & ~(1 << port.hart)
    kicks[port.hart] = 0
    if (others === 0) return false
    port.setX(A0, others)
    port.setX(A1, 0)
    port.setX(A6, 0)
    port.setX(A7, SBI_IPI)
    port.ecall(this.#called)
    return true
  }

  /** Does a part of what guests' devices have left for later, where no guest runs. */
  #work(port: HartPort): boolean {
    const { vms } = this.#plan!
    for (let index = 0; index < vms.length; index++) {
      if (!vms[index].isBehind()) continue
      port.account('vmm', 'device work', 'emulation')
      vms[index].work(port)
      return true
    }
    return false
  }
}
