/**
 * The native VMM: type 1. It is made from the machine's device tree, entered by the firmware in HS-mode on hart 0, and
 * owns everything from then on. Its entries are short and run with interrupts off; between them a hart is in a guest,
 * in a stub, or waiting.
 *
 *   boot ─▶ scrub … ─▶ settle … ─▶ called (starts the other harts, one SBI call each) ─▶ next
 *   next ─▶ a guest (to_guest), another vCPU's context (saved, loaded), or wfi (woken)
 *   exit ─▶ what the guest is owed ─▶ next
 */
import type { HartPort, Software, StateRecord } from '../../hw/port.ts'
import { hcounteren, hedeleg, henvcfg, hideleg, hie, hip, hvip, vstimecmp } from '../../hw/spec/csrs/hypervisor.ts'
import { scause, scounteren, sie, sip, stimecmp } from '../../hw/spec/csrs/supervisor.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { A0, A1, A2, A6, A7, SBI_HSM, SBI_IPI } from '../../hw/spec/sbi.ts'
import { recordCrash } from '../core/crash.ts'
import { EntryGuard } from '../core/entry-guard.ts'
import { DEVICE, finishAccess, handleExit, INTERRUPT, type PendingAccess } from '../core/exits.ts'
import { frame } from '../core/frame.ts'
import type { Host } from '../core/host.ts'
import { memoryAccess } from '../core/memory-access.ts'
import { startAt } from '../core/sbi.ts'
import { DEAD, NOWHERE, RUNNABLE, STOPPED, type Vcpu, type VcpuRecord, WAITING } from '../core/vcpu.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import type { Plan, PlannedGuest } from './plan.ts'

// Interrupts, by number and as bits of sie and sip.
const SOFTWARE = 1
const TIMER = 5
const EXTERNAL = 9
const SSIP = 1 << SOFTWARE
const STIP = 1 << TIMER
const SEIP = 1 << EXTERNAL
/** VSSI, VSTI and VSEI: the guest's own. */
const VS_INTERRUPTS = 0x444
/** What a guest handles itself: misaligned accesses, breakpoints, ecall from VU, its page faults, illegal instructions. */
const DELEGATED = 0xb1ff
/** henvcfg.STCE and what cache-block instructions need: high and low word. */
const TIMER_IN_HARDWARE = 2 ** 63
const CACHE_BLOCKS = 0xf0
const COUNTERS = 7
/** A time that does not come: 28 years of ticks. */
const NEVER = Number.MAX_SAFE_INTEGER
// hstatus, for a guest: it was in VS-mode; wfi traps if the hart is shared.
const HSTATUS_SPV = 1 << 7
const HSTATUS_SPVP = 1 << 8
const HSTATUS_VTW = 1 << 21
const HSTATUS_VSXL_64_HIGH = 2
// sstatus: back to S (VS), floating point on.
const SSTATUS_GUEST = (1 << 8) | (1 << 5) | (3 << 13)
const SSTATUS_UXL_64_HIGH = 2
const HGATP_SV39X4 = 8
/** Between two parts of devices' work, in ticks: whoever is runnable gets the hart, however much one guest's devices have to do. */
const WORK_PAUSE = 100

export class NativeVmm implements Host {
  readonly party = 'vmm'
  readonly program: Program
  readonly software: Software
  readonly plan: Plan
  readonly #pending: PendingAccess[]
  /** By hart: the vCPU whose context its CSRs hold; the one that is coming; harts to be interrupted (mask); harts started. */
  readonly #loaded: Int32Array
  readonly #coming: Int32Array
  readonly #kicks: Int32Array
  readonly #counts = { started: 1, calling: 0 }
  readonly #guard: EntryGuard

  constructor(program: Program, plan: Plan) {
    this.program = program
    this.plan = plan
    plan.host.vmm = this
    this.#guard = new EntryGuard(plan.current, this.party)
    const { harts } = plan
    this.#pending = Array.from({ length: harts }, () => ({ ...memoryAccess(), address: 0, window: 0 }))
    this.#loaded = new Int32Array(harts).fill(NOWHERE)
    this.#coming = new Int32Array(harts).fill(NOWHERE)
    this.#kicks = new Int32Array(harts)
    const doors: Readonly<Record<string, (port: HartPort) => void>> = {
      boot: port => this.#boot(port),
      scrub: port => this.#scrub(port),
      settle: port => this.#settle(port),
      secondary: port => this.#secondary(port),
      woken: port => this.#woken(port),
      called: port => this.#called(port),
      saved: port => this.#load(port),
      dropped: port => this.#dropped(port),
      loaded: port => this.#loadedContext(port),
      exit: port => this.#exit(port),
    }
    this.software = {
      name: 'native VMM',
      entries: program.entries.map(({ label }) => this.#guard.guard(this.#door(label), doors[label])),
      state: this.#state(),
    }
  }

  #state(): Record<string, StateRecord> {
    const { plan } = this
    const state: Record<string, StateRecord> = {
      loaded: this.#loaded,
      coming: this.#coming,
      kicks: this.#kicks,
      counts: this.#counts,
      inside: this.#guard.record,
      free: plan.free.record,
      clean: plan.free.clean,
      dirty: plan.free.dirty,
      had: plan.scheduler.had,
      used: plan.scheduler.used,
      since: plan.scheduler.since,
      periods: plan.scheduler.periods,
      running: plan.scheduler.running,
      ...plan.state,
    }
    for (const vm of plan.vms) {
      state[`vm ${vm.index}`] = vm.record
      state[`pages ${vm.index}`] = vm.ram.pages
      state[`crash ${vm.index}`] = vm.crashCode
    }
    plan.vcpus.forEach((vcpu, index) => {
      state[`vcpu ${index}`] = vcpu.record
    })
    this.#pending.forEach((pending, hart) => {
      state[`pending ${hart}`] = pending
    })
    return state
  }

  // Coming up.

  #boot(port: HartPort): void {
    port.account('vmm', 'boot', 'computing')
    this.#prepareHart(port)
    const { plan } = this
    for (const vm of plan.vms) port.fill(vm.ram.root, 0, 0x4000)
    plan.controller.start()
    for (const device of plan.devices) {
      device.start(port)
      if (device.source() !== 0) plan.controller.enable(device.source())
    }
    port.jump(this.#door('scrub'))
  }

  #scrub(port: HartPort): void {
    port.account('vmm', 'boot', 'computing')
    if (this.plan.free.scrub(port)) return port.jump(this.#door('scrub'))
    port.jump(this.#door('settle'))
  }

  /** Guests start when their devices are there. */
  #settle(port: HartPort): void {
    port.account('vmm', 'boot', 'computing')
    const { devices, guests } = this.plan
    this.#interrupt(port)
    const due = this.#runDevices(port)
    for (let index = 0; index < devices.length; index++) {
      if (devices[index].settled()) continue
      this.#setTimer(port, due)
      port.account('idle', 'boot', 'waiting')
      return port.wfi(this.#door('settle'))
    }
    for (let index = 0; index < guests.length; index++) this.#prepareGuest(port, guests[index])
    this.#startHarts(port)
  }

  /** What every hart of the VMM's has set. */
  #prepareHart(port: HartPort): void {
    port.write(hedeleg, DELEGATED)
    port.write(hideleg, VS_INTERRUPTS)
    port.write(hcounteren, COUNTERS)
    port.write(scounteren, COUNTERS)
    port.write(henvcfg, TIMER_IN_HARDWARE)
    port.set(henvcfg, CACHE_BLOCKS)
    port.write(hvip, 0)
    port.write(vstimecmp, NEVER)
    port.write(stimecmp, NEVER)
    port.write(hie, VS_INTERRUPTS)
    port.set(sie, SSIP | STIP | (port.hart === 0 ? SEIP : 0))
  }

  #prepareGuest(port: HartPort, { vm, donated, tree, treeAt, kernelAt }: PlannedGuest): void {
    for (const { guest, page } of donated) vm.ram.donate(port, guest, page)
    const host = vm.ram.reach(port, treeAt, tree.length)
    for (let at = 0; at < tree.length; at += 4) {
      port.store32(host + at, (tree[at] | (tree[at + 1] << 8) | (tree[at + 2] << 16) | (tree[at + 3] << 24)) >>> 0)
    }
    for (let index = 0; index < vm.vcpus.length; index++) {
      const vcpu = vm.vcpus[index]
      const at = vcpu.frame
      port.fill(at, 0, frame.size)
      const shared = vcpu.pin === NOWHERE || !this.plan.scheduler.isDedicated(vcpu.pin)
      port.store32(at + frame.hstatus.at, HSTATUS_SPV | HSTATUS_SPVP | (shared ? HSTATUS_VTW : 0))
      port.store32(at + frame.hstatus.at + 4, HSTATUS_VSXL_64_HIGH)
      port.store32(at + frame.sstatus.at, SSTATUS_GUEST)
      port.store32(at + frame.sstatus.at + 4, SSTATUS_UXL_64_HIGH)
      port.store32(at + frame.hgatp.at, vm.ram.root / 4096)
      port.store32(at + frame.hgatp.at + 4, (HGATP_SV39X4 << 28) | (vm.vmid << 12))
      port.store32(at + frame.vstimecmp.at, 0xffff_ffff)
      port.store32(at + frame.vstimecmp.at + 4, 0xffff_ffff)
    }
    startAt(port, vm.vcpus[0], kernelAt, treeAt)
  }

  /** Starts the other harts, one call to the firmware after the other; `called` goes on. */
  #startHarts(port: HartPort): void {
    const counts = this.#counts
    if (counts.started === this.plan.harts) return this.#next(port)
    counts.calling = 1
    port.setX(A0, counts.started)
    port.setX(A1, this.#label('start_secondary'))
    port.setX(A2, 0)
    port.setX(A6, 0)
    port.setX(A7, SBI_HSM)
    counts.started++
    port.ecall(this.#door('called'))
  }

  #secondary(port: HartPort): void {
    port.account('vmm', 'boot', 'computing')
    this.#prepareHart(port)
    this.#next(port)
  }

  #called(port: HartPort): void {
    if (this.#counts.calling !== 0 && port.hart === 0) {
      this.#counts.calling = 0
      return this.#startHarts(port)
    }
    this.#next(port)
  }

  // Running guests.

  #exit(port: HartPort): void {
    const { plan } = this
    const index = this.#loaded[port.hart]
    const vcpu = plan.vcpus[index]
    const vm = plan.vms[plan.owner[index]]
    const pending = this.#pending[port.hart]
    const outcome = handleExit(port, this, vm, vcpu, pending)
    if (outcome === INTERRUPT) this.#interrupt(port)
    else if (outcome === DEVICE) this.#access(port, vm, vcpu, pending)
    // What the guest asked for is done: unless somebody else is wanted, it goes on at once.
    if (outcome !== INTERRUPT && vcpu.record.status === RUNNABLE && this.#kicks[port.hart] === 0 && !vm.isBehind())
      return this.#enter(port, vcpu)
    this.#next(port)
  }

  /** Emulates the device access that waits. */
  #access(port: HartPort, vm: VirtualMachine, vcpu: Vcpu, pending: PendingAccess): void {
    const { window, address, bytes } = pending
    const width = bytes === 8 ? 4 : (bytes as 1 | 2 | 4)
    let low = 0
    let high = 0
    if (pending.write) {
      vm.write(port, window, address, width, vcpu.register32(port, pending.register))
      if (bytes === 8)
        vm.write(
          port,
          window,
          address + 4,
          4,
          pending.register === 0 ? 0 : port.load32(vcpu.frame + pending.register * 8 + 4),
        )
    } else {
      low = vm.read(port, window, address, width)
      if (bytes === 8) high = vm.read(port, window, address + 4, 4)
    }
    finishAccess(port, vcpu, pending, low, high)
  }

  #interrupt(port: HartPort): void {
    const cause = port.read(scause) // The interrupt bit is in the high word.
    const pending = port.read(sip)
    if ((pending & SSIP) !== 0) port.clear(sip, SSIP)
    if ((pending & SEIP) !== 0) this.#external(port)
    if ((pending & STIP) !== 0 || cause === TIMER) port.write(stimecmp, NEVER)
  }

  #external(port: HartPort): void {
    const { controller, devices } = this.plan
    port.account('vmm', 'external interrupt', 'emulation')
    let source = controller.claim()
    // A wire that stays up whatever its driver does must not keep the entry going.
    for (let left = devices.length; source !== 0 && left > 0; left--) {
      for (const device of devices) if (device.source() === source) device.interrupt(port)
      controller.complete(source)
      source = left > 1 ? controller.claim() : 0
    }
  }

  /** Ends an entry: the hart goes where it is needed. */
  #next(port: HartPort): void {
    const { scheduler, vcpus } = this.plan
    port.account('vmm', 'scheduling', 'scheduling')
    const due = this.#runDevices(port)
    const others = this.#kicks[port.hart] & ~(1 << port.hart)
    this.#kicks[port.hart] = 0
    if (others !== 0) return this.#interruptHarts(port, others)
    const more = this.#work(port) ? port.read(time) + WORK_PAUSE : Infinity
    scheduler.stop(port)
    const last = this.#loaded[port.hart]
    if (last !== NOWHERE) {
      const { record } = vcpus[last]
      if (record.status === DEAD || record.status === STOPPED) return this.#save(port, last, this.#door('dropped'))
      this.#fence(port, record)
      if (record.fencing) {
        if (this.#isFencing(last)) {
          port.account('vmm', 'remote fence', 'waiting')
          return port.jump(this.#door('woken'))
        }
        record.fencing = false
      }
      // What came between the guest's last instruction and its wfi is not lost.
      vcpus[last].settle(port)
      if (record.status === WAITING && this.#hasPending(port)) record.status = RUNNABLE
    }
    const timers = this.#wakeSleepers(port)
    const index = scheduler.pick(port)
    if (index === NOWHERE) return this.#wait(port, Math.min(due, more, timers, scheduler.nextPeriod(port)))
    const turn = scheduler.isDedicated(port.hart) ? Infinity : port.read(time) + scheduler.turn(port, index)
    this.#setTimer(port, Math.min(due, more, timers, turn, scheduler.nextPeriod(port)))
    if (index === last) return this.#enter(port, vcpus[index])
    this.#coming[port.hart] = index
    if (last === NOWHERE) return this.#load(port)
    this.#save(port, last, this.#door('saved'))
  }

  #fence(port: HartPort, record: VcpuRecord): void {
    if (!record.fence) return
    record.fence = false
    port.fenceI()
    port.hfenceVvma()
  }

  /** True if another vCPU of the same guest, held by a hart, has yet to do what this one has asked for (SBI 8: the call returns afterwards). */
  #isFencing(index: number): boolean {
    const { vms, owner } = this.plan
    const { vcpus } = vms[owner[index]]
    for (let other = 0; other < vcpus.length; other++) {
      const { record } = vcpus[other]
      if (record.fence && record.hart !== NOWHERE) return true
    }
    return false
  }

  /** Saves the context that the hart holds; `door` goes on. */
  #save(port: HartPort, last: number, door: number): void {
    port.account('vmm', 'scheduling', 'world switch')
    port.setX(A0, this.plan.vcpus[last].frame)
    port.setX(A1, door)
    port.jump(this.#label('save_context'))
  }

  /** A vCPU that will not go on by itself has left the hart: its interrupts must not wake the hart any more. */
  #dropped(port: HartPort): void {
    port.write(hie, 0)
    port.write(hvip, 0)
    port.write(vstimecmp, NEVER)
    this.plan.vcpus[this.#loaded[port.hart]].record.hart = NOWHERE
    this.#loaded[port.hart] = NOWHERE
    this.#next(port)
  }

  /** The old context is in its frame: fetch the new one. */
  #load(port: HartPort): void {
    const { vcpus } = this.plan
    port.account('vmm', 'scheduling', 'world switch')
    const old = this.#loaded[port.hart]
    if (old !== NOWHERE) {
      const { pin, record } = vcpus[old]
      record.hart = NOWHERE
      // A hart that found nothing to run sleeps until it is told.
      if (pin === NOWHERE && record.status === RUNNABLE)
        this.#kicks[port.hart] |= this.plan.scheduler.idleHart(port.hart)
    }
    port.setX(A0, vcpus[this.#coming[port.hart]].frame)
    port.setX(A1, this.#door('loaded'))
    port.jump(this.#label('load_context'))
  }

  #loadedContext(port: HartPort): void {
    const index = this.#coming[port.hart]
    const vcpu = this.plan.vcpus[index]
    this.#loaded[port.hart] = index
    vcpu.record.hart = port.hart
    // Another hart may have changed this guest's tables, or run it, while this hart's TLB kept what it knew.
    port.hfenceGvma()
    port.hfenceVvma()
    if (this.#kicks[port.hart] !== 0) return this.#next(port)
    this.#enter(port, vcpu)
  }

  #enter(port: HartPort, vcpu: Vcpu): void {
    const { record } = vcpu
    this.#fence(port, record)
    vcpu.settle(port)
    port.account('vmm', 'resume', 'world switch')
    port.setX(A0, vcpu.frame)
    port.jump(this.#label('to_guest'))
  }

  /** Nothing to run: wait for an interrupt, or for the earliest of what is due. */
  #wait(port: HartPort, due: number): void {
    this.#setTimer(port, due)
    port.account('idle', 'nothing to run', 'waiting')
    port.wfi(this.#door('woken'))
  }

  /** What has ended a wait is still pending: no trap has been taken for it. */
  #woken(port: HartPort): void {
    port.account('vmm', 'scheduling', 'scheduling')
    this.#interrupt(port)
    this.#next(port)
  }

  #setTimer(port: HartPort, due: number): void {
    port.write(stimecmp, due === Infinity ? NEVER : due)
  }

  /** True if an interrupt that the loaded guest has enabled is pending. */
  #hasPending(port: HartPort): boolean {
    return (port.read(hip) & port.read(hie)) !== 0
  }

  /** Makes waiting vCPUs runnable whose timer is due; returns when the next one is (ticks). Not those whose context another hart holds. */
  #wakeSleepers(port: HartPort): number {
    const now = port.read(time)
    let next = Infinity
    for (const vcpu of this.plan.vcpus) {
      const { record, pin } = vcpu
      if (record.status !== WAITING || (pin !== NOWHERE && pin !== port.hart)) continue
      if (record.hart !== NOWHERE && record.hart !== port.hart) continue
      // A loaded one may have to make room for another: then nothing but this hart's own timer wakes it.
      const due = record.hart === port.hart ? port.read(vstimecmp) : port.load64(vcpu.frame + frame.vstimecmp.at)
      if (due <= now || record.raised !== 0) record.status = RUNNABLE
      else if (due < next) next = due
    }
    return next
  }

  /** Time for the drivers, on the hart that takes their interrupts. */
  #runDevices(port: HartPort): number {
    if (port.hart !== 0) return Infinity
    let next = Infinity
    for (const device of this.plan.devices) next = Math.min(next, device.elapsed(port))
    return next
  }

  /** Does a part of what guests' devices have left for later. True if there may be more. */
  #work(port: HartPort): boolean {
    const { vms } = this.plan
    for (let index = 0; index < vms.length; index++) {
      const vm = vms[index]
      if (!vm.isBehind()) continue
      port.account('vmm', 'device work', 'emulation')
      vm.work(port)
      return true
    }
    return false
  }

  #interruptHarts(port: HartPort, mask: number): void {
    port.setX(A0, mask)
    port.setX(A1, 0)
    port.setX(A6, 0)
    port.setX(A7, SBI_IPI)
    port.ecall(this.#door('called'))
  }

  // What the handling of exits asks for.

  kick(port: HartPort, vcpu: Vcpu): void {
    const hart = vcpu.record.hart === NOWHERE ? vcpu.pin : vcpu.record.hart
    const mask = hart === NOWHERE ? 2 ** this.plan.harts - 1 : 1 << hart
    // Its own bit only makes this hart look whom it runs next.
    this.#kicks[port.hart] |= mask
  }

  consolePut(port: HartPort, vm: VirtualMachine, byte: number): void {
    this.plan.console.put(port, vm.index, byte)
  }

  consoleGet(port: HartPort, vm: VirtualMachine): number {
    return this.plan.console.get(port, vm.index)
  }

  end(port: HartPort, vm: VirtualMachine, vcpu: Vcpu, crashed: boolean, code: number): void {
    const { record } = vm
    if (record.ended) return
    if (crashed) recordCrash(port, vm, vcpu)
    record.ended = true
    record.crashed = crashed
    record.exitCode = code
    for (const vcpu of vm.vcpus) {
      vcpu.record.status = DEAD
      this.kick(port, vcpu)
    }
  }

  // Places in the image.

  #label(name: string): number {
    return this.program.symbols.get(name)!
  }

  /** The address of a door: two instructions, of which the first clears t6. */
  #door(name: string): number {
    return this.program.symbols.get(name)!
  }
}
