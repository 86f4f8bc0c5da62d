/** Whose context each hart's VS-mode CSRs and floating-point registers hold, and how it comes there and is saved again. */
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { hie } from '../../../hw/spec/csrs/hypervisor.ts'
import { A0, A1, A2 } from '../../../hw/spec/sbi.ts'
import { renameMachine } from '../../core/guest-context.ts'
import { NOWHERE, type Vcpu } from '../../core/vcpu.ts'
import type { KernelCode } from '../image.ts'
import type { Task } from '../task.ts'
import { giveVmid, isCurrent, isNewGeneration, vmidOf } from './vmids.ts'

export class VcpuContexts {
  readonly state: Record<string, StateRecord>
  /** By hart: the vCPU whose context it holds. */
  readonly loaded: Int32Array
  /** By hart, and machine: which of its vCPUs ran there last. */
  readonly #before: Int32Array
  /** By vCPU: the hart where it ran last. */
  readonly #ran: Int32Array
  readonly #vcpus: readonly Vcpu[]
  /** By vCPU. */
  readonly #threads: readonly Task[]
  readonly #code: KernelCode
  readonly #machines: number

  constructor(vcpus: readonly Vcpu[], threads: readonly Task[], harts: number, code: KernelCode) {
    this.#vcpus = vcpus
    this.#threads = threads
    this.#code = code
    this.#machines = threads.reduce((most, { process }) => Math.max(most, process.vm.index + 1), 0)
    this.loaded = new Int32Array(harts).fill(NOWHERE)
    this.#before = new Int32Array(harts * this.#machines).fill(NOWHERE)
    this.#ran = new Int32Array(vcpus.length).fill(NOWHERE)
    this.state = { loaded: this.loaded, before: this.#before, ran: this.#ran }
  }

  /** Begins to load a vCPU's; `loaded` goes on. */
  load(port: HartPort, task: Task): void {
    port.account('host kernel', 'load vCPU', 'world switch')
    port.setX(A0, this.#vcpus[task.vcpu].frame)
    port.setX(A1, this.#code.loaded)
    port.setX(A2, task.frame)
    port.jump(this.#code.loadContext)
  }

  hasLoaded(port: HartPort, vcpu: number): void {
    this.loaded[port.hart] = vcpu
    this.#vcpus[vcpu].record.hart = port.hart
    this.#isHere(port, vcpu)
  }

  /** What the hart keeps of guests is not to be taken for this vCPU's, which has it now. */
  #isHere(port: HartPort, vcpu: number): void {
    const { hart } = port
    const first = hart * this.#machines
    if (isNewGeneration(port)) {
      port.hfenceGvma()
      for (let machine = 0; machine < this.#machines; machine++) this.#before[first + machine] = NOWHERE
    }
    const { index } = this.#threads[vcpu].process.vm
    // Another vCPU of its machine ran here meanwhile, or this one elsewhere: what the TLB has under their VMID may be another's.
    if (this.#before[first + index] !== vcpu || this.#ran[vcpu] !== hart) {
      port.hfenceGvma(undefined, vmidOf(port, index))
      port.hfenceVvma()
    }
    this.#before[first + index] = vcpu
    this.#ran[vcpu] = hart
  }

  /** Before each entry: the machine's VMID may be another's in a new generation. */
  check(port: HartPort, task: Task, isLoaded: boolean): void {
    if (isCurrent(port, task.vcpu)) return
    const vmid = giveVmid(port, task.process.vm.index, task.vcpu)
    renameMachine(port, this.#vcpus[task.vcpu].frame, vmid, isLoaded)
    if (isLoaded) this.#isHere(port, task.vcpu)
  }

  /** Begins to save what the hart holds; `saved` goes on. False if it holds nothing. */
  save(port: HartPort): boolean {
    const index = this.loaded[port.hart]
    if (index === NOWHERE) return false
    port.account('host kernel', 'put vCPU', 'world switch')
    port.setX(A0, this.#vcpus[index].frame)
    port.setX(A1, this.#code.saved)
    port.setX(A2, this.#threads[index].frame)
    port.jump(this.#code.saveContext)
    return true
  }

  hasSaved(port: HartPort): void {
    const index = this.loaded[port.hart]
    // The guest's interrupts, enabled by its vsie, must not keep the hart from idling.
    port.write(hie, 0)
    this.#vcpus[index].record.hart = NOWHERE
    this.loaded[port.hart] = NOWHERE
  }
}
