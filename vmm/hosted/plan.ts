/** What the host makes of the machine's device tree: processes, threads, where everything lies, drivers in their places. Set-up. */
import { pcieBus } from '../../drivers/pcie.ts'
import { type CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { decodeFdt } from '../../hw/spec/layouts/fdt.ts'
import { guestsOf } from '../../hw/spec/layouts/guest-node.ts'
import { type HostPolicy, hostPolicyOf } from '../../hw/spec/layouts/host-policy.ts'
import { FreeMemory } from '../core/free-memory.ts'
import { type GuestImages, imagesOf } from '../core/guest-images.ts'
import { LARGE_PAGE } from '../core/g-stage.ts'
import { hartsOf, windowOf } from '../core/machine-tree.ts'
import type { PlacedDevice } from '../core/placed-device.ts'
import { AddressSpace } from './address-space.ts'
import { FileService } from './file-service.ts'
import { dedicationOf } from './dedication.ts'
import { DirectRequests } from './files/direct-requests.ts'
import { makeStorage, type Storage } from './files/storage.ts'
import { HostConsole } from './host-console.ts'
import type { Hypervisor } from './hypervisor.ts'
import { Events } from './hypervisor/events.ts'
import { IoBuses } from './hypervisor/io-buses.ts'
import type { KernelCode } from './image.ts'
import { InterruptLines } from './interrupts/lines.ts'
import { KernelDevices } from './kernel-devices.ts'
import { type KernelThreads } from './kernel-threads.ts'
import { dmaRegion, taskFrameOf } from './layout.ts'
import { ForwardingTable } from './network/forwarding-table.ts'
import { makeNetwork, type Network } from './network/network.ts'
import type { AnonymousMemory } from './memory/anonymous.ts'
import type { DeviceMemory } from './memory/device-memory.ts'
import type { GuestFences } from './memory/guest-fences.ts'
import type { MemoryGroups } from './memory/groups.ts'
import { Monitor } from './monitor.ts'
import { PageStructs } from './page-structs.ts'
import { type Controller, makeChips } from './plan-chips.ts'
import { makeHypervisor } from './plan-hypervisor.ts'
import { connectMemory, divideMemory, type MemoryKept } from './plan-memory.ts'
import { checkRoom, makeProcesses, threadsOf } from './plan-processes.ts'
import { makeThreads } from './plan-threads.ts'
import { stateOf } from './plan-state.ts'
import { Process } from './process.ts'
import type { ProgramImage } from './programs/elf.ts'
import { type HostPrograms, makePrograms } from './programs/host-programs.ts'
import { IDLE, Scheduler } from './scheduler.ts'
import { SoftInterrupts } from './soft-interrupts.ts'
import { DISK_TAGS } from './system-calls.ts'
import { SmallPages } from './small-pages.ts'
import { ReadCopyUpdate } from './sync/read-copy-update.ts'
import { Task } from './task.ts'

const TICKS_PER_MICROSECOND = 10
/** The number of the kernel's own address space. */
const KERNEL_SPACE = -1
/** Where the kernel puts the registers of its PCIe devices: in the root bus's window for 32-bit addresses. */
const DISK_REGISTERS = 0x4000_0000
const NIC_REGISTERS = 0x4010_0000

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
  readonly rcu: ReadCopyUpdate
  readonly buses: IoBuses
  readonly events: Events
  readonly lines: InterruptLines
  readonly controller: Controller
  readonly console: HostConsole
  readonly files: FileService
  readonly storage: Storage
  readonly direct: DirectRequests
  readonly pageStructs: PageStructs
  readonly small: SmallPages
  readonly groups: MemoryGroups
  readonly anonymous: AnonymousMemory
  readonly deviceMemory: DeviceMemory
  readonly fences: GuestFences
  /** Of the machine's memory, in 4 KiB. */
  readonly pages: number
  readonly soft: SoftInterrupts
  readonly network: Network
  readonly programs: HostPrograms
  /** By process: its devices that are in the kernel; none if all are in the process. */
  readonly backends: readonly KernelDevices[]
  readonly devices: readonly PlacedDevice[]
  /** Memory that the host keeps, by what for. */
  readonly memory: readonly MemoryKept[]
  /** When a device's driver wants to be called next (ticks): one element. */
  readonly due: Float64Array
  /** Registered state of all of it. */
  readonly state: Readonly<Record<string, StateRecord>>
}

export function makePlan(treeBytes: Uint8Array, code: KernelCode, programImages: readonly ProgramImage[] = []): Plan {
  const tree = decodeFdt(treeBytes)
  const nodes = guestsOf(tree)
  checkRoom(nodes)
  const policy = hostPolicyOf(tree)
  const harts = hartsOf(tree)
  const dedication = dedicationOf(nodes, harts, policy.dedicated)
  // No entry has run yet: whoever asks for the hart before has made a mistake, and gets an error.
  const current = { port: undefined as unknown as HartPort }

  const images = nodes.map(node => imagesOf(node, TICKS_PER_MICROSECOND * 1_000_000))
  const divided = divideMemory(tree, harts, images)
  const { cache, pageStructs, free, small, areas, groups, users } = divided
  const giver: { monitor: Monitor | undefined } = { monitor: undefined }
  const processes = makeProcesses(nodes, policy, divided, port => giver.monitor!.given(port))
  const tasks = threadsOf(processes)
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
  const { plic, controller, serial, registered } = makeChips(current, tree, place, dedication.housekeeping, nodes)
  for (const process of processes) {
    serial.of(process.vm.index).attach((port, byte) => {
      process.hear(byte)
      scheduler.wake(port, tasks[process.ioTask])
    })
  }
  const console = new HostConsole(serial, due)

  const bus = pcieBus(place('pcie', windowOf(tree, 'pci-host-ecam-generic').base))
  const diskEnvironment = place('nvme', DISK_REGISTERS, [masked => storage.device.mask(masked)])
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
    memory: divided.devices,
  })
  const { disk, fileSystem, reader, writeBack, journal } = storage
  const table = new ForwardingTable()
  const backends: KernelDevices[] = []
  const { rcu, threads, ofPrograms, scheduler } = makeThreads({
    policy,
    processes,
    tasks,
    harts,
    dedication,
    soft,
    writeBack,
    journal,
    table,
    small,
    backends,
  })
  const direct = new DirectRequests(
    policy.io === 'direct',
    processes.length,
    DISK_TAGS,
    ofPrograms.length,
    fileSystem,
    disk,
    users,
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
    memory: divided.devices,
  })
  const lines = new InterruptLines()
  const programs = makePrograms({
    images: programImages,
    threads: ofPrograms,
    firstSpace: processes.length,
    firstRequest: processes.length * DISK_TAGS,
    scheduler,
    storage,
    direct,
    stack: network.stack,
    memory: divided,
    harts,
    packets: network.packets,
    lines,
    vcpus: processes.reduce((sum, { vm }) => sum + vm.vcpus.length, 0),
  })
  network.packets.sockets.attach((port, waiting) => programs.programs.wake(port, waiting))
  connectMemory(
    divided,
    number => programs.programs.tablesOf(number - processes.length),
    port => scheduler.wake(port, threads.reclaimer),
    (port, hart) => scheduler.interrupt(port, hart),
  )
  files.attachReaders(port => programs.files.wake(port))
  const has = (what: 'disk' | 'network') => programImages.length > 0 || nodes.some(node => node[what])
  const devices = [serial, ...(has('disk') ? [storage.device] : []), ...(has('network') ? [network.device] : [])]

  const buses = new IoBuses(processes.length, harts)
  const events = new Events(processes, scheduler)
  const { module, monitor, pending } = makeHypervisor({
    policy,
    code,
    harts,
    tasks,
    processes,
    memory: divided,
    scheduler,
    console,
    backends,
    files,
    taps: network.taps,
    buses,
    events,
    rcu,
  })
  giver.monitor = monitor

  const kernelSpace = new AddressSpace(divided, KERNEL_SPACE, 0, LARGE_PAGE)
  const state = stateOf(
    [
      { due, free: free.record, small: small.record, clean: free.clean, dirty: free.dirty },
      { kernelSpace: kernelSpace.record, pageStructs: pageStructs.record, areas: areas.record },
      module.state,
      registered,
      serial.state,
      storage.state,
      files.state,
      direct.state,
      soft.state,
      ...backends.map(backend => backend.state),
      network.state,
      programs.state,
      { rcu: rcu.record, 'rcu values': rcu.values },
    ],
    processes,
    scheduler,
    pending,
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
    rcu,
    buses,
    events,
    lines,
    controller,
    console,
    files,
    storage,
    direct,
    tasks,
    threads,
    pageStructs,
    small,
    groups,
    anonymous: divided.anonymous,
    deviceMemory: divided.devices,
    fences: divided.fences,
    pages: divided.pages,
    soft,
    network,
    programs,
    backends,
    devices,
    memory: divided.kept,
    due,
    state,
  }
}
