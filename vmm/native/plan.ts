/** What the VMM makes of the machine's device tree: guests, where everything lies, drivers in their places. Set-up. */
import { pcieBus } from '../../drivers/pcie.ts'
import { type CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import { uartDriver } from '../../drivers/uart.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { decodeFdt, fdtCompatible } from '../../hw/spec/layouts/fdt.ts'
import { type GuestNode, guestsOf } from '../../hw/spec/layouts/guest-node.ts'
import { inPageOrder, pagesLeftOut } from '../../hw/spec/layouts/page-order.ts'
import { hostPolicyOf } from '../../hw/spec/layouts/host-policy.ts'
import { placementsOf } from '../../hw/spec/layouts/placement.ts'
import { attachDevices, type OptionalDevices } from '../core/devices.ts'
import { LARGE_PAGE, SMALL_PAGE } from '../core/g-stage.ts'
import { GuestRam } from '../core/guest-ram.ts'
import { behindImages, imagesOf } from '../core/guest-images.ts'
import type { Host } from '../core/host.ts'
import { freePages, hartsOf, windowOf } from '../core/machine-tree.ts'
import { NOWHERE, Vcpu, VSEIP } from '../core/vcpu.ts'
import { VirtualMachine } from '../core/virtual-machine.ts'
import type { BlockBackend, VirtualLine } from '../virtual/chip.ts'
import { FreeMemory } from '../core/free-memory.ts'
import { virtualCables } from '../core/virtual-cable.ts'
import { type Controller, makeController } from './controllers.ts'
import { type DmaGuard, guardedBus, OWN_DOMAINS } from './dma-guard.ts'
import type { Ground, PlannedGuest } from './ground.ts'
import { GuestFiles } from './guest-files.ts'
import { IOMMU, makeGuard } from './guarding.ts'
import { guardedLoans, UNGUARDED } from './loans.ts'
import { dmaRegion, frameOf, rootOf, tablePool, VMM_BASE, VMM_BYTES } from './layout.ts'
import type { PlacedDevice } from '../core/placed-device.ts'
import { assignmentsOf, isVirtual, ownOf } from './passthrough/assignment.ts'
import { ownDevicesOf, passFunctions } from './passthrough/index.ts'
import type { PassedFunction } from './passthrough/passed-function.ts'
import { OwnHarts } from './own-harts.ts'
import { DomainKeeper } from './placed/domain/vmm-side-keeper.ts'
import { joinDomains, ringsOf } from './placed/domain/vmm-side-rings.ts'
import { placeServices } from './placed/index.ts'
import type { PolledDevice } from './placed/polled-device.ts'
import { Servers } from './placed/server/vmm-side-servers.ts'
import type { PlacedServer } from './placed/service.ts'
import { Scheduler } from './scheduler.ts'
import { timeSlotsOf, type TimeSlots } from './time-slots.ts'
import { SerialConsole } from '../core/serial-console.ts'

/** The UART's PLIC source and the root bus's first: the tree says so too. */
const TICKS_PER_MICROSECOND = 10
/** Bytes for the longest frame, and before it. */
const FRAME_ROOM = 2048
const FRAME_ALIGNMENT = 8

export interface Plan {
  readonly harts: number
  readonly current: CurrentPort
  /** Who handles exits: the VMM sets itself here when it is made. */
  readonly host: { vmm: Host | undefined }
  readonly guests: readonly PlannedGuest[]
  readonly vms: readonly VirtualMachine[]
  readonly vcpus: readonly Vcpu[]
  /** By vCPU: the index of its machine. */
  readonly owner: Int32Array
  readonly free: FreeMemory
  /** Guests whose memory others may have when they have ended. */
  readonly heritable: readonly VirtualMachine[]
  readonly scheduler: Scheduler
  /** Where time is protected; else harts are shared by need. */
  readonly slots: TimeSlots | undefined
  readonly controller: Controller
  readonly console: SerialConsole
  readonly devices: readonly PlacedDevice[]
  /** Of the machine's memory, if there is an IOMMU. */
  readonly guard: DmaGuard | undefined
  /** Guest interrupt files, if a guest takes messages; and whether the machine has any. */
  readonly files: GuestFiles | undefined
  readonly hasFiles: boolean
  /** Those of the devices that interrupt nobody. */
  readonly polled: readonly PolledDevice[]
  /** Harts on which the VMM's own drivers are alone, if there are any. */
  readonly own: OwnHarts | undefined
  /** Drivers in user mode, if there are any. */
  readonly servers: Servers | undefined
  /** Who has driver domains begin anew, if there are any. */
  readonly keeper: DomainKeeper | undefined
  /** Functions that guests drive. */
  readonly passed: readonly PassedFunction[]
  /** Registered state of the drivers and of what is built on them. */
  readonly state: Readonly<Record<string, StateRecord>>
}

export function makePlan(treeBytes: Uint8Array): Plan {
  const tree = decodeFdt(treeBytes)
  const nodes = guestsOf(tree)
  const harts = hartsOf(tree)
  // No entry has run yet: whoever asks for the hart before has made a mistake, and gets an error.
  const current = { port: undefined as unknown as HartPort }

  const placements = placementsOf(tree)
  const assignments = assignmentsOf(nodes, placements)
  const images = nodes.map((node, index) => ({
    node,
    images: imagesOf(node, TICKS_PER_MICROSECOND * 1_000_000, ownOf(assignments, index), ringsOf(node, placements)),
  }))
  const taken = new Set(images.flatMap(({ images: { donated } }) => donated.map(({ page }) => page)))
  const { pages, total } = freePages(tree, VMM_BASE + VMM_BYTES, taken)
  const hasGuard = fdtCompatible(tree.root, IOMMU).length > 0
  const pool = tablePool(nodes.length + (hasGuard ? OWN_DOMAINS : 0))
  const firstTable = pool.base + pagesLeftOut(tree) * SMALL_PAGE
  const rests = behindImages(images.map(({ images: own }) => own))
  const free = new FreeMemory(inPageOrder(tree, pages), firstTable, pool.end, total, rests)
  const takePage = () => free.takePage()
  const takeTable = (port: HartPort) => free.takeTable(port)

  const now = () => current.port.read(time) / TICKS_PER_MICROSECOND
  let drivers = 0
  const place = (name: string, registers: number, interrupts: readonly ((masked: boolean) => void)[] = []) =>
    new PortEnvironment({ current, name, registers, dma: dmaRegion(drivers++), interrupts, now, wakeAt: () => {} })
  const machine = makeController(tree, current, place)
  const { messages } = machine
  const guard = hasGuard ? makeGuard(tree, { current, now, vms: nodes.length, takeTable, messages }) : undefined

  let nextFrame = 0
  const guests = images.map(({ node, images: own }, index): PlannedGuest => {
    const give = guard && ((port: HartPort) => guard.give(port, index, free.takePage()))
    const ram = new GuestRam(node.memoryBytes, rootOf(index), give ?? takePage, takeTable, {
      mapped: hostPolicyOf(tree).pages === 'small' ? SMALL_PAGE : LARGE_PAGE,
      given: LARGE_PAGE,
    })
    const vcpus = Array.from(
      { length: node.vcpus },
      (_, vcpu) => new Vcpu(vcpu, node.harts[vcpu] ?? NOWHERE, frameOf(nextFrame++)),
    )
    return { vm: new VirtualMachine(index, node.label, ram, vcpus), node, ...own }
  })
  const vms = guests.map(({ vm }) => vm)
  const vcpus = vms.flatMap(vm => vm.vcpus)
  const owner = Int32Array.from(vms.flatMap(vm => vm.vcpus.map(() => vm.index)))
  const shares = guests.flatMap(({ vm, node }) => vm.vcpus.map(() => ({ weight: node.weight, cap: node.cap })))
  const scheduler = new Scheduler(vcpus, shares, harts)
  const slots = timeSlotsOf(tree, harts, vcpus.length)
  // Drivers that guests share are in nobody's slot.
  for (const vm of vms) vm.later.deferred = slots !== undefined
  const gated = (vm: VirtualMachine, backend: BlockBackend) => slots?.gate(vm, backend) ?? backend
  const taking = vms.filter(vm => ownOf(assignments, vm.index)?.interrupts === 'messages')
  const files = taking.length > 0 ? new GuestFiles(vcpus, taking, machine.files()) : undefined

  const uart = windowOf(tree, 'ns16550a')
  const uartSource = new DataView(uart.node.properties.get('interrupts')!.slice().buffer).getUint32(0)
  const uartEnvironment = place('uart', uart.base, [() => {}])
  const console = new SerialConsole(
    current,
    uartEnvironment,
    uartDriver(uartEnvironment),
    uartSource,
    nodes.map(node => node.label),
  )
  if (slots) console.defer()
  const host: { vmm: Host | undefined } = { vmm: undefined }
  const ecam = windowOf(tree, 'pci-host-ecam-generic').base
  const bus = machine.bus(pcieBus(place('pcie', ecam)), ecam)
  const served: { all: Servers | undefined } = { all: undefined }
  const ground: Ground = {
    tree,
    current,
    host,
    guests,
    bus: guard ? guardedBus(bus, guard) : bus,
    ecam,
    controller: machine.device,
    environment: (name, registers, interrupts) => {
      guard?.own(registers, dmaRegion(drivers))
      return place(name, registers, interrupts)
    },
    region: registers => {
      const dma = dmaRegion(drivers++)
      guard?.own(registers, dma)
      return dma
    },
    environmentIn: (name, registers, dma, interrupts = []) =>
      new PortEnvironment({ current, name, registers, dma, interrupts, now, wakeAt: () => {} }),
    loans: registers => (guard ? guardedLoans(guard, registers) : UNGUARDED),
    takeTable,
    harts,
    servers: served,
    serve: (registers, guest) => guard?.serve(registers, guest),
  }
  const { disk, network } = placeServices(ground, placements)
  const cables = virtualCables(nodes, cableBuffers(nodes, place))
  const { functions } = network
  const passed = passFunctions({ guests, assignments, guard, current, ecam, takeTable, files, functions })
  const inServers = [disk, network].flatMap(({ server, devices }) => (server && devices.length > 0 ? [server] : []))
  const threads = inServers.map(({ thread }) => thread)
  const servers = threads.length > 0 ? new Servers(threads, harts) : undefined
  served.all = servers
  const polled = [disk, network].flatMap(service => service.polled ?? [])
  const ownHarts = [disk, network].flatMap(({ hart }) => hart ?? [])
  const own = ownHarts.length > 0 ? new OwnHarts(ownHarts, harts) : undefined
  for (const { home } of polled) scheduler.share(home)
  if (threads.some(({ parts }) => parts.polls && parts.hart === NOWHERE)) scheduler.share(0)
  const devices = guests.map(guest => {
    const { vm, node } = guest
    const externals = vm.vcpus.map(vcpu => externalInterrupt(host, vcpu))
    const own = ownDevicesOf(passed, guest, taking.includes(vm) ? files : undefined)
    const optional: OptionalDevices = {
      ...(own && { own }),
      ...(node.disk &&
        isVirtual(placements.disk) && {
          disk: { backend: gated(vm, disk.partition(guest, node.disk)), sectors: node.disk.sectors },
        }),
      ...(node.network &&
        isVirtual(placements.network) && {
          network: { backend: network.plug(guest, node.network), mac: node.network.mac },
        }),
      cables: cables.plugs[vm.index],
    }
    const finished = (port: HartPort, code: number) => host.vmm!.end(port, vm, vm.vcpus[0], false, code)
    return attachDevices(vm, externals, console.of(vm.index), finished, optional)
  })
  const isReachedByVmmAlone = ({ vm, node }: PlannedGuest): boolean =>
    ownOf(assignments, vm.index) === undefined && ringsOf(node, placements).length === 0
  const rings = joinDomains(
    guests,
    placements,
    devices.map(({ lines }) => lines),
    guard,
    takeTable,
  )
  const { domains } = rings
  const chips = devices.map(({ state }) => state)
  const keeper =
    domains.length > 0
      ? new DomainKeeper({ domains, chips, passed, free, host, plan: { slots, scheduler, owner } })
      : undefined
  return {
    harts,
    current,
    host,
    guests,
    vms,
    vcpus,
    owner,
    free,
    // With time protected each guest has its memory from the start, and for good: where a page lies is never news.
    heritable: slots ? [] : guests.filter(guest => isReachedByVmmAlone(guest)).map(({ vm }) => vm),
    scheduler,
    slots,
    controller: servers ? holdingBack(machine.controller, inServers) : machine.controller,
    console,
    devices: [
      ...(guard ? [guard] : []),
      console,
      ...disk.devices,
      ...network.devices,
      ...passed,
      ...(servers ? [servers] : []),
      ...(keeper ? [keeper] : []),
    ],
    guard,
    polled,
    own,
    servers,
    keeper,
    passed,
    files,
    hasFiles: machine.messages !== 0,
    state: Object.assign(
      { ...machine.state, ...console.state, ...disk.state, ...network.state, ...cables.state, ...slots?.state() },
      ...devices.map(({ state }) => state),
      guard?.state ?? {},
      rings.state,
      keeper?.state ?? {},
      servers?.state ?? {},
      ...passed.map(({ state }) => state),
    ) as Record<string, StateRecord>,
  }
}

/** Memory for a frame on its way, at each end of each cable: none is set aside where there are none. Set-up. */
function cableBuffers(nodes: readonly GuestNode[], place: (name: string, registers: number) => PortEnvironment) {
  if (nodes.every(({ cables = [] }) => cables.length === 0)) return () => 0
  const { dma } = place('cables', 0)
  return () => dma.allocate(FRAME_ROOM).device + FRAME_ALIGNMENT
}

/** A vCPU's external interrupt, as a wire from its PLIC. */
function externalInterrupt(host: { vmm: Host | undefined }, vcpu: Vcpu): VirtualLine {
  return {
    set: (port, level) => {
      const elsewhere = level ? vcpu.raise(port, VSEIP) : vcpu.lower(port, VSEIP)
      if (elsewhere) host.vmm!.kick(port, vcpu)
    },
  }
}

/** An interrupt that a server has is completed when the server has handled it: until then it does not come again. Set-up. */
function holdingBack(controller: Controller, servers: readonly PlacedServer[]): Controller {
  return {
    ...controller,
    complete: source => {
      for (let index = 0; index < servers.length; index++) if (servers[index].holds(source)) return
      controller.complete(source)
    },
  }
}
