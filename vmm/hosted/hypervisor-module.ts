/**
 * The hypervisor in the host's kernel, in the manner of KVM: it runs a vCPU on behalf of the VMM process's thread that
 * asks for it, handles in the kernel what needs no device (timer, IPI, fences, harts, wfi, stage-2 faults, doorbells), and
 * leaves the rest to the process through the run page.
 *
 *   run (system call) ─▶ load the vCPU ─▶ enter ─▶ guest ─▶ exit ─▶ interrupts that wait ─▶ enter again, or
 *                                                            └▶ put the vCPU ─▶ the system call returns
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { hie, hip, hvip } from '../../hw/spec/csrs/hypervisor.ts'
import { scause } from '../../hw/spec/csrs/supervisor.ts'
import { A0 } from '../../hw/spec/sbi.ts'
import { recordCrash } from '../core/crash.ts'
import { DEVICE, finishAccess, handleExit, HANDLED, INTERRUPT, type PendingAccess } from '../core/exits.ts'
import { frame } from '../core/frame.ts'
import type { Host } from '../core/host.ts'
import { acquire, release } from '../core/spin-lock.ts'
import { DEAD, NOWHERE, RUNNABLE, VSEIP, WAITING, type Vcpu } from '../core/vcpu.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import type { HostConsole } from './host-console.ts'
import type { Hypervisor } from './hypervisor.ts'
import { VcpuContexts } from './hypervisor/contexts.ts'
import type { Events } from './hypervisor/events.ts'
import { Halts } from './hypervisor/halts.ts'
import { ANY, type IoBuses, KERNEL_CHIP, NOBODY } from './hypervisor/io-buses.ts'
import { countOf, DOORBELLS, INTERRUPTED, kindOf, TO_CHIPS, TO_PROCESS } from './hypervisor/statistics.ts'
import { tellAccess, tellEnd } from './hypervisor/run-pages.ts'
import type { KernelCode } from './image.ts'
import type { KernelDevices } from './kernel-devices.ts'
import type { GuestFences } from './memory/guest-fences.ts'
import { MODE_GUEST, MODE_LEAVING, MODE_OUTSIDE, MODE_WATCHING, vcpuControl, vcpuOf } from './layout.ts'
import type { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'
import { addNote, removeNote } from './scheduling/preemption-notes.ts'
import type { ReadCopyUpdate } from './sync/read-copy-update.ts'
import { runPage } from './system-calls.ts'
import { IN_GUEST, IN_USER, type Task } from './task.ts'

export interface ModuleParts {
  readonly threads: readonly Task[]
  readonly vcpus: readonly Vcpu[]
  readonly pending: readonly PendingAccess[]
  readonly scheduler: Scheduler
  readonly console: HostConsole
  readonly harts: number
  readonly code: KernelCode
  /** By machine: its chips in the kernel, if it has any there. */
  readonly backends: readonly KernelDevices[]
  readonly buses: IoBuses
  readonly events: Events
  readonly rcu: ReadCopyUpdate
  readonly fences: GuestFences
}

export class HypervisorModule implements Host, Hypervisor {
  readonly party = 'host kernel'
  readonly runPages: Float64Array
  readonly state: Record<string, StateRecord>
  readonly #contexts: VcpuContexts
  readonly #parts: ModuleParts
  /** By vCPU: whether its process emulates an access; its virtual interrupts as they were when it trapped last. */
  readonly #outstanding: Int32Array
  readonly #interrupts: Int32Array
  /** By vCPU: the phase of the section in which its thread reads the I/O bus, or NOBODY. */
  readonly #reading: Int32Array
  readonly #halts: Halts

  constructor(parts: ModuleParts) {
    const { vcpus, threads, harts, code } = parts
    this.#parts = parts
    this.#contexts = new VcpuContexts(vcpus, threads, harts, code)
    this.#outstanding = new Int32Array(vcpus.length)
    this.#interrupts = new Int32Array(vcpus.length)
    this.#reading = new Int32Array(vcpus.length).fill(NOBODY)
    this.#halts = new Halts(vcpus, parts.scheduler, code, (port, vcpu) => this.kick(port, vcpu))
    this.runPages = new Float64Array(vcpus.length)
    this.state = {
      outstanding: this.#outstanding,
      interrupts: this.#interrupts,
      reading: this.#reading,
      ...this.#contexts.state,
      ...this.#halts.state,
      runPages: this.runPages,
    }
  }

  /** The kernel's own chips are on the guest's bus from the beginning. */
  prepare(port: HartPort, { vm, kernelWindows }: Process): void {
    for (let index = 0; index < kernelWindows; index++)
      this.#parts.buses.add(port, vm.index, vm.baseOf(index), vm.bytesOf(index), ANY, KERNEL_CHIP)
  }

  run(port: HartPort, task: Task): boolean {
    const vcpu = this.#parts.vcpus[task.vcpu]
    if (port.swap32If(vcpu.frame + vcpuControl.lock.at, 0, 1) !== 0) return false
    addNote(port, task.index, vcpu.frame + vcpuControl.note.at)
    if (this.#outstanding[task.vcpu] !== 0) {
      this.#outstanding[task.vcpu] = 0
      const page = this.runPages[task.vcpu]
      const low = port.load32(page + runPage.low.at)
      finishAccess(port, vcpu, this.#parts.pending[task.vcpu], low, port.load32(page + runPage.high.at))
    }
    task.record.mode = IN_GUEST
    return true
  }

  /** The end of `run`: the process goes on. */
  #return(port: HartPort, task: Task, vcpu: Vcpu): void {
    this.#endReading(port, task)
    removeNote(port, task.index, vcpu.frame + vcpuControl.note.at)
    port.swap32(vcpu.frame + vcpuControl.lock.at, 0)
    task.record.mode = IN_USER
    task.record.guest = false
  }

  #endReading(port: HartPort, task: Task): void {
    const phase = this.#reading[task.vcpu]
    if (phase === NOBODY) return
    this.#reading[task.vcpu] = NOBODY
    this.#parts.buses.leave(port, task.process.vm.index, phase)
  }

  interrupt(port: HartPort, vcpu: Vcpu, level: boolean): void {
    const elsewhere = level ? vcpu.raise(port, VSEIP) : vcpu.lower(port, VSEIP)
    if (elsewhere || level) this.kick(port, vcpu)
  }

  /** A doorbell of the guest's, which from now on adds to an event of the process's. The phase to be waited for, or NOBODY. */
  watch(port: HartPort, process: Process, address: number, value: number, event: number): number {
    return this.#parts.buses.add(port, process.vm.index, address, 4, value, event)
  }

  isWatched(port: HartPort, process: Process, phase: number): boolean {
    return this.#parts.buses.isComplete(port, process.vm.index, phase)
  }

  /** A trap from the guest, whose registers are saved: what it is owed. Interrupts of the machine's own are taken afterwards. */
  exit(port: HartPort, task: Task): void {
    const { vcpus, pending, rcu, buses } = this.#parts
    const vcpu = vcpus[task.vcpu]
    const { vm } = task.process
    port.store32(vcpu.frame + vcpuControl.mode.at, MODE_OUTSIDE)
    rcu.passes(port)
    // The guest may have cleared its software interrupt.
    const lock = vcpu.frame + frame.lock.at
    acquire(port, lock)
    this.#interrupts[task.vcpu] = port.read(hvip)
    release(port, lock)
    this.#reading[task.vcpu] = buses.enter(port, vm.index)
    const access = pending[task.vcpu]
    const cause = port.read(scause)
    const outcome = handleExit(port, this, vm, vcpu, access)
    if (outcome === DEVICE) return this.#access(port, task, vcpu, access)
    countOf(port, task.vcpu, outcome === INTERRUPT ? INTERRUPTED : kindOf(cause))
    if (outcome === HANDLED && vm.record.ended) {
      tellEnd(port, this.runPages[task.vcpu], vm)
      this.#return(port, task, vcpu)
    }
  }

  /** Whoever is on the guest's bus answers, or else the process. */
  #access(port: HartPort, task: Task, vcpu: Vcpu, access: PendingAccess): void {
    const { buses, events, backends } = this.#parts
    const { vm } = task.process
    const value = access.write ? vcpu.register32(port, access.register) : 0
    const who = buses.find(port, vm.index, access.address, access.write, value)
    if (who === NOBODY || access.bytes === 8) {
      countOf(port, task.vcpu, TO_PROCESS)
      tellAccess(port, this.runPages[task.vcpu], vcpu, access)
      this.#outstanding[task.vcpu] = 1
      return this.#return(port, task, vcpu)
    }
    countOf(port, task.vcpu, who === KERNEL_CHIP ? TO_CHIPS : DOORBELLS)
    let read = 0
    if (who === KERNEL_CHIP) read = backends[vm.index].access(port, access, value)
    else events.add(port, task.process, who, 1)
    finishAccess(port, vcpu, access, read, 0)
  }

  /** The last thing before the guest goes on: false if it cannot, and the thread sleeps. Else the entry is over. */
  enter(port: HartPort, task: Task): boolean {
    const { vcpus, scheduler, code, rcu, fences } = this.#parts
    const vcpu = vcpus[task.vcpu]
    const { record } = vcpu
    const isLoaded = this.#contexts.loaded[port.hart] === task.vcpu
    this.#endReading(port, task)
    // Without its context on the hart the vCPU has slept, and its thread been woken for it.
    if (record.status === WAITING && (!isLoaded || record.raised !== 0 || (port.read(hip) & port.read(hie)) !== 0))
      record.status = RUNNABLE
    if (record.status === WAITING && this.#halts.watch(port, task.vcpu)) return true
    if (record.status !== RUNNABLE) {
      task.record.guest = false
      this.#halts.sleep(port, task)
      return false
    }
    this.#contexts.check(port, task, isLoaded)
    if (!isLoaded) {
      this.#halts.loads(port, task.vcpu)
      this.#contexts.load(port, task)
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
        port.jump(code.window)
        return true
      }
      record.fencing = false
    }
    // Whoever asks for something from here on sees that the hart has to be interrupted for it.
    port.store32(vcpu.frame + vcpuControl.mode.at, MODE_GUEST)
    port.fence()
    fences.pay(port, task.vcpu)
    const lock = vcpu.frame + frame.lock.at
    acquire(port, lock)
    this.#interrupts[task.vcpu] = (this.#interrupts[task.vcpu] | record.raised) & ~record.lowered
    record.raised = 0
    record.lowered = 0
    release(port, lock)
    port.write(hvip, this.#interrupts[task.vcpu])
    if (record.fence || scheduler.wanted[port.hart] !== 0) {
      port.store32(vcpu.frame + vcpuControl.mode.at, MODE_OUTSIDE)
      port.jump(code.window)
      return true
    }
    // Ticks that find the hart there are the guest's.
    task.record.guest = true
    rcu.passes(port)
    port.setX(A0, vcpu.frame)
    port.jump(code.enterGuest)
    return true
  }

  save(port: HartPort): boolean {
    return this.#contexts.save(port)
  }

  hasSaved(port: HartPort): void {
    this.#contexts.hasSaved(port)
  }

  hasLoaded(port: HartPort, task: Task): void {
    this.#contexts.hasLoaded(port, task.vcpu)
  }

  // What the handling of exits asks for.

  kick(port: HartPort, vcpu: Vcpu): void {
    const { scheduler, threads } = this.#parts
    const { record } = vcpu
    if (record.status === WAITING) record.status = RUNNABLE
    if (record.hart !== NOWHERE) {
      const mode = port.swap32If(vcpu.frame + vcpuControl.mode.at, MODE_GUEST, MODE_LEAVING)
      if (mode === MODE_GUEST) scheduler.interrupt(port, record.hart)
      else if (mode === MODE_WATCHING) port.store32(vcpu.frame + vcpuControl.mode.at, MODE_OUTSIDE)
    }
    scheduler.wake(port, threads[vcpuOf(vcpu.frame)])
  }

  consolePut(port: HartPort, vm: VirtualMachine, byte: number): void {
    this.#parts.console.put(port, vm.index, byte)
  }

  consoleGet(port: HartPort, vm: VirtualMachine): number {
    return this.#parts.console.get(port, vm.index)
  }

  /** Memory comes from the host's own allocator, which has done what it can. */
  makeRoom(): boolean {
    return false
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
