/**
 * The hypervisor in the host's kernel, in the manner of KVM: it runs a vCPU on behalf of the VMM process's thread that
 * asks for it, handles in the kernel what needs no device (timer, IPI, fences, harts, wfi, stage-2 faults), and leaves
 * the rest to the process through the run page.
 */
import { maskOf } from '../../hw/spec/csr.ts'
import type { HartPort } from '../../hw/port.ts'
import { hie, hip, hstatus, vstimecmp } from '../../hw/spec/csrs/hypervisor.ts'
import { sscratch, stvec } from '../../hw/spec/csrs/supervisor.ts'
import { A0, A1 } from '../../hw/spec/sbi.ts'
import { recordCrash } from '../core/crash.ts'
import { DEVICE, finishAccess, handleExit, HANDLED, INTERRUPT, type PendingAccess } from '../core/exits.ts'
import type { Host } from '../core/host.ts'
import { DEAD, NOWHERE, RUNNABLE, VSEIP, WAITING, type Vcpu } from '../core/vcpu.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import type { HostConsole } from './host-console.ts'
import type { KernelCode } from './image.ts'
import type { Scheduler } from './scheduler.ts'
import { EXIT_DEVICE, EXIT_ENDED, runPage } from './system-calls.ts'
import { IN_GUEST, IN_USER, NEVER, type Task } from './task.ts'

const HSTATUS_SPV = maskOf(hstatus, 'SPV')

export class HypervisorModule implements Host {
  readonly party = 'host kernel'
  /** By hart: the vCPU whose context its CSRs hold, and the one that held it before. */
  readonly loaded: Int32Array
  readonly #before: Int32Array
  /** By vCPU: its thread, its device access that the process emulates, whether one is outstanding, its run page. */
  readonly #threads: readonly Task[]
  readonly pending: readonly PendingAccess[]
  readonly #outstanding: Int32Array
  readonly runPages: Float64Array
  readonly state: Record<string, Int32Array | Float64Array>
  readonly #vcpus: readonly Vcpu[]
  readonly #scheduler: Scheduler
  readonly #console: HostConsole
  readonly #code: KernelCode

  constructor(
    threads: readonly Task[],
    vcpus: readonly Vcpu[],
    pending: readonly PendingAccess[],
    scheduler: Scheduler,
    console: HostConsole,
    harts: number,
    code: KernelCode,
  ) {
    this.#threads = threads
    this.#vcpus = vcpus
    this.pending = pending
    this.#scheduler = scheduler
    this.#console = console
    this.#code = code
    this.loaded = new Int32Array(harts).fill(NOWHERE)
    this.#before = new Int32Array(harts).fill(NOWHERE)
    this.#outstanding = new Int32Array(vcpus.length)
    this.runPages = new Float64Array(vcpus.length)
    this.state = { loaded: this.loaded, before: this.#before, outstanding: this.#outstanding, runPages: this.runPages }
  }

  /** The system call: completes the device access that the process has emulated, and sends the thread into the guest. */
  run(port: HartPort, task: Task): void {
    const vcpu = this.#vcpus[task.vcpu]
    if (this.#outstanding[task.vcpu] !== 0) {
      this.#outstanding[task.vcpu] = 0
      const page = this.runPages[task.vcpu]
      finishAccess(
        port,
        vcpu,
        this.pending[task.vcpu],
        port.load32(page + runPage.low.at),
        port.load32(page + runPage.high.at),
      )
    }
    task.record.mode = IN_GUEST
  }

  /** The system call: the guest's external interrupt, as its virtual interrupt controller has it. */
  interrupt(port: HartPort, vcpu: Vcpu, level: boolean): void {
    const elsewhere = level ? vcpu.raise(port, VSEIP) : vcpu.lower(port, VSEIP)
    if (elsewhere || level) this.kick(port, vcpu)
  }

  /** A trap from the guest, its registers saved: back to the kernel's own vector, then what the guest is owed. True if it was the machine's own interrupt. */
  exit(port: HartPort, task: Task): boolean {
    port.write(stvec, this.#code.fromUser)
    port.write(sscratch, 0)
    port.clear(hstatus, HSTATUS_SPV)
    const vcpu = this.#vcpus[task.vcpu]
    const { vm } = task.process
    const pending = this.pending[task.vcpu]
    const outcome = handleExit(port, this, vm, vcpu, pending)
    if (outcome === INTERRUPT) return true
    if (outcome === DEVICE) this.#leaveToProcess(port, task, vcpu, pending)
    else if (outcome === HANDLED && vm.record.ended) this.#tellEnd(port, task, vm)
    return false
  }

  #leaveToProcess(port: HartPort, task: Task, vcpu: Vcpu, pending: PendingAccess): void {
    const page = this.runPages[task.vcpu]
    port.store32(page + runPage.reason.at, EXIT_DEVICE)
    port.store32(page + runPage.bytes.at, pending.bytes)
    port.store64(page + runPage.address.at, pending.address)
    port.store32(page + runPage.write.at, pending.write ? 1 : 0)
    if (pending.write) {
      const { register } = pending
      port.store32(page + runPage.low.at, vcpu.register32(port, register))
      if (pending.bytes === 8)
        port.store32(page + runPage.high.at, register === 0 ? 0 : port.load32(vcpu.frame + register * 8 + 4))
    }
    this.#outstanding[task.vcpu] = 1
    task.record.mode = IN_USER
  }

  #tellEnd(port: HartPort, task: Task, vm: VirtualMachine): void {
    const page = this.runPages[task.vcpu]
    port.store32(page + runPage.reason.at, EXIT_ENDED)
    port.store32(page + runPage.code.at, vm.record.exitCode)
    port.store32(page + runPage.crashed.at, vm.record.crashed ? 1 : 0)
    task.record.mode = IN_USER
  }

  /** The last thing before the guest goes on: false if it cannot, and the thread sleeps. Else the entry is over. */
  enter(port: HartPort, task: Task): boolean {
    const vcpu = this.#vcpus[task.vcpu]
    const { record } = vcpu
    const isLoaded = this.loaded[port.hart] === task.vcpu
    // Without its context on the hart the vCPU has slept, and its thread been woken for it.
    if (record.status === WAITING && (!isLoaded || record.raised !== 0 || (port.read(hip) & port.read(hie)) !== 0))
      record.status = RUNNABLE
    if (record.status !== RUNNABLE) {
      this.#scheduler.sleep(task, record.status === WAITING ? port.read(vstimecmp) : NEVER)
      return false
    }
    if (!isLoaded) {
      port.setX(A0, vcpu.frame)
      port.setX(A1, this.#code.loaded)
      port.jump(this.#code.loadContext)
      return true
    }
    if (record.fence) {
      record.fence = false
      port.fenceI()
      port.hfenceVvma()
    }
    vcpu.settle(port)
    port.account('host kernel', 'run guest', 'world switch')
    port.write(stvec, this.#code.fromGuest)
    port.setX(A0, vcpu.frame)
    port.jump(this.#code.toGuest)
    return true
  }

  /** The context of the hart's task has been loaded. */
  hasLoaded(port: HartPort, task: Task): void {
    const { hart } = port
    const { record } = this.#vcpus[task.vcpu]
    this.loaded[hart] = task.vcpu
    record.hart = hart
    // Another vCPU ran here meanwhile, or this one elsewhere: what the TLB kept under its VMID may be another's.
    if (this.#before[hart] !== task.vcpu || task.record.last !== hart) {
      port.hfenceGvma()
      port.hfenceVvma()
    }
    this.#before[hart] = task.vcpu
  }

  /** Begins to save the context that the hart holds; `saved` goes on. False if it holds none. */
  save(port: HartPort): boolean {
    const index = this.loaded[port.hart]
    if (index === NOWHERE) return false
    port.account('host kernel', 'put vCPU', 'world switch')
    port.setX(A0, this.#vcpus[index].frame)
    port.setX(A1, this.#code.saved)
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

  // What the handling of exits asks for.

  kick(port: HartPort, vcpu: Vcpu): void {
    const task = this.#threadOf(vcpu)
    const { record } = vcpu
    if (record.status === WAITING) record.status = RUNNABLE
    if (record.hart !== NOWHERE) this.#scheduler.interrupt(port, record.hart)
    this.#scheduler.wake(port, task)
  }

  #threadOf(vcpu: Vcpu): Task {
    let index = 0
    while (this.#vcpus[index] !== vcpu) index++
    return this.#threads[index]
  }

  consolePut(port: HartPort, vm: VirtualMachine, byte: number): void {
    this.#console.put(port, vm.index, byte)
  }

  consoleGet(port: HartPort, vm: VirtualMachine): number {
    return this.#console.get(port, vm.index)
  }

  end(port: HartPort, vm: VirtualMachine, vcpu: Vcpu, crashed: boolean, code: number): void {
    const { record } = vm
    if (record.ended) return
    if (crashed) recordCrash(port, vm, vcpu)
    record.ended = true
    record.crashed = crashed
    record.exitCode = code
    vcpu.record.status = DEAD
  }
}
