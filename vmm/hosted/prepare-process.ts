/** Makes a VMM process: its address space, its guest's vCPUs as the module enters them first, its threads. */
import type { HartPort } from '../../hw/port.ts'
import { maskOf } from '../../hw/spec/csr.ts'
import { sstatus } from '../../hw/spec/csrs/supervisor.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import { prepareContext } from '../core/guest-context.ts'
import { ROOT_BYTES } from '../core/g-stage.ts'
import { startAt } from '../core/sbi.ts'
import { NOWHERE } from '../core/vcpu.ts'
import { USER_READ_EXECUTE, USER_READ_WRITE } from './address-space.ts'
import {
  RING_BYTES,
  taskFrame,
  textOf,
  USER_CONSOLE,
  USER_LOCK,
  USER_RAM,
  USER_RINGS,
  USER_TEXT,
  userRunPage,
} from './layout.ts'
import { allowance } from './memory/anonymous.ts'
import { AREA_EXECUTE, AREA_READ, AREA_WRITE } from './memory/areas.ts'
import { groupOfProcess } from './memory/groups.ts'
import { openFilesOf } from './objects/process-files.ts'
import type { Plan } from './plan.ts'
import type { Process } from './process.ts'
import { THREAD_REGISTER } from './system-calls.ts'

const PAGE = 4096
/** Pages of 2 MiB with an image in them that a process gets in one entry. */
const AT_ONCE = 8
export const WHOLE = -1
/** Of a process: back to U, interrupts on; floating point on, its registers as they were first. */
const FS_INITIAL = maskOf(sstatus, 'FS') & -maskOf(sstatus, 'FS')
const SSTATUS_USER = maskOf(sstatus, 'SPIE') | FS_INITIAL
const SSTATUS_UXL_64_HIGH = 2

/** A part of it: so many pages of its images are its own already. Returns how many are then; WHOLE if all is done. */
export function prepareProcess(port: HartPort, plan: Plan, process: Process, adopted: number): number {
  if (adopted === 0) {
    mapProcess(port, plan, process)
    openFilesOf(port, process)
  }
  const { donated } = plan.images[process.vm.index]
  const end = Math.min(adopted + AT_ONCE, donated.length)
  for (let index = adopted; index < end; index++)
    process.space.adopt(port, USER_RAM + donated[index].guest - GUEST_RAM, donated[index].page)
  if (end < donated.length) return end
  finish(port, plan, process)
  return WHOLE
}

function finish(port: HartPort, plan: Plan, process: Process): void {
  const { vm, firstVcpu, space } = process
  const { tree, treeAt, kernelAt } = plan.images[vm.index]
  let host = 0
  for (let at = 0; at < tree.length; at += 4) {
    if (at % PAGE === 0) host = space.pageOfGuest(port, treeAt + at) + ((treeAt + at) % PAGE) - at
    port.store32(host + at, (tree[at] | (tree[at + 1] << 8) | (tree[at + 2] << 16) | (tree[at + 3] << 24)) >>> 0)
  }
  port.fill(vm.ram.root, 0, ROOT_BYTES)
  for (let index = 0; index < vm.vcpus.length; index++)
    // Its wfi traps where the hart is shared with others.
    prepareContext(
      port,
      vm.vcpus[index].frame,
      vm.ram.root,
      vm.index + 1,
      vm.vcpus[index].pin === NOWHERE || !plan.scheduler.dedication.quiet[vm.vcpus[index].pin],
    )
  startAt(port, vm.vcpus[0], kernelAt, treeAt)
  for (let thread = 0; thread <= process.lastTask - process.firstTask; thread++)
    prepareThread(port, plan, process, thread)
  plan.module.prepare(port, process)
  space.addArea(port, userRunPage(0), vm.vcpus.length * PAGE, AREA_READ | AREA_WRITE)
  for (let index = 0; index < vm.vcpus.length; index++) {
    const page = plan.free.takeTable(port)
    space.mapPage(port, userRunPage(index), page, USER_READ_WRITE)
    plan.module.runPages[firstVcpu + index] = page
  }
}

function mapProcess(port: HartPort, plan: Plan, process: Process): void {
  const { space, vm, record } = process
  const group = groupOfProcess(vm.index)
  plan.groups.create(port, group, allowance(vm.ram.bytes))
  space.createFor(port, group)
  space.addArea(port, USER_TEXT, PAGE, AREA_READ | AREA_EXECUTE)
  space.addArea(port, USER_LOCK, PAGE, AREA_READ | AREA_WRITE)
  space.addArea(port, USER_CONSOLE, PAGE, AREA_READ | AREA_WRITE)
  space.addArea(port, USER_RINGS, RING_BYTES, AREA_READ | AREA_WRITE)
  space.mapPage(port, USER_TEXT, textOf(vm.index), USER_READ_EXECUTE)
  space.mapPage(port, USER_LOCK, plan.free.takeTable(port), USER_READ_WRITE)
  space.mapPage(port, USER_CONSOLE, plan.free.takeTable(port), USER_READ_WRITE)
  // The tables that the first page needs are made before, so that the pages of the rings follow one another.
  const first = plan.free.takeTable(port)
  record.rings = first
  space.mapPage(port, USER_RINGS, first, USER_READ_WRITE)
  for (let offset = PAGE; offset < RING_BYTES; offset += PAGE) {
    space.mapPage(port, USER_RINGS + offset, plan.free.takeTable(port), USER_READ_WRITE)
  }
}

function prepareThread(port: HartPort, plan: Plan, process: Process, thread: number): void {
  const at = plan.scheduler.tasks[process.firstTask + thread].frame
  port.fill(at, 0, taskFrame.size)
  port.store64(at + taskFrame.x.at + THREAD_REGISTER * 8, thread)
  port.store64(at + taskFrame.sepc.at, USER_TEXT)
  port.store32(at + taskFrame.sstatus.at, SSTATUS_USER)
  port.store32(at + taskFrame.sstatus.at + 4, SSTATUS_UXL_64_HIGH)
  process.space.describe(port, at + taskFrame.satp.at)
}
