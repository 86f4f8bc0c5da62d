/**
 * Halting: the thread of a vCPU that waits watches for a while whether something comes before it sleeps, if nobody else wants the
 * hart: a short wait then costs no switch. While it sleeps a timer does what the vCPU's comparator would do on a hart.
 */
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { vstimecmp } from '../../../hw/spec/csrs/hypervisor.ts'
import { A0, A1 } from '../../../hw/spec/sbi.ts'
import { WAITING, type Vcpu } from '../../core/vcpu.ts'
import { HaltPolling } from './halt-polling.ts'
import type { KernelCode } from '../image.ts'
import { MODE_WATCHING, vcpuControl } from '../layout.ts'
import type { Scheduler } from '../scheduler.ts'
import { NEVER, type Task } from '../task.ts'
import { countOf, SLEPT } from './statistics.ts'

export class Halts {
  readonly state: Record<string, StateRecord>
  readonly #polling: HaltPolling
  /** By vCPU: whether its thread has slept since it was in the guest last. */
  readonly #slept: Int32Array
  readonly #vcpus: readonly Vcpu[]
  readonly #scheduler: Scheduler
  readonly #code: KernelCode

  /** `elapsed`: the time that a vCPU waits for has come. */
  constructor(
    vcpus: readonly Vcpu[],
    scheduler: Scheduler,
    code: KernelCode,
    elapsed: (port: HartPort, vcpu: Vcpu) => void,
  ) {
    this.#vcpus = vcpus
    this.#scheduler = scheduler
    this.#code = code
    this.#polling = new HaltPolling(vcpus.length)
    this.#slept = new Int32Array(vcpus.length)
    this.state = { ...this.#polling.state, slept: this.#slept }
    scheduler.attachTimers((port, timer) => elapsed(port, vcpus[timer]))
  }

  /** Watches for what may come, until the time that it has for that is over, or others want the hart: then false. Else the entry is over. */
  watch(port: HartPort, index: number): boolean {
    const { wanted, queues } = this.#scheduler
    if (wanted[port.hart] !== 0 || queues.count(port, port.hart) > 0) return false
    const until = this.#polling.until(port, index)
    if (until === 0) return false
    const { frame: at } = this.#vcpus[index]
    port.store32(at + vcpuControl.mode.at, MODE_WATCHING)
    port.account('host kernel', 'halt polling', 'waiting')
    port.setX(A0, at)
    port.setX(A1, until)
    port.jump(this.#code.watchVcpu)
    return true
  }

  /** The thread sleeps: its vCPU, whose CSRs are on the hart, waits, or has stopped. */
  sleep(port: HartPort, task: Task): void {
    const scheduler = this.#scheduler
    countOf(port, task.vcpu, SLEPT)
    this.#slept[task.vcpu] = 1
    if (this.#vcpus[task.vcpu].record.status === WAITING) {
      const due = port.read(vstimecmp)
      if (due < NEVER) scheduler.timers.start(port, scheduler.otherTimer(task.vcpu), due)
    }
    scheduler.sleep(port, task, NEVER)
  }

  /** The vCPU comes to a hart, whose comparator it has. */
  loads(port: HartPort, index: number): void {
    this.#scheduler.timers.cancel(port, this.#scheduler.otherTimer(index))
  }

  /** The vCPU goes on. */
  over(port: HartPort, index: number): void {
    this.#polling.over(port, index, this.#slept[index] === 0)
    this.#slept[index] = 0
  }
}
