/** What the host makes of the machine's device tree: processes, threads, where everything lies, drivers in their places. Set-up. */
import { pcieBus } from '../../drivers/pcie.ts'
import { plicDriver } from '../../drivers/plic.ts'
import { type CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import { uartDriver } from '../../drivers/uart.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { decodeFdt, fdtCells } from '../../hw/spec/layouts/fdt.ts'
import { type GuestNode, guestsOf } from '../../hw/spec/layouts/guest-node.ts'
import { type HostPolicy, hostPolicyOf } from '../../hw/spec/layouts/host-policy.ts'
import { inPageOrder, pagesLeftOut, smallPageOrder } from '../../hw/spec/layouts/page-order.ts'
import { FreeMemory } from '../core/free-memory.ts'
import { GuestRam } from '../core/guest-ram.ts'
import { type GuestImages, imagesOf } from '../core/guest-images.ts'
import { LARGE_PAGE, SMALL_PAGE } from '../core/g-stage.ts'
import { freePages, hartsOf, windowOf } from '../core/machine-tree.ts'
import { memoryAccess } from '../core/memory-access.ts'
import type { PlacedDevice } from '../core/placed-device.ts'
import { SerialConsole } from '../core/serial-console.ts'
import { NOWHERE, Vcpu } from '../core/vcpu.ts'
import { VirtualMachine } from '../core/virtual-machine.ts'
import { AddressSpace } from './address-space.ts'
import { FileService } from './file-service.ts'
import { dedicationOf } from './dedication.ts'
import { DirectRequests } from './files/direct-requests.ts'
import { makeStorage, type Storage } from './files/storage.ts'
import { HostConsole } from './host-console.ts'
import type { Hypervisor } from './hypervisor.ts'
import { HypervisorModule } from './hypervisor-module.ts'
import type { KernelCode } from './image.ts'
import { KernelDevices } from './kernel-devices.ts'
import { KernelThread } from './kernel-thread.ts'
import { callThread, type KernelThreads, kernelThreads } from './kernel-threads.ts'
import {
  dmaRegion,
  KERNEL_BASE,
  KERNEL_BYTES,
  MOST_PROCESSES,
  MOST_VCPUS,
  MOST_VCPUS_OF_A_GUEST,
  pagePool,
  rootOf,
  taskFrameOf,
  vcpuFrameOf,
} from './layout.ts'
import { ForwardingTable } from './network/forwarding-table.ts'
import { makeNetwork, type Network } from './network/network.ts'
import { Monitor } from './monitor.ts'
import { MonitorDriver } from './monitor-driver.ts'
import { CACHE_PAGE, CACHE_PAGES, PageCache } from './page-cache.ts'
import { pageStructBytes, PageStructs } from './page-structs.ts'
import { Process } from './process.ts'
import type { ProgramImage } from './programs/elf.ts'
import { type HostPrograms, makePrograms, programThreads } from './programs/host-programs.ts'
import { IDLE, Scheduler } from './scheduler.ts'
import { SOFT_SCHED, SoftInterrupts } from './soft-interrupts.ts'
import { DISK_TAGS } from './system-calls.ts'
import { IN_A_LARGE, SmallPages } from './small-pages.ts'
import { ASLEEP, Task } from './task.ts'

const TICKS_PER_MICROSECOND = 10
const RAM_BASE = 0x8000_0000
/** PLIC contexts come in pairs a hart, M and S: hart 0's S. */
const CONTEXT = 1
const PLIC_SOURCES = 95
/** Where the kernel puts the registers of its PCIe devices: in the root bus's window for 32-bit addresses. */
const DISK_REGISTERS = 0x4000_0000
const NIC_REGISTERS = 0x4010_0000

/** The interrupt controller, as the kernel's context of hart 0 sees it. */
export interface Controller {
  start(): void
  enable(source: number): void
  claim(): number
  complete(source: number): void
}

/** The address space identifier of the monitors' world: processes have the numbers from 1 on. */
const MONITOR_SPACE = 0xfff

export interface Plan {
  readonly policy: HostPolicy
  readonly harts: number
  readonly current: CurrentPort
  readonly processes: readonly Process[]
  readonly images: readonly GuestImages[]
  readonly free: FreeMemory
  readonly kernelSpace: AddressSpace
  /** The idle loop's frame: the kernel's own address space is described in it. */
  readonly idleFrame: number
  readonly scheduler: Scheduler
  /** The processes' threads, which come first among the scheduler's; then the kernel's own. */
  readonly tasks: readonly Task[]
  readonly threads: KernelThreads
  readonly module: Hypervisor
  /** Of form 'switch'. */
  readonly monitor: Monitor
  readonly controller: Controller
  readonly console: HostConsole
  readonly files: FileService
  readonly storage: Storage
  readonly pageStructs: PageStructs
  readonly small: SmallPages
  readonly soft: SoftInterrupts
  readonly network: Network
  readonly programs: HostPrograms
  /** By process: its devices that are in the kernel; none if all are in the process. */
  readonly backends: readonly KernelDevices[]
  readonly devices: readonly PlacedDevice[]
  /** Memory that the host keeps, by what for. */
  readonly memory: readonly { readonly what: string; readonly bytes: number }[]
  /** When a device's driver wants to be called next (ticks): one element. */
  readonly due: Float64Array
  /** Registered state of all of it. */
  readonly state: Readonly<Record<string, StateRecord>>
}

export function makePlan(treeBytes: Uint8Array, code: KernelCode, programImages: readonly ProgramImage[] = []): Plan {
  const tree = decodeFdt(treeBytes)
  const nodes = guestsOf(tree)
  const policy = hostPolicyOf(tree)
  checkRoom(nodes)
  const harts = hartsOf(tree)
  const dedication = dedicationOf(nodes, harts, policy.dedicated)
  // No entry has run yet: whoever asks for the hart before has made a mistake, and gets an error.
  const current = { port: undefined as unknown as HartPort }

  const images = nodes.map(node => imagesOf(node, TICKS_PER_MICROSECOND * 1_000_000))
  const taken = new Set(images.flatMap(({ donated }) => donated.map(({ page }) => page)))
  const { pages, total } = freePages(tree, KERNEL_BASE + KERNEL_BYTES, taken)
  const cache = new PageCache(takeLarge(pages, CACHE_PAGES * CACHE_PAGE, 'page cache'))
  const ram = total * LARGE_PAGE
  const pageStructs = new PageStructs(takeLarge(pages, pageStructBytes(ram), 'records of pages'), RAM_BASE, ram)
  const memory = memoryTaken(ram)
  const pool = pagePool(nodes.length)
  const firstPage = pool.base + pagesLeftOut(tree) * SMALL_PAGE
  const free = new FreeMemory(inPageOrder(tree, pages), firstPage, pool.end, total)
  const small = new SmallPages(free, pageStructs, smallPageOrder(tree, IN_A_LARGE))
  const pageBytes = policy.pages === 'small' ? SMALL_PAGE : LARGE_PAGE

  const giver: { monitor: Monitor | undefined } = { monitor: undefined }
  let nextVcpu = 0
  let nextTask = 0
  const processes = nodes.map((node, index) => {
    const space = new AddressSpace(free, small, index + 1, node.memoryBytes, pageBytes)
    const ram = new GuestRam(
      node.memoryBytes,
      rootOf(index),
      policy.form === 'switch' ? port => giver.monitor!.given(port) : (port, guest) => space.pageOfGuest(port, guest),
      port => free.takeTable(port),
      { mapped: pageBytes, given: pageBytes },
    )
    const vcpus = Array.from(
      { length: node.vcpus },
      (_, vcpu) => new Vcpu(vcpu, node.harts[vcpu] ?? NOWHERE, vcpuFrameOf(nextVcpu + vcpu)),
    )
    const process = new Process(new VirtualMachine(index, node.label, ram, vcpus), node, space, nextVcpu, nextTask)
    nextVcpu += node.vcpus
    nextTask += node.vcpus + 1
    return process
  })
  const vcpus = processes.flatMap(({ vm }) => vm.vcpus)
  const tasks = processes.flatMap(process => [
    ...process.vm.vcpus.map(
      ({ index, pin }) => new Task(process.firstTask + index, process, process.firstVcpu + index, pin),
    ),
    new Task(process.ioTask, process, NOWHERE, NOWHERE),
  ])
  const soft = new SoftInterrupts(harts)

  // Devices are looked after first of all.
  const due = new Float64Array(1)
  const now = () => current.port.read(time) / TICKS_PER_MICROSECOND
  const wakeAt = (microseconds: number) => {
    due[0] = Math.min(due[0], microseconds * TICKS_PER_MICROSECOND)
  }
  let drivers = 0
  const place = (name: string, registers: number, interrupts: readonly ((masked: boolean) => void)[] = []) =>
    new PortEnvironment({ current, name, registers, dma: dmaRegion(drivers++), interrupts, now, wakeAt })

  const plicEnvironment = place('plic', windowOf(tree, 'riscv,plic0').base)
  const plic = plicDriver(plicEnvironment, { context: CONTEXT + 2 * dedication.housekeeping, sources: PLIC_SOURCES })
  const controller: Controller = {
    start: () => {
      plic.start()
      plic.threshold(0)
    },
    enable: source => plic.enable(source, 1),
    claim: () => plic.claim(),
    complete: source => plic.complete(source),
  }

  const uart = windowOf(tree, 'ns16550a')
  const uartEnvironment = place('uart', uart.base, [() => {}])
  const serial = new SerialConsole(
    current,
    uartEnvironment,
    uartDriver(uartEnvironment),
    fdtCells(uart.node, 'interrupts')[0],
    nodes.map(({ label }) => label),
  )
  for (const process of processes) {
    serial.of(process.vm.index).attach((port, byte) => {
      process.hear(byte)
      scheduler.wake(port, tasks[process.ioTask])
    })
  }
  const console = new HostConsole(serial, due)

  const bus = pcieBus(place('pcie', windowOf(tree, 'pci-host-ecam-generic').base))
  const diskEnvironment = place('nvme', DISK_REGISTERS, [masked => storage.disk.mask(masked)])
  const storage = makeStorage({
    current,
    environment: diskEnvironment,
    bus,
    controller: plic,
    window: DISK_REGISTERS,
    soft,
    harts,
    cache,
    free,
  })
  const { disk, fileSystem, reader, writeBack, journal } = storage
  const table = new ForwardingTable()
  const own = kernelThreads(tasks.length, { harts, quiet: dedication.quiet, soft, writeBack, journal, table })
  const backends: KernelDevices[] = []
  const workers = (policy.backend === 'kernel' ? processes : []).map((process, index) => {
    process.waiter = tasks.length + own.all.length + index
    return new KernelThread(
      'kernel backend',
      process.waiter,
      port => backends[index].work(port),
      NOWHERE,
      ASLEEP,
      process,
    )
  })
  const threads: KernelThreads = { ...own, all: [...own.all, ...workers] }
  const ofPrograms = programThreads(tasks.length + threads.all.length, dedication.housekeeping)
  const scheduler = new Scheduler([...tasks, ...threads.all, ...ofPrograms], harts, dedication)
  writeBack.attach((port, when) => callThread(port, scheduler, threads.flusher, when))
  journal.attachThread((port, when) => callThread(port, scheduler, threads.committer, when))
  soft.attachThread(port => scheduler.wake(port, threads.softThreads[port.hart]))
  soft.attach(SOFT_SCHED, port => scheduler.balance(port))
  const direct = new DirectRequests(
    policy.io === 'direct',
    processes.length,
    DISK_TAGS,
    ofPrograms.length,
    fileSystem,
    disk,
    pageStructs,
  )
  const files = new FileService(processes, scheduler, cache, reader, disk, writeBack, journal, direct)

  const network: Network = makeNetwork({
    current,
    environment: place('nic', NIC_REGISTERS, [masked => network.device.mask(masked)]),
    bus,
    controller: plic,
    window: NIC_REGISTERS,
    soft,
    processes,
    scheduler,
    table,
  })
  const programs = makePrograms({
    images: programImages,
    threads: ofPrograms,
    firstSpace: processes.length,
    firstRequest: processes.length * DISK_TAGS,
    scheduler,
    storage,
    direct,
    stack: network.stack,
    free,
    small,
  })
  files.attachReaders(port => programs.files.wake(port))
  const has = (what: 'disk' | 'network') => programImages.length > 0 || nodes.some(node => node[what])
  const devices = [serial, ...(has('disk') ? [disk] : []), ...(has('network') ? [network.device] : [])]

  const runners = tasks.filter(({ vcpu }) => vcpu !== NOWHERE)
  const pending = vcpus.map(() => ({ ...memoryAccess(), address: 0, window: 0 }))
  const monitor = new Monitor(
    vcpus,
    processes.flatMap(({ vm }) => vm.vcpus.map(() => vm)),
    pending,
    harts,
    code,
  )
  giver.monitor = monitor
  const monitorSpace = new AddressSpace(free, small, MONITOR_SPACE, 0, LARGE_PAGE)
  const module: Hypervisor =
    policy.form === 'switch'
      ? new MonitorDriver(runners, vcpus, monitor, monitorSpace, free, scheduler, console, code, backends)
      : new HypervisorModule(runners, vcpus, pending, scheduler, console, harts, code, backends)
  if (policy.backend === 'kernel')
    backends.push(
      ...processes.map(process => {
        const externals = process.vm.vcpus.map(vcpu => ({
          set: (port: HartPort, level: boolean) => module.interrupt(port, vcpu, level),
        }))
        return new KernelDevices(process, externals, files, network.taps, scheduler)
      }),
    )

  const kernelSpace = new AddressSpace(free, small, 0, 0, LARGE_PAGE)
  const state = together([
    { due, free: free.record, small: small.record, clean: free.clean, dirty: free.dirty },
    { kernelSpace: kernelSpace.record, pageStructs: pageStructs.record },
    schedulerState(scheduler),
    module.state,
    plicEnvironment.registered,
    serial.state,
    storage.state,
    files.state,
    direct.state,
    soft.state,
    ...backends.map(backend => backend.state),
    network.state,
    programs.state,
  ])
  processes.forEach(({ vm, record, space, input }, index) => {
    Object.assign(state, {
      [`vm ${index}`]: vm.record,
      [`crash ${index}`]: vm.crashCode,
      [`pages ${index}`]: vm.ram.pages,
      [`process ${index}`]: record,
      [`space ${index}`]: space.record,
      [`input ${index}`]: input,
    })
  })
  scheduler.tasks.forEach(({ record }, index) => Object.assign(state, { [`task ${index}`]: record }))
  vcpus.forEach(({ record }, index) =>
    Object.assign(state, { [`vcpu ${index}`]: record, [`pending ${index}`]: pending[index] }),
  )
  return {
    policy,
    harts,
    current,
    processes,
    images,
    free,
    kernelSpace,
    idleFrame: taskFrameOf(IDLE),
    scheduler,
    module,
    monitor,
    controller,
    console,
    files,
    storage,
    tasks,
    threads,
    pageStructs,
    small,
    soft,
    network,
    programs,
    backends,
    devices,
    memory,
    due,
    state,
  }
}

function checkRoom(nodes: readonly GuestNode[]): void {
  if (nodes.length > MOST_PROCESSES)
    throw new Error(`${nodes.length} guests: the hosted configuration has room for ${MOST_PROCESSES}`)
  for (const { label, vcpus } of nodes) {
    if (vcpus > MOST_VCPUS_OF_A_GUEST)
      throw new Error(
        `guest ${label} has ${vcpus} vCPUs: the hosted configuration has room for ${MOST_VCPUS_OF_A_GUEST}`,
      )
  }
  const vcpus = nodes.reduce((sum, node) => sum + node.vcpus, 0)
  if (vcpus > MOST_VCPUS) throw new Error(`${vcpus} vCPUs in all: the hosted configuration has room for ${MOST_VCPUS}`)
}

/** Takes memory of the kernel's own from the free pages: the lowest, which must lie together. Returns its address. */
function takeLarge(pages: number[], bytes: number, what: string): number {
  const count = Math.ceil(bytes / LARGE_PAGE)
  const taken = pages.splice(Math.max(0, pages.length - count)).reverse()
  const [first] = taken
  if (taken.length < count || taken.some((page, index) => page !== first + index * LARGE_PAGE)) {
    throw new Error(
      `no ${count * (LARGE_PAGE / 2 ** 20)} MiB in one piece for the host's ${what}: give more RAM, or load images higher`,
    )
  }
  return first
}

/** What guests cannot have of the machine's RAM. */
function memoryTaken(ram: number): Plan['memory'] {
  const whole = (bytes: number) => Math.ceil(bytes / LARGE_PAGE) * LARGE_PAGE
  return [
    { what: 'firmware', bytes: KERNEL_BASE - RAM_BASE },
    { what: 'kernel: image, tables, DMA memory, page tables', bytes: KERNEL_BYTES },
    { what: 'page cache', bytes: whole(CACHE_PAGES * CACHE_PAGE) },
    { what: 'records of pages', bytes: whole(pageStructBytes(ram)) },
  ]
}

/** All parts' state; two that call theirs the same would lose one. */
function together(parts: readonly Readonly<Record<string, StateRecord>>[]): Record<string, StateRecord> {
  const all: Record<string, StateRecord> = {}
  for (const part of parts) {
    for (const [name, record] of Object.entries(part)) {
      if (all[name] !== undefined) throw new Error(`two parts of the host's kernel have state called ${name}`)
      all[name] = record
    }
  }
  return all
}

function schedulerState(scheduler: Scheduler): Record<string, StateRecord> {
  const { current, wanted, ticks, since, kicks, timers, evening, queues, caps } = scheduler
  const { pages, least } = queues
  return { current, wanted, ticks, since, kicks, timers, evening, queues: pages, least, caps: caps.record }
}
