/**
 * The monitor of form 'switch': a hypervisor in a world of its own, in the manner of VMware Workstation's. It has the hart
 * until it needs the host: it handles its guest's calls, fences, timer and faults itself; for devices, memory, the
 * console, waiting, and whenever the machine interrupts, it puts its guest aside and switches the host back in.
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { hie, hip, htval } from '../../hw/spec/csrs/hypervisor.ts'
import { scause } from '../../hw/spec/csrs/supervisor.ts'
import { A0, A1 } from '../../hw/spec/sbi.ts'
import { recordCrash } from '../core/crash.ts'
import { DEVICE, finishAccess, handleExit, INTERRUPT, type PendingAccess } from '../core/exits.ts'
import { translate } from '../core/g-stage.ts'
import type { Host } from '../core/host.ts'
import { DEAD, NOWHERE, RUNNABLE, type Vcpu, WAITING } from '../core/vcpu.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import {
  crossing,
  NEEDS_CONSOLE,
  NEEDS_DEVICE,
  NEEDS_END,
  NEEDS_HOST,
  NEEDS_NOTHING,
  NEEDS_PAGE,
  NEEDS_WAIT,
} from './crossing.ts'
import type { KernelCode } from './image.ts'

/** A guest-page fault, by what it was on (scause). */
const FETCH_GUEST_PAGE = 20
const STORE_GUEST_PAGE = 23

export class Monitor implements Host {
  readonly party = 'vmm'
  readonly state: Record<string, StateRecord>
  /** By vCPU: its page, and its device access that is outstanding. */
  readonly pages: Float64Array
  readonly pending: readonly PendingAccess[]
  /** By hart: the vCPU whose monitor has it, and the one before; a page that the host has given. */
  readonly here: Int32Array
  readonly #before: Int32Array
  readonly #given: Float64Array
  /** By vCPU: the hart where it ran last. */
  readonly #last: Int32Array
  readonly #vcpus: readonly Vcpu[]
  readonly #vms: readonly VirtualMachine[]
  readonly #code: KernelCode

  /** `vms` by vCPU. */
  constructor(
    vcpus: readonly Vcpu[],
    vms: readonly VirtualMachine[],
    pending: readonly PendingAccess[],
    harts: number,
    code: KernelCode,
  ) {
    this.#vcpus = vcpus
    this.#vms = vms
    this.pending = pending
    this.#code = code
    this.pages = new Float64Array(vcpus.length)
    this.here = new Int32Array(harts).fill(NOWHERE)
    this.#before = new Int32Array(harts).fill(NOWHERE)
    this.#given = new Float64Array(harts)
    this.#last = new Int32Array(vcpus.length).fill(NOWHERE)
    this.state = {
      'monitor pages': this.pages,
      'monitor here': this.here,
      'monitor before': this.#before,
      'monitor given': this.#given,
      'monitor last': this.#last,
    }
  }

  /** The host has switched it in. What it had asked for is there. */
  resumed(port: HartPort): void {
    const index = this.here[port.hart]
    const page = this.pages[index]
    const vcpu = this.#vcpus[index]
    const reason = port.load32(page + crossing.reason.at)
    port.account('vmm', 'resume', 'world switch')
    port.store32(page + crossing.reason.at, NEEDS_NOTHING)
    if (reason === NEEDS_DEVICE) {
      const low = port.load32(page + crossing.low.at)
      finishAccess(port, vcpu, this.pending[index], low, port.load32(page + crossing.high.at))
    } else if (reason === NEEDS_PAGE) {
      this.#given[port.hart] = port.load64(page + crossing.page.at)
      if (this.#vms[index].ram.populate(port, port.load64(page + crossing.address.at)) === 0)
        this.end(port, this.#vms[index], vcpu, true, STORE_GUEST_PAGE)
    }
    port.setX(A0, vcpu.frame)
    port.setX(A1, this.#code.monitorLoaded)
    port.jump(this.#code.monitorLoadContext)
  }

  /** What the guest's memory is made of: the page that the host has given last. */
  given(port: HartPort): number {
    const page = this.#given[port.hart]
    this.#given[port.hart] = 0
    return page
  }

  /** The guest's context is on the hart. */
  loaded(port: HartPort): void {
    const { hart } = port
    const index = this.here[hart]
    const vcpu = this.#vcpus[index]
    const { record } = vcpu
    // Another vCPU ran here meanwhile, or this one elsewhere: what the TLB kept under its VMID may be another's.
    if (this.#before[hart] !== index || this.#last[index] !== hart) {
      port.hfenceGvma()
      port.hfenceVvma()
    }
    this.#before[hart] = index
    this.#last[index] = hart
    record.hart = hart
    this.#goOn(port, index, vcpu)
  }

  /** Its guest has trapped. */
  exit(port: HartPort): void {
    const index = this.here[port.hart]
    const vcpu = this.#vcpus[index]
    const vm = this.#vms[index]
    if (this.#lacksPage(port, vm)) return this.#leave(port, index, NEEDS_PAGE)
    const pending = this.pending[index]
    const outcome = handleExit(port, this, vm, vcpu, pending)
    if (outcome === INTERRUPT) return this.#leave(port, index, NEEDS_HOST)
    if (outcome === DEVICE) return this.#askDevice(port, index, vcpu, pending)
    this.#goOn(port, index, vcpu)
  }

  /** True if the guest has touched memory that it has not been given: then the host is asked for it. */
  #lacksPage(port: HartPort, vm: VirtualMachine): boolean {
    const cause = port.read(scause)
    if (port.readHigh(scause) !== 0 || cause < FETCH_GUEST_PAGE || cause > STORE_GUEST_PAGE) return false
    const address = port.read(htval) * 4
    if (!vm.ram.contains(address) || translate(port, vm.ram.root, address) >= 0) return false
    port.account('vmm', 'stage-2 fault', 'emulation')
    port.store64(this.pages[this.here[port.hart]] + crossing.address.at, address)
    return true
  }

  #askDevice(port: HartPort, index: number, vcpu: Vcpu, pending: PendingAccess): void {
    const page = this.pages[index]
    port.store64(page + crossing.address.at, pending.address)
    if (pending.write) {
      const { register } = pending
      port.store32(page + crossing.low.at, vcpu.register32(port, register))
      if (pending.bytes === 8)
        port.store32(page + crossing.high.at, register === 0 ? 0 : port.load32(vcpu.frame + register * 8 + 4))
    }
    this.#leave(port, index, NEEDS_DEVICE)
  }

  /** Into the guest, unless the host has to do something first. */
  #goOn(port: HartPort, index: number, vcpu: Vcpu): void {
    const page = this.pages[index]
    const { record } = vcpu
    if (this.#vms[index].record.ended) return this.#leave(port, index, NEEDS_END)
    if (port.load32(page + crossing.outputs.at) !== 0) return this.#leave(port, index, NEEDS_CONSOLE)
    if (port.load32(page + crossing.kicks.at) !== 0) return this.#leave(port, index, NEEDS_HOST)
    if (record.fence) {
      record.fence = false
      port.fenceI()
      port.hfenceVvma()
    }
    if (record.fencing) {
      if (this.#vms[index].isFencing()) return this.#leave(port, index, NEEDS_HOST)
      record.fencing = false
    }
    vcpu.settle(port)
    if (record.status === WAITING && (port.read(hip) & port.read(hie)) !== 0) record.status = RUNNABLE
    if (record.status !== RUNNABLE) return this.#leave(port, index, NEEDS_WAIT)
    port.account('vmm', 'run guest', 'world switch')
    port.setX(A0, vcpu.frame)
    port.jump(this.#code.monitorToGuest)
  }

  /** Puts the guest aside; `saved` goes on. */
  #leave(port: HartPort, index: number, reason: number): void {
    port.account('vmm', 'leave to host', 'world switch')
    port.store32(this.pages[index] + crossing.reason.at, reason)
    port.setX(A0, this.#vcpus[index].frame)
    port.setX(A1, this.#code.monitorSaved)
    port.jump(this.#code.monitorSaveContext)
  }

  saved(port: HartPort): void {
    // The guest's interrupts must not keep the host's hart from idling.
    port.write(hie, 0)
    port.setX(A0, this.pages[this.here[port.hart]])
    port.jump(this.#code.toHost)
  }

  // What the handling of exits asks for: the host does it after the crossing.

  kick(port: HartPort, vcpu: Vcpu): void {
    if (vcpu.record.status === WAITING) vcpu.record.status = RUNNABLE
    const index = this.here[port.hart]
    if (this.#vcpus[index] === vcpu) return
    const at = this.pages[index] + crossing.kicks.at
    port.store32(at, (port.load32(at) | (1 << vcpu.index)) >>> 0)
  }

  consolePut(port: HartPort, _vm: VirtualMachine, byte: number): void {
    const page = this.pages[this.here[port.hart]]
    const outputs = port.load32(page + crossing.outputs.at)
    port.store8(page + crossing.output.at + outputs, byte)
    port.store32(page + crossing.outputs.at, outputs + 1)
  }

  consoleGet(port: HartPort, _vm: VirtualMachine): number {
    const at = this.pages[this.here[port.hart]] + crossing.input.at
    const byte = port.load32(at) - 1
    port.store32(at, 0)
    return byte
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
