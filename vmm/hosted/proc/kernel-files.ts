/** The files under /proc: counters, times, memory, groups, pressure, threads. Set-up makes the list; the rest writes. */
import type { HartPort } from '../../../hw/port.ts'
import { counters, countersOf } from '../accounting.ts'
import { diskAccount, diskCount } from '../files/disk-accounts.ts'
import { TABLES } from '../layout.ts'
import { groupAt, groupOfProcess, memoryGroup, PROGRAMS_GROUP, WHOLE_GROUP } from '../memory/groups.ts'
import { type DeviceMemory, DISK_DEVICE, NETWORK_DEVICE } from '../memory/device-memory.ts'
import { CAUSES, type InterruptLines, LINE_NUMBERS } from '../interrupts/lines.ts'
import { NUMBERS, numberOf } from '../hypervisor/statistics.ts'
import { addUp } from '../memory/group-counts.ts'
import { hartMemory, sumOf } from '../memory/hart-memory.ts'
import { ACTIVE, INACTIVE, lengthOf, STAYING } from '../memory/page-lists.ts'
import type { SlabCache } from '../memory/slab-cache.ts'
import type { Packets } from '../network/packets.ts'
import { entity, queue, threadEntity } from '../scheduling/entity.ts'
import { loadAverage } from '../scheduling/load-average.ts'
import { pressure } from '../scheduling/pressure.ts'
import { idleTimes, machineTicks } from '../scheduling/time-keeping.ts'
import type { FreeMemory } from '../../core/free-memory.ts'
import type { ProcFile } from './proc-files.ts'
import { ascii, type Text } from './text.ts'

/** What is told about. */
export interface Told {
  readonly harts: number
  readonly processes: number
  readonly threads: number
  /** Of the machine, in 4 KiB. */
  readonly pages: number
  readonly free: FreeMemory
  /** By hart: where its run queue lies; and processes that have threads. */
  readonly queues: Float64Array
  readonly groups: number
  readonly deviceMemory: DeviceMemory
  readonly packets: Packets
  readonly lines: InterruptLines
  readonly vcpus: number
}

const KIB_A_PAGE = 4
const PAGES_IN_A_LARGE = 512

const HART = ascii('cpu')
const INTERRUPTS = ascii('intr')
const SWITCHES = ascii('ctxt')
const SOFT_INTERRUPTS = ascii('softirq')
const FAULTS = ascii('pgfault')
const TICKS = ascii('ticks')
const IDLE = ascii('idle')
const TOTAL = ascii('MemTotal:')
const FREE = ascii('MemFree:')
const ANONYMOUS = ascii('AnonPages:')
const STAYS = ascii('Unevictable:')
const TABLES_OF_PAGES = ascii('PageTables:')
const GIVEN = ascii('pgalloc')
const RETURNED = ascii('pgfree')
const GROUP = ascii('group')
const THREAD = ascii('thread')
const LINE = ascii('line')
const OPERATION = ascii('operation')
const DISK_OPERATIONS = 4
const DISK = ascii('disk')
const CARD = ascii('card')
const HEADERS = ascii('headers')
const BUFFERS = ascii('buffers')
const VCPU = ascii('vcpu')

export function kernelFiles(told: Told): readonly ProcFile[] {
  return [
    { name: ascii('stat'), write: (port, text) => writeStat(port, text, told) },
    { name: ascii('meminfo'), write: (port, text) => writeMemory(port, text, told) },
    { name: ascii('groups'), write: (port, text) => writeGroups(port, text, told) },
    { name: ascii('pressure'), write: (port, text) => writePressure(port, text, told) },
    { name: ascii('diskstats'), write: (port, text) => writeDisk(port, text, told) },
    { name: ascii('devices'), write: (port, text) => writeDevices(port, text, told) },
    { name: ascii('slabinfo'), write: (port, text) => writeSlabs(port, text, told) },
    { name: ascii('interrupts'), write: (port, text) => writeInterrupts(port, text, told) },
    { name: ascii('vcpus'), write: (port, text) => writeVcpus(port, text, told) },
    { name: ascii('sched'), write: (port, text) => writeThreads(port, text, told) },
  ]
}

/** Ticks by what they found, of each hart, with how long and how often it idled; then counts of the machine. */
function writeStat(port: HartPort, text: Text, { harts }: Told): void {
  for (let hart = 0; hart < harts; hart++) {
    text.name(port, HART)
    text.number(port, hart)
    text.number(port, countersOf(port, hart, counters.userTicks.at))
    text.number(port, countersOf(port, hart, counters.guestTicks.at))
    text.number(port, countersOf(port, hart, counters.systemTicks.at))
    text.line(port)
    text.name(port, IDLE)
    text.number(port, idleTimes(port, hart, false))
    text.number(port, idleTimes(port, hart, true))
    text.line(port)
  }
  writeSum(port, text, harts, INTERRUPTS, counters.interrupts.at)
  writeSum(port, text, harts, SWITCHES, counters.switches.at)
  writeSum(port, text, harts, SOFT_INTERRUPTS, counters.softInterrupts.at)
  writeSum(port, text, harts, FAULTS, counters.pageFaults.at)
  text.pair(port, TICKS, machineTicks(port))
}

function writeSum(port: HartPort, text: Text, harts: number, name: Uint8Array, offset: number): void {
  let sum = 0
  for (let hart = 0; hart < harts; hart++) sum += countersOf(port, hart, offset)
  text.pair(port, name, sum)
}

function writeMemory(port: HartPort, text: Text, { harts, pages, free }: Told): void {
  text.pair(port, TOTAL, pages * KIB_A_PAGE)
  text.pair(port, FREE, (free.record.clean + free.record.dirty) * PAGES_IN_A_LARGE * KIB_A_PAGE)
  text.pair(port, ANONYMOUS, sumOf(port, harts, hartMemory.anonymous.at) * KIB_A_PAGE)
  text.pair(port, STAYS, sumOf(port, harts, hartMemory.locked.at) * KIB_A_PAGE)
  text.pair(port, TABLES_OF_PAGES, sumOf(port, harts, hartMemory.tables.at) * KIB_A_PAGE)
  text.pair(port, FAULTS, sumOf(port, harts, hartMemory.faults.at))
  text.pair(port, GIVEN, sumOf(port, harts, hartMemory.given.at))
  text.pair(port, RETURNED, sumOf(port, harts, hartMemory.returned.at))
}

/** Pages used, allowed, at most, how often refused, taken back; then those in its lists, anonymous ones, tables; faults. */
function writeGroup(port: HartPort, text: Text, group: number): void {
  const at = groupAt(group)
  text.name(port, GROUP)
  text.number(port, group)
  text.number(port, port.load32(at + memoryGroup.used.at))
  text.number(port, port.load32(at + memoryGroup.limit.at))
  text.number(port, port.load32(at + memoryGroup.peak.at))
  text.number(port, port.load32(at + memoryGroup.refused.at))
  text.number(port, port.load32(at + memoryGroup.reclaimed.at))
  text.number(port, lengthOf(port, group, ACTIVE))
  text.number(port, lengthOf(port, group, INACTIVE))
  text.number(port, lengthOf(port, group, STAYING))
  text.number(port, port.load32(at + memoryGroup.anonymous.at))
  text.number(port, port.load32(at + memoryGroup.tables.at))
  text.number(port, port.load32(at + memoryGroup.faults.at))
  text.line(port)
}

function writeGroups(port: HartPort, text: Text, { processes, harts }: Told): void {
  addUp(port, harts)
  writeGroup(port, text, WHOLE_GROUP)
  writeGroup(port, text, PROGRAMS_GROUP)
  for (let process = 0; process < processes; process++) writeGroup(port, text, groupOfProcess(process))
}

/** Nanoseconds in which some thread waited, none ran though some were ready, and any was ready. */
function writeStall(port: HartPort, text: Text, name: Uint8Array, number: number, at: number): void {
  text.name(port, name)
  text.number(port, number)
  text.number(port, port.load64(at + pressure.some.at))
  text.number(port, port.load64(at + pressure.full.at))
  text.number(port, port.load64(at + pressure.busy.at))
  text.line(port)
}

function writePressure(port: HartPort, text: Text, { harts, queues, groups }: Told): void {
  for (let hart = 0; hart < harts; hart++) writeStall(port, text, HART, hart, queues[hart] + queue.pressure.at)
  for (let group = 0; group < groups; group++)
    writeStall(port, text, GROUP, group, TABLES.groups + group * pressure.size)
}

/** By operation (reads, writes, writes through the cache, flushes): requests over, sectors, merged, sent, ticks that they took. */
function writeDisk(port: HartPort, text: Text, { harts }: Told): void {
  for (let operation = 0; operation < DISK_OPERATIONS; operation++) {
    text.name(port, OPERATION)
    text.number(port, operation)
    text.number(port, diskCount(port, harts, operation, diskAccount.requests.at))
    text.number(port, diskCount(port, harts, operation, diskAccount.sectors.at))
    text.number(port, diskCount(port, harts, operation, diskAccount.merged.at))
    text.number(port, diskCount(port, harts, operation, diskAccount.begun.at))
    text.number(port, diskCount(port, harts, operation, diskAccount.ticks.at))
    text.line(port)
  }
}

/** Bytes of memory that the disk and the card have now. */
function writeDevices(port: HartPort, text: Text, { deviceMemory }: Told): void {
  text.pair(port, DISK, deviceMemory.mapped(port, DISK_DEVICE))
  text.pair(port, CARD, deviceMemory.mapped(port, NETWORK_DEVICE))
}

/** Packets' headers and buffers: in use, and all. */
function writeSlabs(port: HartPort, text: Text, { harts, packets }: Told): void {
  writeSlab(port, text, HEADERS, packets.headers, harts)
  writeSlab(port, text, BUFFERS, packets.buffers, harts)
}

function writeSlab(port: HartPort, text: Text, name: Uint8Array, cache: SlabCache, harts: number): void {
  text.name(port, name)
  text.number(port, cache.size() - cache.unused(port, harts))
  text.number(port, cache.size())
  text.line(port)
}

/** Of each line (its domain's first number plus its own): how often each hart has had it. */
function writeInterrupts(port: HartPort, text: Text, { harts, lines }: Told): void {
  for (let number = 0; number < LINE_NUMBERS; number++) {
    if (lines.find(port, CAUSES, number) === 0) continue
    text.name(port, LINE)
    text.number(port, number)
    for (let hart = 0; hart < harts; hart++) text.number(port, lines.countOf(port, CAUSES, number, hart))
    text.line(port)
  }
}

/** Of each hart: its clock, its threads' clock, time in interrupts (ns). Of each thread that ever had one: time had, time waited, how often it got one, time in this turn; its load, and how much of the time it was ready and ran (1024: all). */
function writeThreads(port: HartPort, text: Text, { harts, queues, threads }: Told): void {
  for (let hart = 0; hart < harts; hart++) {
    text.name(port, HART)
    text.number(port, hart)
    text.number(port, port.load64(queues[hart] + queue.clock.at))
    text.number(port, port.load64(queues[hart] + queue.taskClock.at))
    text.number(port, port.load64(queues[hart] + queue.interrupted.at))
    text.line(port)
  }
  for (let thread = 0; thread < threads; thread++) {
    const at = threadEntity(thread)
    const switches = port.load64(at + entity.switches.at)
    if (switches === 0) continue
    text.name(port, THREAD)
    text.number(port, thread)
    text.number(port, port.load64(at + entity.had.at))
    text.number(port, port.load64(at + entity.waited.at))
    text.number(port, switches)
    text.number(port, port.load64(at + entity.had.at) - port.load64(at + entity.began.at))
    text.number(port, port.load32(at + loadAverage.load.at))
    text.number(port, port.load32(at + loadAverage.runnable.at))
    text.number(port, port.load32(at + loadAverage.running.at))
    text.line(port)
  }
}

/** Of each vCPU: exits by what for, halts, and how long it was watched for. */
function writeVcpus(port: HartPort, text: Text, { vcpus }: Told): void {
  for (let vcpu = 0; vcpu < vcpus; vcpu++) {
    text.name(port, VCPU)
    text.number(port, vcpu)
    for (let index = 0; index < NUMBERS; index++) text.number(port, numberOf(port, vcpu, index))
    text.line(port)
  }
}
