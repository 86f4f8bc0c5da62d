/** Which guest runs where: the end of every entry, contexts changed for others, and waiting. */
import type { HartPort } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { hie, hip, hvip, vstimecmp } from '../../hw/spec/csrs/hypervisor.ts'
import { stimecmp } from '../../hw/spec/csrs/supervisor.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { A0, A1, A6, A7, SBI_IPI } from '../../hw/spec/sbi.ts'
import { frame } from '../core/frame.ts'
import { NO_TIME } from '../core/guest-context.ts'
import { acquire, release } from '../core/spin-lock.ts'
import { DEAD, NOWHERE, RUNNABLE, STOPPED, type Vcpu, type VcpuRecord, WAITING } from '../core/vcpu.ts'
import { SGEI } from './guest-files.ts'
import type { Interrupts } from './interrupts.ts'
import { SCHEDULER_LOCK } from './layout.ts'
import type { Plan } from './plan.ts'
import { SlotKeeper } from './slot-keeper.ts'

/** Between two parts of devices' work, in ticks: whoever is runnable gets the hart, however much one guest's devices have to do. */
export const WORK_PAUSE = 100

/** Addresses in the image. */
export interface Places {
  readonly dropped: number
  readonly woken: number
  readonly saved: number
  readonly loaded: number
  readonly called: number
  readonly told: number
  readonly arriving: number
  readonly padded: number
  readonly saveContext: number
  readonly loadContext: number
  readonly toGuest: number
}

function placesIn(symbols: Program['symbols']): Places {
  const at = (label: string): number => symbols.get(label)!
  return {
    dropped: at('dropped'),
    woken: at('woken'),
    saved: at('saved'),
    loaded: at('loaded'),
    called: at('called'),
    told: at('told'),
    arriving: at('arriving'),
    padded: at('padded'),
    saveContext: at('save_context'),
    loadContext: at('load_context'),
    toGuest: at('to_guest'),
  }
}

export class Running {
  /** By hart: the vCPU whose context its CSRs hold; the one that is coming; harts to be interrupted (mask). */
  readonly loaded: Int32Array
  readonly coming: Int32Array
  readonly kicks: Int32Array
  /** By hart and machine: which of its vCPUs ran there last, and what had been taken out of its tables by then. */
  readonly last: Int32Array
  readonly removals: Float64Array
  /** By vCPU: the hart on which it ran last. */
  readonly home: Int32Array
  /** Where time is protected. */
  readonly keeper: SlotKeeper | undefined
  readonly #plan: Plan
  readonly #interrupts: Interrupts
  readonly #places: Places
  /** hie while no vCPU is loaded. */
  readonly #unloaded: number

  constructor(plan: Plan, interrupts: Interrupts, { symbols }: Program) {
    const { harts } = plan
    this.#plan = plan
    this.#interrupts = interrupts
    this.#places = placesIn(symbols)
    this.keeper = plan.slots && new SlotKeeper(plan, plan.slots, interrupts, this, this.#places)
    this.#unloaded = plan.files ? SGEI : 0
    this.loaded = new Int32Array(harts).fill(NOWHERE)
    this.coming = new Int32Array(harts).fill(NOWHERE)
    this.kicks = new Int32Array(harts)
    this.last = new Int32Array(harts * plan.vms.length).fill(NOWHERE)
    this.removals = new Float64Array(harts * plan.vms.length)
    this.home = new Int32Array(plan.vcpus.length).fill(NOWHERE)
  }

  /** Ends an entry: the hart goes where it is needed. */
  next(port: HartPort): void {
    const { scheduler, servers, vcpus, vms, owner } = this.#plan
    port.account('vmm', 'scheduling', 'scheduling')
    if (this.keeper) return this.keeper.next(port)
    const due = this.#interrupts.runDevices(port)
    const others = this.kicks[port.hart] & ~(1 << port.hart)
    this.kicks[port.hart] = 0
    if (others !== 0) return this.#interruptHarts(port, others, this.#places.called)
    const more = this.#work(port) ? port.read(time) + WORK_PAUSE : Infinity
    const dedicated = scheduler.isDedicated(port.hart)
    if (!dedicated) scheduler.stop(port)
    const last = this.loaded[port.hart]
    if (last !== NOWHERE) {
      const { record } = vcpus[last]
      if (record.status === DEAD || record.status === STOPPED) return this.save(port, last, this.#places.dropped)
      this.#fence(port, record)
      if (record.fencing) {
        if (vms[owner[last]].isFencing()) {
          port.account('vmm', 'remote fence', 'waiting')
          return port.jump(this.#places.woken)
        }
        record.fencing = false
      }
      // What came between the guest's last instruction and its wfi is not lost.
      vcpus[last].settle(port)
      if (record.status === WAITING && this.#hasPending(port)) record.status = RUNNABLE
      if (dedicated && record.status === RUNNABLE) {
        this.setTimer(port, Math.min(due, more))
        return this.#resume(port, vcpus[last])
      }
    }
    acquire(port, SCHEDULER_LOCK)
    const timers = this.#wakeSleepers(port)
    const index = scheduler.pick(port, last)
    release(port, SCHEDULER_LOCK)
    if (index === NOWHERE) {
      if (this.#interrupts.looks(port) || servers?.look(port) === true) return this.#lookAgain(port)
      return this.wait(port, Math.min(due, more, timers, scheduler.nextPeriod(port)))
    }
    const turn = dedicated ? Infinity : port.read(time) + scheduler.turn(port, index)
    this.setTimer(port, Math.min(due, more, timers, turn, scheduler.nextPeriod(port)))
    if (index === last) return this.#resume(port, vcpus[index])
    this.coming[port.hart] = index
    if (last === NOWHERE) return this.load(port)
    this.save(port, last, this.#places.saved)
  }

  #fence(port: HartPort, record: VcpuRecord): void {
    if (!record.fence) return
    record.fence = false
    port.fenceI()
    port.hfenceVvma()
  }

  /** Saves the context that the hart holds; `door` goes on. */
  save(port: HartPort, last: number, door: number): void {
    port.account('vmm', 'scheduling', 'world switch')
    port.setX(A0, this.#plan.vcpus[last].frame)
    port.setX(A1, door)
    port.jump(this.#places.saveContext)
  }

  /** A vCPU that will not go on by itself has left the hart: its interrupts must not wake the hart any more. */
  dropped(port: HartPort): void {
    port.write(hie, this.#unloaded)
    port.write(hvip, 0)
    port.write(vstimecmp, NO_TIME)
    this.#plan.vcpus[this.loaded[port.hart]].record.hart = NOWHERE
    this.loaded[port.hart] = NOWHERE
    this.next(port)
  }

  /** The old context is in its frame: fetch the new one. */
  load(port: HartPort): void {
    const { vcpus } = this.#plan
    port.account('vmm', 'scheduling', 'world switch')
    const old = this.loaded[port.hart]
    if (old !== NOWHERE) {
      const { pin, record } = vcpus[old]
      record.hart = NOWHERE
      // A hart that found nothing to run sleeps until it is told.
      if (pin === NOWHERE && record.status === RUNNABLE)
        this.kicks[port.hart] |= this.#plan.scheduler.idleHart(port.hart)
    }
    port.setX(A0, vcpus[this.coming[port.hart]].frame)
    port.setX(A1, this.#places.loaded)
    port.jump(this.#places.loadContext)
  }

  hasLoaded(port: HartPort): void {
    const index = this.coming[port.hart]
    const vcpu = this.#plan.vcpus[index]
    this.loaded[port.hart] = index
    vcpu.record.hart = port.hart
    if (this.keeper) return port.jump(this.#places.arriving)
    this.#forgetStale(port, index)
    if (this.kicks[port.hart] !== 0) return this.next(port)
    this.enter(port, vcpu)
  }

  /**
   * What this hart's TLB has of the machine is true if this vCPU was its last here, has been nowhere else since, where its
   * guest may have fenced, and if nothing has been taken out of its tables. Else it goes.
   */
  #forgetStale(port: HartPort, index: number): void {
    const { owner, vms } = this.#plan
    const { hart } = port
    const at = hart * vms.length + owner[index]
    const { removals } = vms[owner[index]].record
    const fresh = this.last[at] === index && this.home[index] === hart && this.removals[at] === removals
    this.last[at] = index
    this.home[index] = hart
    this.removals[at] = removals
    if (fresh) return
    port.hfenceGvma()
    port.hfenceVvma()
  }

  enter(port: HartPort, vcpu: Vcpu): void {
    this.#fence(port, vcpu.record)
    vcpu.settle(port)
    this.#resume(port, vcpu)
  }

  /** Into the guest, which has been given all that it is owed. */
  #resume(port: HartPort, vcpu: Vcpu): void {
    port.account('vmm', 'resume', 'world switch')
    port.setX(A0, vcpu.frame)
    port.jump(this.#places.toGuest)
  }

  /** Nothing to run: wait for an interrupt, or for the earliest of what is due. */
  wait(port: HartPort, due: number): void {
    this.setTimer(port, due)
    port.account('idle', 'nothing to run', 'waiting')
    port.wfi(this.#places.woken)
  }

  /** Nothing to run, and a device that tells nobody what it does. */
  #lookAgain(port: HartPort): void {
    port.account('vmm', 'polling', 'waiting')
    port.jump(this.#places.woken)
  }

  setTimer(port: HartPort, due: number): void {
    port.write(stimecmp, due === Infinity ? NO_TIME : due)
  }

  /** True if an interrupt that the loaded guest has enabled is pending. */
  #hasPending(port: HartPort): boolean {
    return (port.read(hip) & port.read(hie)) !== 0
  }

  /** Makes waiting vCPUs runnable whose timer is due; returns when the next one is (ticks). Not those whose context another hart holds. */
  #wakeSleepers(port: HartPort): number {
    const now = port.read(time)
    let next = Infinity
    for (const vcpu of this.#plan.vcpus) {
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

  /** Does a part of what guests' devices have left for later. True if there may be more. */
  #work(port: HartPort): boolean {
    const { vms } = this.#plan
    for (let index = 0; index < vms.length; index++) {
      const vm = vms[index]
      if (!vm.isBehind()) continue
      port.account('vmm', 'device work', 'emulation')
      vm.work(port)
      return true
    }
    return false
  }

  #interruptHarts(port: HartPort, mask: number, door: number): void {
    port.setX(A0, mask)
    port.setX(A1, 0)
    port.setX(A6, 0)
    port.setX(A7, SBI_IPI)
    port.ecall(door)
  }

  /** Interrupts the harts that the guest's call was about; then it goes on. */
  tell(port: HartPort): void {
    const others = this.kicks[port.hart]
    this.kicks[port.hart] = 0
    this.#interruptHarts(port, others, this.#places.told)
  }

  /** They are interrupted: unless the guest has to wait for them, or another hart has ended it meanwhile, it goes on. */
  told(port: HartPort): void {
    const vcpu = this.#plan.vcpus[this.loaded[port.hart]]
    const { status, fencing } = vcpu.record
    if (status !== RUNNABLE || fencing) return this.next(port)
    this.enter(port, vcpu)
  }

  /** The hart that has the drivers' time looks what they want. */
  kickDevices(port: HartPort): void {
    this.kicks[port.hart] |= 1
  }

  kick(port: HartPort, vcpu: Vcpu): void {
    const hart = vcpu.record.hart === NOWHERE ? vcpu.pin : vcpu.record.hart
    const mask = hart === NOWHERE ? 2 ** this.#plan.harts - 1 : 1 << hart
    // Its own bit only makes this hart look whom it runs next.
    this.kicks[port.hart] |= mask
  }
}
