/** What a VMM process has open from its start, by numbers that it knows, and the system calls that it may make. */
import type { HartPort } from '../../../hw/port.ts'
import type { Process } from '../process.ts'
import {
  SYS_ADD_EVENT,
  SYS_DISK,
  SYS_EXIT,
  SYS_EXPECT,
  SYS_INTERRUPT,
  SYS_LOCK_WAIT,
  SYS_LOCK_WAKE,
  SYS_READ_EVENT,
  SYS_RUN,
  SYS_SEND,
  SYS_WAIT,
  SYS_WATCH,
  SYS_WRITE,
} from '../system-calls.ts'
import { createDescriptorTable, descriptorTable, descriptorTableAt, install, permit } from './descriptor-tables.ts'
import { CONSOLE, EVENT_QUEUE, GUEST_DISK, openNew, TAP, VIRTUAL_CPU, VIRTUAL_MACHINE } from './open-files.ts'
import { TO_CONTROL, TO_READ, TO_WRITE, VMM_DOMAIN } from './security.ts'

/** Numbers: of its console, its disk, its tap, what it waits for, its machine; from VCPU_FILE on its vCPUs. */
const CONSOLE_FILE = 0
const DISK_FILE = 1
const TAP_FILE = 2
const EVENTS_FILE = 3
const MACHINE_FILE = 4
export const VCPU_FILE = 5
export const NO_FILE_NEEDED = -1

/** By system call: the file that it is about, and what it does with it. */
export const FILE_OF: readonly number[] = [
  NO_FILE_NEEDED,
  VCPU_FILE,
  MACHINE_FILE,
  EVENTS_FILE,
  DISK_FILE,
  CONSOLE_FILE,
  TAP_FILE,
  NO_FILE_NEEDED,
  NO_FILE_NEEDED,
  NO_FILE_NEEDED,
  MACHINE_FILE,
  EVENTS_FILE,
  EVENTS_FILE,
  EVENTS_FILE,
]
export const USE_OF: readonly number[] = [
  0,
  TO_CONTROL,
  TO_CONTROL,
  TO_READ,
  TO_READ | TO_WRITE,
  TO_WRITE,
  TO_WRITE,
  0,
  0,
  0,
  TO_CONTROL,
  TO_READ,
  TO_CONTROL,
  TO_WRITE,
]
const CALLS = [
  SYS_RUN,
  SYS_INTERRUPT,
  SYS_WAIT,
  SYS_DISK,
  SYS_WRITE,
  SYS_SEND,
  SYS_EXIT,
  SYS_LOCK_WAIT,
  SYS_LOCK_WAKE,
  SYS_WATCH,
  SYS_READ_EVENT,
  SYS_EXPECT,
  SYS_ADD_EVENT,
] as const

/** Opens them for a process that begins. What it has not, is not open. */
export function openFilesOf(port: HartPort, process: Process): void {
  const { vm, node, space } = process
  const table = descriptorTableAt(space.number)
  const owner = vm.index + 1
  createDescriptorTable(port, table, VMM_DOMAIN, owner)
  port.store32(table + descriptorTable.sharers.at, process.lastTask - process.firstTask + 1)
  for (let index = 0; index < CALLS.length; index++) permit(port, table, CALLS[index])
  install(port, table, CONSOLE_FILE, openNew(port, CONSOLE, vm.index, 0, owner))
  install(port, table, EVENTS_FILE, openNew(port, EVENT_QUEUE, vm.index, 0, owner))
  install(port, table, MACHINE_FILE, openNew(port, VIRTUAL_MACHINE, vm.index, 0, owner))
  if (node.disk) install(port, table, DISK_FILE, openNew(port, GUEST_DISK, vm.index, 0, owner))
  if (node.network) install(port, table, TAP_FILE, openNew(port, TAP, vm.index, 0, owner))
  for (let index = 0; index < vm.vcpus.length; index++)
    install(port, table, VCPU_FILE + index, openNew(port, VIRTUAL_CPU, process.firstVcpu + index, 0, owner))
}
