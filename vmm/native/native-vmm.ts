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
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { recordCrash } from '../core/crash.ts'
import { EntryGuard } from '../core/entry-guard.ts'
import { DEVICE, finishAccess, handleExit, INTERRUPT, type PendingAccess } from '../core/exits.ts'
import type { Host } from '../core/host.ts'
import { memoryAccess } from '../core/memory-access.ts'
import { acquire, release } from '../core/spin-lock.ts'
import { DEAD, RUNNABLE, type Vcpu } from '../core/vcpu.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import { Boot } from './boot.ts'
import { Estates } from './estates.ts'
import type { GuestFiles } from './guest-files.ts'
import { Interrupts } from './interrupts.ts'
import type { Plan } from './plan.ts'
import type { Servers } from './placed/server/vmm-side-servers.ts'
import { Running } from './running.ts'

export class NativeVmm implements Host {
  readonly party = 'vmm'
  readonly program: Program
  readonly software: Software
  readonly #plan: Plan
  readonly #interrupts: Interrupts
  readonly #running: Running
  readonly #boot: Boot
  readonly #estates: Estates
  readonly #guard: EntryGuard
  /** By hart: the device access that it emulates. */
  readonly #pending: PendingAccess[]

  constructor(program: Program, plan: Plan) {
    plan.host.vmm = this
    const interrupts = new Interrupts(plan)
    const running = new Running(plan, interrupts, program)
    plan.console.onLeft(port => running.kickDevices(port))
    const boot = new Boot(plan, interrupts, running, program)
    const guard = new EntryGuard(plan.current, this.party)
    this.program = program
    this.#plan = plan
    this.#interrupts = interrupts
    this.#running = running
    this.#boot = boot
    this.#estates = new Estates(plan)
    this.#guard = guard
    this.#pending = Array.from({ length: plan.harts }, () => ({ ...memoryAccess(), address: 0, window: 0 }))
    const doors: Readonly<Record<string, (port: HartPort) => void>> = {
      boot: port => boot.boot(port),
      scrub: port => boot.scrub(port),
      settle: port => boot.settle(port),
      secondary: port => boot.secondary(port),
      called: port => boot.called(port),
      told: port => running.told(port),
      woken: port => this.#woken(port),
      saved: port => running.load(port),
      dropped: port => running.dropped(port),
      loaded: port => running.hasLoaded(port),
      arriving: port => running.keeper!.arriving(port),
      padded: port => running.keeper!.padded(port),
      exit: port => this.#exit(port),
      ...(plan.servers && servingDoors(plan.servers, boot)),
    }
    const first: ReturnType<typeof doorsOfFiles> = plan.files ? doorsOfFiles(plan.files, running) : {}
    plan.own?.join(plan, interrupts, running, program)
    plan.own?.lead(running)
    plan.servers?.join(plan, interrupts, running, program)
    this.software = {
      name: 'native VMM',
      entries: program.entries.map(({ label }) => {
        const door = doors[label]
        const before = first[label]
        const both = before && ((port: HartPort) => (before(port), door(port)))
        return guard.guard(program.symbols.get(label)!, both ?? door)
      }),
      state: this.#state(),
    }
  }

  #state(): Record<string, StateRecord> {
    const plan = this.#plan
    const { loaded, coming, kicks, last, removals, home } = this.#running
    const state: Record<string, StateRecord> = {
      loaded,
      coming,
      kicks,
      last,
      removals,
      home,
      counts: this.#boot.counts,
      inside: this.#guard.record,
      free: plan.free.record,
      clean: plan.free.clean,
      dirty: plan.free.dirty,
      had: plan.scheduler.had,
      used: plan.scheduler.used,
      since: plan.scheduler.since,
      came: plan.scheduler.came,
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

  #exit(port: HartPort): void {
    const plan = this.#plan
    const running = this.#running
    const index = this.#running.loaded[port.hart]
    const vcpu = plan.vcpus[index]
    const vm = plan.vms[plan.owner[index]]
    const pending = this.#pending[port.hart]
    const outcome = handleExit(port, this, vm, vcpu, pending)
    if (outcome === INTERRUPT) this.#interrupts.handle(port)
    else if (outcome === DEVICE) this.#access(port, vm, vcpu, pending)
    // What the guest asked for is done: unless somebody else is wanted, it goes on at once.
    if (outcome !== INTERRUPT && vcpu.record.status === RUNNABLE && !vm.isBehind()) {
      const kicks = running.kicks[port.hart]
      if (kicks === 0) return running.enter(port, vcpu)
      if ((kicks & (1 << port.hart)) === 0) return running.tell(port)
    }
    running.next(port)
  }

  /** Emulates the device access that waits. */
  #access(port: HartPort, vm: VirtualMachine, vcpu: Vcpu, pending: PendingAccess): void {
    const { window, address, bytes } = pending
    const width = bytes === 8 ? 4 : (bytes as 1 | 2 | 4)
    let low = 0
    let high = 0
    acquire(port, vm.deviceLock)
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
    release(port, vm.deviceLock)
    finishAccess(port, vcpu, pending, low, high)
  }

  /** What has ended a wait is still pending: no trap has been taken for it. */
  #woken(port: HartPort): void {
    port.account('vmm', 'scheduling', 'scheduling')
    this.#interrupts.handle(port)
    this.#running.next(port)
  }

  // What the handling of exits asks for.

  kick(port: HartPort, vcpu: Vcpu): void {
    this.#running.kick(port, vcpu)
  }

  consolePut(port: HartPort, vm: VirtualMachine, byte: number): void {
    this.#plan.console.put(port, vm.index, byte)
  }

  consoleGet(port: HartPort, vm: VirtualMachine): number {
    return this.#plan.console.get(port, vm.index)
  }

  makeRoom(port: HartPort): boolean {
    return this.#estates.makeRoom(port)
  }

  end(port: HartPort, vm: VirtualMachine, vcpu: Vcpu, crashed: boolean, code: number): void {
    const { record } = vm
    if (record.ended) return
    if (crashed) recordCrash(port, vm, vcpu)
    const { keeper } = this.#plan
    record.ended = keeper === undefined || !keeper.died(port, vm)
    record.crashed = crashed
    record.exitCode = code
    // What follows is hart 0's to do.
    if (!record.ended) this.#running.kicks[port.hart] |= 1
    for (const vcpu of vm.vcpus) {
      vcpu.record.status = DEAD
      this.#running.kick(port, vcpu)
    }
    for (const passed of this.#plan.passed) if (passed.guest.vm === vm) passed.end(port)
  }
}

/** What is done first at those doors where guest interrupt files are looked at. */
function doorsOfFiles(
  files: GuestFiles,
  running: Running,
): Readonly<Record<string, ((port: HartPort) => void) | undefined>> {
  return {
    loaded: port => files.loaded(port, running.coming[port.hart]),
    exit: port => files.wake(port),
    woken: port => files.wake(port),
  }
}

/** Doors of a VMM with servers. Set-up. */
function servingDoors(servers: Servers, boot: Boot): Readonly<Record<string, (port: HartPort) => void>> {
  return {
    settle: port => servers.settle(port, boot),
    served: port => servers.served(port),
  }
}
