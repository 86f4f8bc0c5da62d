/** The driver of disks, or of the network card, in a server of its own: a process in user mode, which has that device. Set-up. */
import { NIC_DEVICE, NIC_VENDOR } from '../../../hw/spec/devices/nic.ts'
import { nicConfigOf, nvmeConfigOf } from '../../../drivers/placement-config.ts'
import { type DriverPlacement, isPolled } from '../../../hw/spec/layouts/placement.ts'
import { NetworkCard, NETWORK_DEPTH } from '../../core/network-card.ts'
import { NOWHERE } from '../../core/vcpu.ts'
import { VirtualSwitch } from '../../core/virtual-switch.ts'
import { NativeDisk } from '../disk.ts'
import type { Ground } from '../ground.ts'
import { dmaRegion, serverTextOf, SPARE_REGION } from '../layout.ts'
import { checkOptions, checkOwnHart, type PlacedKind } from './options.ts'
import { quiet } from './polled-device.ts'
import { cardWork } from './server/card-process.ts'
import { diskWork } from './server/disk-process.ts'
import { type ServerGround, serverGround, serverSoftware, type ServerWork } from './server/process.ts'
import { serverProgram } from './server/text.ts'
import { FRAME_BYTES, servedCard } from './server/vmm-side-card.ts'
import type { ServedDevice } from './server/vmm-side-device.ts'
import { COPIED_BYTES, servedDisk } from './server/vmm-side-disk.ts'
import { ServerThread } from './server/vmm-side-thread.ts'
import type { DiskService, NetworkService } from './service.ts'

/** Where the VMM puts their registers: in the root bus's window for 32-bit addresses; and how much of them the server has. */
const DISK_REGISTERS = { base: 0x4000_0000, bytes: 0x2000 }
const CARD_REGISTERS = { base: 0x4010_0000, bytes: 0x2_0000 }
/** Mass storage, non-volatile memory, NVM Express. */
const NVME_CLASS = 0x01_08_02
const SECTOR = 512
/** Of a region of DMA memory: the driver's own part. */
const DRIVER_BYTES = 0x2_0000

interface Described {
  readonly name: PlacedKind
  readonly index: number
  readonly registers: { readonly base: number; readonly bytes: number }
  /** What else than the driver's memory the server sees: bytes. */
  readonly seen: number
  readonly hart: number | undefined
  readonly place: ServerGround
  readonly work: ServerWork
}

function threadOf(ground: Ground, region: { base: number }, described: Described): ServerThread {
  const { name, index, registers, seen, hart, place, work } = described
  if (hart !== undefined) checkOwnHart(name, hart, ground)
  const text = serverTextOf(index)
  const program = serverProgram(text)
  return new ServerThread({
    name,
    program,
    software: serverSoftware(`${name} server`, program, place, work),
    text,
    asid: index + 1,
    registers,
    memory: { base: region.base, bytes: DRIVER_BYTES + seen },
    hart: hart ?? NOWHERE,
    polls: place.polls,
    takeTable: ground.takeTable,
  })
}

export function serverDisk(ground: Ground, placement: DriverPlacement): DiskService {
  const { current, guests, bus, controller, servers } = ground
  const { base } = DISK_REGISTERS
  const { depth } = placement
  checkOptions('disk', placement, ['service', 'coalescing', 'depth', 'queues', 'hart', 'transfer'])
  const copies = placement.transfer === 'copy'
  const region = ground.region(base)
  const place = serverGround({ device: region.base, bytes: DRIVER_BYTES }, placement)
  const thread = threadOf(ground, region, {
    name: 'disk',
    index: 0,
    registers: DISK_REGISTERS,
    seen: copies ? depth * COPIED_BYTES : 0,
    hart: placement.hart,
    place,
    work: diskWork(place.environment, nvmeConfigOf(placement)),
  })
  const rest = { base: region.base + DRIVER_BYTES, device: region.base + DRIVER_BYTES, bytes: 0 }
  const own = ground.environmentIn('nvme', base, rest, [masked => disk.mask(masked)])
  const served: ServedDevice = {
    environment: own,
    thread,
    bus,
    find: () => bus.findClass(NVME_CLASS),
    registers: base,
    complete: () => controller.complete(wire.source),
    wake: () => servers.all!.wake(current.port, thread),
  }
  const driver = servedDisk({
    ...served,
    current,
    depth,
    loans: copies ? undefined : ground.loans(base),
    copies: rest.base,
  })
  const partitions = guests.filter(({ node }) => node.disk).length
  const most = copies ? COPIED_BYTES / SECTOR : undefined
  const disk: NativeDisk = new NativeDisk(current, own, driver, bus, controller, base, partitions, most)
  const wire = disk.state['disk'] as { readonly source: number }
  return {
    devices: partitions > 0 ? [isPolled(placement) ? quiet(disk) : disk] : [],
    state: { ...disk.state, ...driver.state },
    server: { thread, holds: source => source === wire.source && driver.life.holds() },
    partition: ({ vm }, range) => disk.partition(range, vm.ram),
  }
}

export function serverNetwork(ground: Ground, placement: DriverPlacement): NetworkService {
  const { current, guests, bus, controller, servers } = ground
  const { base } = CARD_REGISTERS
  checkOptions('network card', placement, ['service', 'coalescing', 'queues', 'hart', 'transfer'])
  const copies = placement.transfer === 'copy'
  const region = ground.region(base)
  const place = serverGround({ device: region.base, bytes: DRIVER_BYTES }, placement)
  const thread = threadOf(ground, region, {
    name: 'network card',
    index: 1,
    registers: CARD_REGISTERS,
    seen: copies ? 2 * NETWORK_DEPTH * FRAME_BYTES : 0,
    hart: placement.hart,
    place,
    work: cardWork(place.environment, { ...nicConfigOf(placement, NETWORK_DEPTH), promiscuous: true }),
  })
  const rest = {
    base: region.base + DRIVER_BYTES,
    device: region.base + DRIVER_BYTES,
    bytes: region.bytes - DRIVER_BYTES,
  }
  // Frames that are copied are looked at where the server does not see them.
  const frames = copies ? dmaRegion(SPARE_REGION) : rest
  const own = ground.environmentIn('nic', base, frames, [masked => card.mask(masked)])
  const served: ServedDevice = {
    environment: own,
    thread,
    bus,
    find: () => bus.find(NIC_VENDOR, NIC_DEVICE),
    registers: base,
    complete: () => controller.complete(wire.source),
    wake: () => servers.all!.wake(current.port, thread),
  }
  const driver = servedCard({ ...served, depth: NETWORK_DEPTH, copies: copies ? rest.base : 0 })
  const virtualSwitch = new VirtualSwitch()
  const card: NetworkCard = new NetworkCard(current, own, driver, bus, controller, base, virtualSwitch)
  virtualSwitch.connect(card)
  const wire = card.state['network'] as { readonly source: number }
  return {
    devices: guests.some(({ node }) => node.network) ? [isPolled(placement) ? quiet(card) : card] : [],
    state: { ...card.state, ...driver.state, ...virtualSwitch.state },
    server: { thread, holds: source => source === wire.source && driver.life.holds() },
    plug: (_guest, { mac, vlan }) => virtualSwitch.plug(mac, vlan),
  }
}
