/**
 * The hypervisor in the host's kernel, in the manner of KVM: it runs a vCPU on behalf of the VMM process's thread that
 * asks for it, handles in the kernel what needs no device (timer, IPI, fences, harts, wfi, stage-2 faults), and leaves
 * the rest to the process through the run page.
 *
 *   run (system call) ─▶ load the vCPU ─▶ enter ─▶ guest ─▶ exit ─▶ interrupts that wait ─▶ enter again, or
 *                                                            └▶ put the vCPU ─▶ the system call returns
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { hie, hip, hvip, vstimecmp } from '../../hw/spec/csrs/hypervisor.ts'
import { A0, A1, A2 } from '../../hw/spec/sbi.ts'
import { recordCrash } from '../core/crash.ts'
import { DEVICE, finishAccess, handleExit, HANDLED, type PendingAccess } from '../core/exits.ts'
import { frame } from '../core/frame.ts'
import type { Host } from '../core/host.ts'
import { acquire, release } from '../core/spin-lock.ts'
import { DEAD, NOWHERE, RUNNABLE, VSEIP, WAITING, type Vcpu } from '../core/vcpu.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import { HaltPolling } from './halt-polling.ts'
import type { HostConsole } from './host-console.ts'
import type { Hypervisor } from './hypervisor.ts'
import type { KernelCode } from './image.ts'
import type { KernelDevices } from './kernel-devices.ts'
import { MODE_GUEST, MODE_LEAVING, MODE_OUTSIDE, vcpuControl, vcpuOf } from './layout.ts'
import type { Scheduler } from './scheduler.ts'
import { EXIT_DEVICE, EXIT_ENDED, runPage } from './system-calls.ts'
import { IN_GUEST, IN_USER, NEVER, type Task } from './task.ts'

export class HypervisorModule implements Host, Hypervisor {
  readonly party = 'host kernel'
  /** By hart: the vCPU whose context its CSRs hold, and the one that held it before. */
  readonly loaded: Int32Array
  readonly #before: Int32Array
  /** By vCPU: its thread, its device access that the process emulates, whether one is outstanding, its run page. */
  readonly #threads: readonly Task[]
  readonly pending: readonly PendingAccess[]
  readonly #outstanding: Int32Array
  /** By vCPU: its virtual interrupts as they were when it trapped last, and how often it has. */
  readonly #interrupts: Int32Array
  readonly #exits: Float64Array
  /** By vCPU: the hart where it ran last. */
  readonly #ran: Int32Array
  readonly #halts: HaltPolling
  readonly runPages: Float64Array
  readonly state: Record<string, StateRecord>
  readonly #vcpus: readonly Vcpu[]
  readonly #scheduler: Scheduler
  readonly #console: HostConsole
  readonly #code: KernelCode
  /** By machine: its chips in the kernel, if it has any there. */
  readonly #backends: readonly KernelDevices[]

  constructor(
    threads: readonly Task[],
    vcpus: readonly Vcpu[],
    pending: readonly PendingAccess[],
    scheduler: Scheduler,
    console: HostConsole,
    harts: number,
    code: KernelCode,
    backends: readonly KernelDevices[],
  ) {
    this.#backends = backends
    this.#threads = threads
    this.#vcpus = vcpus
    this.pending = pending
    this.#scheduler = scheduler
    this.#console = console
    this.#code = code
    this.loaded = new Int32Array(harts).fill(NOWHERE)
    this.#before = new Int32Array(harts).fill(NOWHERE)
    this.#outstanding = new Int32Array(vcpus.length)
    this.#interrupts = new Int32Array(vcpus.length)
    this.#exits = new Float64Array(vcpus.length)
    this.#ran = new Int32Array(vcpus.length).fill(NOWHERE)
    this.#halts = new HaltPolling(vcpus.length)
    this.runPages = new Float64Array(vcpus.length)
    this.state = {
      loaded: this.loaded,
      before: this.#before,
      outstanding: this.#outstanding,
      interrupts: this.#interrupts,
      exits: this.#exits,
      ran: this.#ran,
      ...this.#halts.state,
      runPages: this.runPages,
    }
  }

  prepare(): void {
    // Frames and run pages are all that it needs.
  }

  /** The system call: takes the vCPU, completes the device access that the process has emulated, and sends the thread into the guest. False: another thread runs it. */
  run(port: HartPort, task: Task): boolean {
    const vcpu = this.#vcpus[task.vcpu]
    port.add32(vcpu.frame + vcpuControl.users.at, 1)
    if (port.swap32If(vcpu.frame + vcpuControl.lock.at, 0, 1) !== 0) {
      port.add32(vcpu.frame + vcpuControl.users.at, -1)
      return false
    }
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
    return true
  }

  /** The end of `run`: the process goes on. */
  #return(port: HartPort, task: Task, vcpu: Vcpu): void {
    port.swap32(vcpu.frame + vcpuControl.lock.at, 0)
    port.add32(vcpu.frame + vcpuControl.users.at, -1)
    task.record.mode = IN_USER
  }

  /** The system call: the guest's external interrupt, as its virtual interrupt controller has it. */
  interrupt(port: HartPort, vcpu: Vcpu, level: boolean): void {
    port.add32(vcpu.frame + vcpuControl.users.at, 1)
    const elsewhere = level ? vcpu.raise(port, VSEIP) : vcpu.lower(port, VSEIP)
    if (elsewhere || level) this.kick(port, vcpu)
    port.add32(vcpu.frame + vcpuControl.users.at, -1)
  }

  /** A trap from the guest, whose registers are saved: what it is owed. Interrupts of the machine's own are taken afterwards. */
  exit(port: HartPort, task: Task): void {
    const vcpu = this.#vcpus[task.vcpu]
    const { vm } = task.process
    port.store32(vcpu.frame + vcpuControl.mode.at, MODE_OUTSIDE)
    // The guest may have cleared its software interrupt.
    const lock = vcpu.frame + frame.lock.at
    acquire(port, lock)
    this.#interrupts[task.vcpu] = port.read(hvip)
    release(port, lock)
    this.#exits[task.vcpu] = this.#exits[task.vcpu] + 1
    const pending = this.pending[task.vcpu]
    const outcome = handleExit(port, this, vm, vcpu, pending)
    if (outcome === DEVICE) this.#access(port, task, vcpu, pending)
    else if (outcome === HANDLED && vm.record.ended) this.#tellEnd(port, task, vcpu, vm)
  }

  /** The kernel's own chips come first in the guest's map. */
  #access(port: HartPort, task: Task, vcpu: Vcpu, pending: PendingAccess): void {
    const { kernelWindows, vm } = task.process
    if (pending.window >= kernelWindows || pending.bytes === 8) return this.#leaveToProcess(port, task, vcpu, pending)
    const value = pending.write ? vcpu.register32(port, pending.register) : 0
    finishAccess(port, vcpu, pending, this.#backends[vm.index].access(port, pending, value), 0)
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
    this.#return(port, task, vcpu)
  }

  #tellEnd(port: HartPort, task: Task, vcpu: Vcpu, vm: VirtualMachine): void {
    const page = this.runPages[task.vcpu]
    port.store32(page + runPage.reason.at, EXIT_ENDED)
    port.store32(page + runPage.code.at, vm.record.exitCode)
    port.store32(page + runPage.crashed.at, vm.record.crashed ? 1 : 0)
    this.#return(port, task, vcpu)
  }

  /** The last thing before the guest goes on: false if it cannot, and the thread sleeps. Else the entry is over. */
  enter(port: HartPort, task: Task): boolean {
    const vcpu = this.#vcpus[task.vcpu]
    const { record } = vcpu
    const isLoaded = this.loaded[port.hart] === task.vcpu
    // Without its context on the hart the vCPU has slept, and its thread been woken for it.
    if (record.status === WAITING && (!isLoaded || record.raised !== 0 || (port.read(hip) & port.read(hie)) !== 0))
      record.status = RUNNABLE
    if (record.status === WAITING && this.#isAlone(port) && this.#halts.watches(port, task.vcpu)) {
      port.jump(this.#code.window)
      return true
    }
    if (record.status !== RUNNABLE) {
      this.#scheduler.sleep(port, task, record.status === WAITING ? port.read(vstimecmp) : NEVER)
      return false
    }
    if (!isLoaded) {
      port.account('host kernel', 'load vCPU', 'world switch')
      port.setX(A0, vcpu.frame)
      port.setX(A1, this.#code.loaded)
      port.setX(A2, task.frame)
      port.jump(this.#code.loadContext)
      return true
    }
    port.account('host kernel', 'run guest', 'world switch')
    this.#halts.over(port, task.vcpu)
    if (record.fence) {
      record.fence = false
      port.fenceI()
      port.hfenceVvma()
    }
    if (record.fencing) {
      if (task.process.vm.isFencing()) {
        port.account('host kernel', 'remote fence', 'waiting')
        port.jump(this.#code.window)
        return true
      }
      record.fencing = false
    }
    // Whoever asks for something from here on sees that the hart has to be interrupted for it.
    port.store32(vcpu.frame + vcpuControl.mode.at, MODE_GUEST)
    port.fence()
    const lock = vcpu.frame + frame.lock.at
    acquire(port, lock)
    this.#interrupts[task.vcpu] = (this.#interrupts[task.vcpu] | record.raised) & ~record.lowered
    record.raised = 0
    record.lowered = 0
    release(port, lock)
    port.write(hvip, this.#interrupts[task.vcpu])
    if (record.fence || this.#scheduler.wanted[port.hart] !== 0) {
      port.store32(vcpu.frame + vcpuControl.mode.at, MODE_OUTSIDE)
      port.jump(this.#code.window)
      return true
    }
    port.setX(A0, vcpu.frame)
    port.jump(this.#code.enterGuest)
    return true
  }

  /** True if no other thread wants the hart. */
  #isAlone(port: HartPort): boolean {
    const { wanted, queues } = this.#scheduler
    return wanted[port.hart] === 0 && queues.count(port, port.hart) === 0
  }

  /** The context of the hart's task has been loaded. */
  hasLoaded(port: HartPort, task: Task): void {
    const { hart } = port
    const { record } = this.#vcpus[task.vcpu]
    this.loaded[hart] = task.vcpu
    record.hart = hart
    // Another vCPU ran here meanwhile, or this one elsewhere: what the TLB kept under its VMID may be another's.
    if (this.#before[hart] !== task.vcpu || this.#ran[task.vcpu] !== hart) {
      port.hfenceGvma()
      port.hfenceVvma()
    }
    this.#before[hart] = task.vcpu
    this.#ran[task.vcpu] = hart
  }

  /** Begins to save the context that the hart holds; `saved` goes on. False if it holds none. */
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

  // What the handling of exits asks for.

  kick(port: HartPort, vcpu: Vcpu): void {
    const { record } = vcpu
    if (record.status === WAITING) record.status = RUNNABLE
    if (
      record.hart !== NOWHERE &&
      port.swap32If(vcpu.frame + vcpuControl.mode.at, MODE_GUEST, MODE_LEAVING) === MODE_GUEST
    )
      this.#scheduler.interrupt(port, record.hart)
    this.#scheduler.wake(port, this.#threads[vcpuOf(vcpu.frame)])
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
