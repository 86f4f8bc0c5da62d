/**
 * How the host's kernel comes up: tables, memory, devices, processes and programs, one after the other, on the hart that keeps
 * house; then the other harts.
 *
 *   boot ─▶ scrub … ─▶ settle … ─▶ called (starts the other harts) ─▶ what the kernel goes on with
 */
import type { HartPort } from '../../hw/port.ts'
import { A0, A1, A2, A6, A7, SBI_HSM } from '../../hw/spec/sbi.ts'
import { createCounters } from './accounting.ts'
import { createStorage, imagePaths, openImage } from './files/boot.ts'
import { createVmids } from './hypervisor/vmids.ts'
import { createStatistics } from './hypervisor/statistics.ts'
import type { KernelCode } from './image.ts'
import { ORDER } from './interrupts/interrupts.ts'
import { CAUSES, MESSAGES, SOURCES } from './interrupts/lines.ts'
import { MOST_VCPUS, taskFrame } from './layout.ts'
import { PROGRAMS_GROUP, WHOLE_GROUP } from './memory/groups.ts'
import { createGroupCounts } from './memory/group-counts.ts'
import { createHartMemory } from './memory/hart-memory.ts'
import { createNetwork } from './network/network.ts'
import { createOpenFiles } from './objects/open-files.ts'
import { createSecurity } from './objects/security.ts'
import type { Plan } from './plan.ts'
import { prepareHart } from './prepare-hart.ts'
import { prepareProcess, WHOLE } from './prepare-process.ts'
import { LOOK, TURN, WAKE } from './scheduling/messages.ts'
import { createTimes, TIMEBASE } from './scheduling/time-keeping.ts'
import type { Timers } from './timers.ts'

/** Policy: programs can have this part of the machine's memory, and the rest is for guests. */
const PROGRAMS_SHARE = 4
/** Why the firmware is called while harts come up. */
const MOVING = 1
const STARTING = 2

/** What has been made: each is an entry of its own. */
const NOTHING_MADE = 0
const STORAGE_MADE = 1
const TABLES_MADE = 2
const DEVICES_FOUND = 3

/** What the kernel does for a boot that is going on, and after it. */
export interface Booted {
  interrupt(port: HartPort): void
  leave(port: HartPort): void
}

export class Boot {
  /** Harts that have been started, why the firmware has been called, what has been made, processes that have been prepared, pages that the next has already. */
  readonly record = { started: 0, calling: 0, made: NOTHING_MADE, prepared: 0, adopted: 0 }
  readonly #plan: Plan
  readonly #code: KernelCode
  readonly #timers: Timers
  readonly #kernel: Booted
  readonly #paths: readonly Uint8Array[]

  constructor(plan: Plan, code: KernelCode, timers: Timers, kernel: Booted) {
    this.#plan = plan
    this.#code = code
    this.#timers = timers
    this.#kernel = kernel
    this.#paths = imagePaths(plan.processes)
  }

  boot(port: HartPort): void {
    port.account('host kernel', 'boot', 'computing')
    const plan = this.#plan
    if (!this.#keepsHouse(port)) return this.#moveBoot(port)
    prepareHart(port, true)
    plan.kernelSpace.create(port)
    plan.kernelSpace.describe(port, plan.idleFrame + taskFrame.satp.at)
    this.#switchSpace(port, plan.idleFrame, this.#code.scrub)
  }

  /** The next of what there has to be before anything else; false if all is there. */
  #make(port: HartPort): boolean {
    const own = this.record
    const plan = this.#plan
    if (own.made === DEVICES_FOUND) return false
    if (own.made === NOTHING_MADE) {
      createHartMemory(port, plan.harts)
      createGroupCounts(port, plan.harts)
      plan.deviceMemory.create(port)
      createStorage(port, plan.storage, plan.free)
      own.made = STORAGE_MADE
    } else if (own.made === STORAGE_MADE) {
      this.#makeTables(port)
      own.made = TABLES_MADE
    } else {
      this.#findDevices(port)
      own.made = DEVICES_FOUND
    }
    return true
  }

  #makeTables(port: HartPort): void {
    const plan = this.#plan
    createNetwork(port, plan.network)
    createCounters(port, plan.harts)
    createTimes(port, plan.harts, TIMEBASE)
    plan.rcu.create(port)
    plan.buses.create(port)
    createVmids(port)
    plan.events.create(port)
    createStatistics(port, MOST_VCPUS)
    createOpenFiles(port)
    createSecurity(port)
    plan.small.create(port)
    plan.fences.create(port, MOST_VCPUS)
    plan.groups.create(port, WHOLE_GROUP, plan.pages)
    plan.groups.create(port, PROGRAMS_GROUP, plan.pages / PROGRAMS_SHARE)
    const { queues, timers } = plan.scheduler
    for (let hart = 0; hart < plan.harts; hart++) {
      queues.pages[hart] = plan.free.takeTable(port)
      timers.pages[hart] = plan.free.takeTable(port)
    }
    for (let page = 0; page < queues.groupPages.length; page++) queues.groupPages[page] = plan.free.takeTable(port)
    queues.create(port)
    plan.lines.create(port)
    for (let cause = 0; cause < ORDER.length; cause++) plan.lines.connect(port, CAUSES, ORDER[cause])
    plan.lines.connect(port, MESSAGES, LOOK)
    plan.lines.connect(port, MESSAGES, WAKE)
    plan.lines.connect(port, MESSAGES, TURN)
  }

  #findDevices(port: HartPort): void {
    const plan = this.#plan
    plan.controller.start()
    for (const device of plan.devices) {
      device.start(port)
      if (device.source() === 0) continue
      plan.lines.connect(port, SOURCES, device.source())
      plan.controller.enable(device.source())
    }
  }

  scrub(port: HartPort): void {
    port.account('host kernel', 'boot', 'computing')
    const { pageStructs, free } = this.#plan
    port.jump(this.#make(port) || pageStructs.prepare(port) || free.scrub(port) ? this.#code.scrub : this.#code.settle)
  }

  /** Processes start when their devices are there. */
  settle(port: HartPort): void {
    port.account('host kernel', 'boot', 'computing')
    const { devices, processes, storage, soft } = this.#plan
    this.#kernel.interrupt(port)
    this.#timers.run(port)
    soft.run(port)
    for (let index = 0; index < devices.length; index++) {
      if (devices[index].settled()) continue
      port.account('idle', 'boot', 'waiting')
      return port.wfi(this.#code.settle)
    }
    const counts = this.record
    if (counts.prepared === processes.length) {
      if (this.#plan.programs.programs.load(port)) return port.jump(this.#code.settle)
      return this.#startHarts(port)
    }
    const process = processes[counts.prepared]
    if (!openImage(port, storage, process, this.#paths[counts.prepared])) {
      port.account('idle', 'boot', 'waiting')
      return port.wfi(this.#code.settle)
    }
    counts.adopted = prepareProcess(port, this.#plan, process, counts.adopted)
    if (counts.adopted === WHOLE) {
      counts.adopted = 0
      counts.prepared++
    }
    port.jump(this.#code.settle)
  }

  /** Starts the other harts, one call to the firmware after the other; `called` goes on. */
  #startHarts(port: HartPort): void {
    const counts = this.record
    if (counts.started === 0) {
      this.#plan.scheduler.begin(port)
      this.#plan.programs.programs.begin(port)
    }
    if (counts.started === port.hart) counts.started++
    if (counts.started >= this.#plan.harts) return this.#kernel.leave(port)
    counts.calling = STARTING
    this.#startHart(port, counts.started, this.#code.startSecondary)
    counts.started++
  }

  #startHart(port: HartPort, hart: number, at: number): void {
    port.setX(A0, hart)
    port.setX(A1, at)
    port.setX(A2, 0)
    port.setX(A6, 0)
    port.setX(A7, SBI_HSM)
    port.ecall(this.#code.called)
  }

  #keepsHouse({ hart }: HartPort): boolean {
    return hart === this.#plan.scheduler.dedication.housekeeping
  }

  /** This hart is to be a guest's: another boots the kernel, and starts this one when it is done. */
  #moveBoot(port: HartPort): void {
    this.record.calling = MOVING
    this.#startHart(port, this.#plan.scheduler.dedication.housekeeping, this.#code.start)
  }

  #stopHart(port: HartPort): void {
    port.setX(A6, 1)
    port.setX(A7, SBI_HSM)
    port.ecall(this.#code.called)
  }

  secondary(port: HartPort): void {
    port.account('host kernel', 'boot', 'computing')
    prepareHart(port, false)
    this.#switchSpace(port, this.#plan.idleFrame, this.#code.switched)
  }

  called(port: HartPort): void {
    const counts = this.record
    if (counts.calling === MOVING && !this.#keepsHouse(port)) {
      counts.calling = 0
      return this.#stopHart(port)
    }
    if (counts.calling === STARTING && this.#keepsHouse(port)) {
      counts.calling = 0
      return this.#startHarts(port)
    }
    this.#kernel.leave(port)
  }

  #switchSpace(port: HartPort, frame: number, next: number): void {
    port.setX(A0, frame)
    port.setX(A1, next)
    port.jump(this.#code.switchSpace)
  }
}
