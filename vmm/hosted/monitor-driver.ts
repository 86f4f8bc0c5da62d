/**
 * The host's end of form 'switch': a driver that a process asks to run a vCPU, which switches the host away for the
 * vCPU's monitor, and does for the monitor afterwards what only the host can. Devices, memory and the console are the
 * process's business; and it is asked after every interrupt, so that the host may run what it likes.
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import type { Csr } from '../../hw/spec/csr.ts'
import { hcounteren, hedeleg, henvcfg, hideleg, hstatus } from '../../hw/spec/csrs/hypervisor.ts'
import { scounteren, senvcfg, sie, sstatus } from '../../hw/spec/csrs/supervisor.ts'
import { A0 } from '../../hw/spec/sbi.ts'
import type { PendingAccess } from '../core/exits.ts'
import { frame } from '../core/frame.ts'
import type { FreeMemory } from '../core/free-memory.ts'
import { NOWHERE, RUNNABLE, VSEIP, WAITING, type Vcpu } from '../core/vcpu.ts'
import type { AddressSpace } from './address-space.ts'
import {
  crossing,
  MONITOR_WORLD,
  NEEDS_CONSOLE,
  NEEDS_DEVICE,
  NEEDS_END,
  NEEDS_PAGE,
  NEEDS_WAIT,
  type WorldCsr,
  worldCsrAt,
} from './crossing.ts'
import type { HostConsole } from './host-console.ts'
import type { Hypervisor } from './hypervisor.ts'
import { NOBODY } from './hypervisor/io-buses.ts'
import type { KernelCode } from './image.ts'
import type { KernelDevices } from './kernel-devices.ts'
import { MODE_GUEST, MODE_LEAVING, MODE_OUTSIDE, vcpuControl, vcpuOf } from './layout.ts'
import type { Monitor } from './monitor.ts'
import type { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'
import { EXIT_AGAIN, EXIT_CONSOLE, EXIT_DEVICE, EXIT_ENDED, EXIT_MEMORY, runPage } from './system-calls.ts'
import { IN_GUEST, IN_USER, NEVER, type Task } from './task.ts'

const at = (csr: WorldCsr) => worldCsrAt(MONITOR_WORLD, csr)

/** What the monitor has as the hart was prepared for a hypervisor, and where its world keeps it. */
const PREPARED: readonly { readonly csr: Csr; readonly at: number }[] = [
  { csr: sstatus, at: at('sstatus') },
  { csr: scounteren, at: at('scounteren') },
  { csr: senvcfg, at: at('senvcfg') },
  { csr: hstatus, at: at('hstatus') },
  { csr: hedeleg, at: at('hedeleg') },
  { csr: hideleg, at: at('hideleg') },
  { csr: hcounteren, at: at('hcounteren') },
  { csr: henvcfg, at: at('henvcfg') },
]
const SIE_AT = at('sie')
const VECTOR_AT = at('stvec')
const SCRATCH_AT = at('sscratch')
const SPACE_AT = at('satp')

export class MonitorDriver implements Hypervisor {
  readonly runPages: Float64Array
  readonly state: Record<string, StateRecord>
  /** By vCPU: what the process is doing for it (NEEDS_), 0 if nothing. */
  readonly #asked: Int32Array
  readonly #threads: readonly Task[]
  readonly #vcpus: readonly Vcpu[]
  readonly #monitor: Monitor
  readonly #space: AddressSpace
  readonly #free: FreeMemory
  readonly #scheduler: Scheduler
  readonly #console: HostConsole
  readonly #code: KernelCode
  readonly #backends: readonly KernelDevices[]

  /** `space` is the monitors' own. */
  constructor(
    threads: readonly Task[],
    vcpus: readonly Vcpu[],
    monitor: Monitor,
    space: AddressSpace,
    free: FreeMemory,
    scheduler: Scheduler,
    console: HostConsole,
    code: KernelCode,
    backends: readonly KernelDevices[],
  ) {
    this.#threads = threads
    this.#vcpus = vcpus
    this.#monitor = monitor
    this.#space = space
    this.#free = free
    this.#scheduler = scheduler
    this.#console = console
    this.#code = code
    this.#backends = backends
    this.runPages = new Float64Array(vcpus.length)
    this.#asked = new Int32Array(vcpus.length)
    this.state = { ...monitor.state, runPages: this.runPages, asked: this.#asked, 'monitor space': space.record }
  }

  /** The monitor's world of each vCPU, as it is entered first. */
  prepare(port: HartPort, { vm, firstVcpu }: Process): void {
    if (this.#space.record.root === 0) this.#space.create(port)
    for (let index = 0; index < vm.vcpus.length; index++) {
      const page = this.#free.takeTable(port)
      this.#monitor.pages[firstVcpu + index] = page
      for (let entry = 0; entry < PREPARED.length; entry++) {
        const { csr, at: offset } = PREPARED[entry]
        port.store32(page + offset, port.readLow(csr))
        port.store32(page + offset + 4, port.readHigh(csr))
      }
      port.store64(page + VECTOR_AT, this.#code.monitorFromGuest)
      port.store64(page + SCRATCH_AT, vm.vcpus[index].frame)
      this.#space.describe(port, page + SPACE_AT)
    }
  }

  run(port: HartPort, task: Task): boolean {
    const vcpu = this.#vcpus[task.vcpu]
    if (port.swap32If(vcpu.frame + vcpuControl.lock.at, 0, 1) !== 0) return false
    const asked = this.#asked[task.vcpu]
    this.#asked[task.vcpu] = 0
    const page = this.#monitor.pages[task.vcpu]
    if (asked === NEEDS_DEVICE) {
      const from = this.runPages[task.vcpu]
      port.store32(page + crossing.low.at, port.load32(from + runPage.low.at))
      port.store32(page + crossing.high.at, port.load32(from + runPage.high.at))
    } else if (asked === NEEDS_PAGE) {
      // The process has touched it: it is there now, and stays.
      const guest = port.load64(page + crossing.address.at)
      port.store64(page + crossing.page.at, task.process.space.wholePageOfGuest(port, guest))
    }
    task.record.mode = IN_GUEST
    return true
  }

  #return(port: HartPort, task: Task, vcpu: Vcpu, reason: number): void {
    port.store32(this.runPages[task.vcpu] + runPage.reason.at, reason)
    port.swap32(vcpu.frame + vcpuControl.lock.at, 0)
    task.record.mode = IN_USER
  }

  interrupt(port: HartPort, vcpu: Vcpu, level: boolean): void {
    const elsewhere = level ? vcpu.raise(port, VSEIP) : vcpu.lower(port, VSEIP)
    if (elsewhere || level) this.#kick(port, vcpu)
  }

  /** Doorbells are the process's in this form. */
  watch(): number {
    return NOBODY
  }

  isWatched(): boolean {
    return true
  }

  enter(port: HartPort, task: Task): boolean {
    const vcpu = this.#vcpus[task.vcpu]
    const { record } = vcpu
    // It has slept, and its thread been woken for it.
    if (record.status === WAITING) record.status = RUNNABLE
    if (record.status !== RUNNABLE && !task.process.vm.record.ended) {
      this.#scheduler.sleep(port, task, NEVER)
      return false
    }
    const page = this.#monitor.pages[task.vcpu]
    port.account('host kernel', 'switch to monitor', 'world switch')
    if (port.load32(page + crossing.input.at) === 0)
      port.store32(page + crossing.input.at, this.#console.get(port, task.process.vm.index) + 1)
    this.#monitor.here[port.hart] = task.vcpu
    // The machine's interrupts end the guest's turn.
    port.store64(page + SIE_AT, port.read(sie))
    port.store32(vcpu.frame + vcpuControl.mode.at, MODE_GUEST)
    port.fence()
    if (this.#scheduler.wanted[port.hart] !== 0) {
      port.store32(vcpu.frame + vcpuControl.mode.at, MODE_OUTSIDE)
      port.jump(this.#code.rested)
      return true
    }
    port.setX(A0, page)
    port.jump(this.#code.toMonitor)
    return true
  }

  /** The host is back. */
  exit(port: HartPort, task: Task): void {
    const vcpu = this.#vcpus[task.vcpu]
    const page = this.#monitor.pages[task.vcpu]
    port.account('host kernel', 'crossed', 'computing')
    port.store32(vcpu.frame + vcpuControl.mode.at, MODE_OUTSIDE)
    vcpu.record.hart = NOWHERE
    this.#kickAll(port, task, page)
    const reason = port.load32(page + crossing.reason.at)
    if (reason === NEEDS_WAIT) this.#wait(port, task, vcpu)
    else if (reason === NEEDS_DEVICE) this.#access(port, task, vcpu, page)
    else if (reason === NEEDS_PAGE) this.#ask(port, task, vcpu, page, reason, EXIT_MEMORY)
    else if (reason === NEEDS_CONSOLE) this.#print(port, task, vcpu, page)
    else if (reason === NEEDS_END) this.#tellEnd(port, task, vcpu)
    else this.#return(port, task, vcpu, EXIT_AGAIN)
  }

  /** Those whom the guest's calls concern. */
  #kickAll(port: HartPort, task: Task, page: number): void {
    const kicks = port.load32(page + crossing.kicks.at)
    if (kicks === 0) return
    port.store32(page + crossing.kicks.at, 0)
    const { vcpus } = task.process.vm
    for (let index = 0; index < vcpus.length; index++) if (((kicks >>> index) & 1) === 1) this.#kick(port, vcpus[index])
  }

  #kick(port: HartPort, vcpu: Vcpu): void {
    const { record } = vcpu
    if (record.status === WAITING) record.status = RUNNABLE
    if (
      record.hart !== NOWHERE &&
      port.swap32If(vcpu.frame + vcpuControl.mode.at, MODE_GUEST, MODE_LEAVING) === MODE_GUEST
    )
      this.#scheduler.interrupt(port, record.hart)
    this.#scheduler.wake(port, this.#threads[vcpuOf(vcpu.frame)])
  }

  /** The thread sleeps in the driver, until the guest's timer at the latest. */
  #wait(port: HartPort, task: Task, vcpu: Vcpu): void {
    const { record } = vcpu
    if (record.status === WAITING && record.raised === 0)
      this.#scheduler.sleep(port, task, port.load64(vcpu.frame + frame.vstimecmp.at))
  }

  #access(port: HartPort, task: Task, vcpu: Vcpu, page: number): void {
    const { kernelWindows, vm } = task.process
    const pending: PendingAccess = this.#monitor.pending[task.vcpu]
    if (pending.window < kernelWindows && pending.bytes !== 8) {
      const value = this.#backends[vm.index].access(port, pending, port.load32(page + crossing.low.at))
      port.store32(page + crossing.low.at, value)
      return
    }
    const to = this.runPages[task.vcpu]
    port.store32(to + runPage.bytes.at, pending.bytes)
    port.store32(to + runPage.write.at, pending.write ? 1 : 0)
    port.store32(to + runPage.low.at, port.load32(page + crossing.low.at))
    if (pending.bytes === 8) port.store32(to + runPage.high.at, port.load32(page + crossing.high.at))
    this.#ask(port, task, vcpu, page, NEEDS_DEVICE, EXIT_DEVICE)
  }

  /** The process is to do something at an address of the guest's. */
  #ask(port: HartPort, task: Task, vcpu: Vcpu, page: number, asked: number, reason: number): void {
    this.#asked[task.vcpu] = asked
    port.store64(this.runPages[task.vcpu] + runPage.address.at, port.load64(page + crossing.address.at))
    this.#return(port, task, vcpu, reason)
  }

  #print(port: HartPort, task: Task, vcpu: Vcpu, page: number): void {
    const to = this.runPages[task.vcpu]
    const bytes = port.load32(page + crossing.outputs.at)
    port.store32(page + crossing.outputs.at, 0)
    port.store32(to + runPage.bytes.at, bytes)
    port.copy(to + runPage.text.at, page + crossing.output.at, bytes)
    this.#return(port, task, vcpu, EXIT_CONSOLE)
  }

  #tellEnd(port: HartPort, task: Task, vcpu: Vcpu): void {
    const { record } = task.process.vm
    const to = this.runPages[task.vcpu]
    port.store32(to + runPage.code.at, record.exitCode)
    port.store32(to + runPage.crashed.at, record.crashed ? 1 : 0)
    this.#return(port, task, vcpu, EXIT_ENDED)
  }

  /** The monitor leaves nothing of the vCPU's on the hart. */
  save(): boolean {
    return false
  }

  hasSaved(): void {
    // Nothing is saved in this form.
  }

  hasLoaded(): void {
    // Nothing is loaded in this form.
  }
}
