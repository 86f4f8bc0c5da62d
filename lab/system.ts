/** A whole system: a machine, what controls it, and its guests, switched on and ready to run. */
import { virt, type VirtBoard, type VirtNic, type VirtOptions } from '../hw/boards/virt.ts'
import type { Backing } from '../hw/devices/disk-backing.ts'
import { BARE_PARTIES, type Machine, type MachineOptions, type ModeParties } from '../hw/index.ts'
import type { Software } from '../hw/port.ts'
import type { Program } from '../hw/spec/isa/assembler.ts'
import { fdtNode } from '../hw/spec/layouts/fdt.ts'
import { type GuestNode, guestNode } from '../hw/spec/layouts/guest-node.ts'
import { pageOrderNode } from '../hw/spec/layouts/page-order.ts'
import { type HostPolicy, hostPolicyNode } from '../hw/spec/layouts/host-policy.ts'
import { type TimeProtection, timeProtectionNode } from '../hw/spec/layouts/time-protection.ts'
import { type DriverPlacement, placementNode, type Placements } from '../hw/spec/layouts/placement.ts'
import { createHostedVmm, HOSTED_PARTIES, hostedImage } from '../vmm/hosted/index.ts'
import { createNativeVmm, NATIVE_PARTIES, nativePayload } from '../vmm/native/index.ts'
import type { DmaFaults } from '../vmm/core/installed.ts'
import type { VirtualMachine } from '../vmm/core/virtual-machine.ts'
import { type Chance, chanceOf } from './chance.ts'
import { driverDomains } from './driver-domains.ts'
import { guestDisk, hostDisk } from './host-disk.ts'
import { buildMachine } from './machine.ts'

export type Configuration = 'bare' | 'native' | 'hosted'
export const CONFIGURATIONS: readonly Configuration[] = ['bare', 'native', 'hosted']

/** A guest as its VMM will find it, with its images. */
export interface SystemGuest extends Omit<GuestNode, 'kernel' | 'initrd'> {
  readonly kernel: Uint8Array
  readonly initrd?: Uint8Array
  /** TypeScript behind the doors of the kernel image, if it is scripted. */
  readonly scripted?: { readonly software: Software; readonly program: Program }
}

/** Where the native VMM puts drivers, as far as it is not as by default. */
export type PlacementChoice = { readonly [device in keyof Placements]?: Partial<DriverPlacement> }

export interface SystemOptions
  extends Pick<MachineOptions, 'prices' | 'pathLength'>,
    Pick<VirtOptions, 'aia' | 'guestFiles' | 'iommu' | 'plugged' | 'masters'> {
  readonly configuration: Configuration
  readonly harts: number
  readonly ramBytes: number
  readonly guests: readonly SystemGuest[]
  readonly disks?: readonly Backing[]
  readonly nics?: readonly VirtNic[]
  /** Decides all that is left to chance: see chance.ts. 0 unless given: nothing is. */
  readonly seed?: number
  readonly devicePrices?: NonNullable<VirtOptions['devicePrices']>
  /** How the host is set up, where it is not as by default. */
  readonly hostPolicy?: Partial<HostPolicy>
  /** Of the native VMM: as by default unless given. */
  readonly placements?: PlacementChoice
  /** The native VMM keeps slots, and the machine's harts have fence.t for it. */
  readonly timeProtection?: TimeProtection
  readonly output?: (bytes: Uint8Array) => void
}

export interface System {
  readonly machine: Machine
  readonly board: VirtBoard
  /** As the VMM knows them; none on the bare machine, whose guest is not the machine's software's business. */
  readonly guests: readonly VirtualMachine[]
  /** What is installed for the VMM, whose registered state is what it believes; then that of driver domains. */
  readonly software: readonly Software[]
  /** Guests that drive devices for the others. */
  readonly domains: readonly VirtualMachine[]
  /** As the machine has them: in the hosted configuration the first has the host's file system behind it. */
  readonly disks: readonly Backing[]
  /** Requests of devices that an IOMMU has refused, where the VMM has one. */
  readonly dmaFaults?: DmaFaults
}

const LARGE_PAGE = 0x20_0000
/** Guests' images begin here, above what either VMM keeps for itself. */
const FIRST_MODULE = 0x8400_0000
const RAM_BASE = 0x8000_0000

/** Builds it. Throws one line if something does not fit. */
export function buildSystem(options: SystemOptions): System {
  return options.configuration === 'bare' ? bareSystem(options) : hypervisedSystem(options, options.configuration)
}

function bareSystem(options: SystemOptions): System {
  const { harts, ramBytes, guests, disks = [], nics = [], seed = 0 } = options
  const chance = chanceOf(seed, harts)
  const [guest] = guests
  if (!guest || guests.length > 1) throw new Error(`${guests.length} guests on the bare machine: it runs exactly one`)
  const { kernel, initrd, bootargs, scripted } = guest
  const board = virt({
    harts,
    ramBytes,
    kernel,
    append: bootargs,
    disks,
    nics,
    seed,
    timePhase: chance.timePhase,
    ...boardOptions(options),
    ...(initrd && { initrd }),
  })
  const machine = buildMachine(board, machineOptions(options, chance, BARE_PARTIES))
  if (scripted) machine.software.install(scripted.software, scripted.program)
  return { machine, board, guests: [], domains: [], software: [], disks }
}

function machineOptions(
  { prices, pathLength }: SystemOptions,
  { turns }: Chance,
  parties: ModeParties,
): Partial<MachineOptions> {
  return { parties, turns, ...(prices && { prices }), ...(pathLength !== undefined && { pathLength }) }
}

/** What the board has beside harts, RAM and devices. */
function boardOptions({
  aia,
  guestFiles,
  iommu,
  devicePrices,
  output,
  plugged,
  masters,
}: SystemOptions): Partial<VirtOptions> {
  return {
    ...(aia && { aia }),
    ...(guestFiles !== undefined && { guestFiles }),
    ...(iommu !== undefined && { iommu }),
    ...(devicePrices && { devicePrices }),
    ...(output && { output }),
    ...(plugged && { plugged }),
    ...(masters && { masters }),
  }
}

const largePages = (bytes: number) => Math.ceil(bytes / LARGE_PAGE)

/** How far above where guests' images begin at the earliest they begin: chance has the first half of what is left of RAM. */
function imageOffset({ guests, ramBytes }: SystemOptions, { images }: Chance): number {
  const taken = guests.reduce(
    (sum, { kernel, initrd }) => sum + largePages(kernel.length) + largePages(initrd?.length ?? 0),
    0,
  )
  const room = largePages(RAM_BASE + ramBytes - FIRST_MODULE) - taken - 1
  return Math.floor(images * Math.max(1, room / 2)) * LARGE_PAGE
}

function hypervisedSystem(options: SystemOptions, configuration: 'native' | 'hosted'): System {
  const { harts, ramBytes, disks = [], nics = [], seed = 0, hostPolicy, placements, timeProtection } = options
  const domains = configuration === 'native' ? driverDomains(placements, options.guests) : []
  const guests = [...options.guests, ...domains]
  const chance = chanceOf(seed, harts)
  let at = FIRST_MODULE + imageOffset(options, chance)
  const modules: { address: number; bytes: Uint8Array }[] = []
  const place = (bytes: Uint8Array) => {
    const image = { address: at, bytes: bytes.length }
    modules.push({ address: at, bytes })
    at += largePages(bytes.length) * LARGE_PAGE
    return image
  }
  const placed = guests.map(({ kernel, initrd, scripted, ...node }) => ({
    scripted,
    node: { ...node, kernel: place(kernel), ...(initrd && { initrd: place(initrd) }) },
  }))
  if (at > RAM_BASE + ramBytes - LARGE_PAGE) {
    throw new Error(
      `the guests' images end at 0x${at.toString(16)}, and the device tree must fit above, but RAM ends at 0x${(RAM_BASE + ramBytes).toString(16)}; raise machine.ram`,
    )
  }
  const drives = configuration === 'native' ? disks : withFileSystem(disks, guests)
  const kernel =
    configuration === 'native'
      ? nativePayload(placements ?? {}, options.aia === 'aplic-imsic')
      : hostedImage(guests.length)
  const board = virt({
    harts,
    ramBytes,
    kernel,
    modules,
    disks: drives,
    nics,
    seed,
    timePhase: chance.timePhase,
    ...boardOptions(options),
    ...(timeProtection && { temporalFence: true }),
    chosen: [
      fdtNode(
        'guests',
        {},
        placed.map(({ node }, index) => guestNode(index, node)),
      ),
      ...(hostPolicy ? [hostPolicyNode(hostPolicy)] : []),
      ...(placements ? [placementNode(placements)] : []),
      ...(timeProtection ? [timeProtectionNode(timeProtection)] : []),
      ...(chance.pageOrder === 0 ? [] : [pageOrderNode(chance.pageOrder)]),
    ],
  })
  const parties = configuration === 'native' ? NATIVE_PARTIES : HOSTED_PARTIES
  const machine = buildMachine(board, machineOptions(options, chance, parties))
  const create = configuration === 'native' ? createNativeVmm : createHostedVmm
  const { images, vms, dmaFaults } = create(board.deviceTree())
  for (const { software, program } of images) machine.software.install(software, program)
  for (const { scripted, node } of placed) {
    // The image was assembled for where the guest sees it; its doors are where it was loaded.
    if (!scripted) continue
    // Several guests may run the same script: each is a software of its own.
    const software = { ...scripted.software, name: `${node.label}: ${scripted.software.name}` }
    machine.software.install(software, scripted.program, { base: node.kernel.address })
  }
  return {
    machine,
    board,
    guests: vms.slice(0, options.guests.length),
    domains: vms.slice(options.guests.length),
    software: [...images, ...domains.flatMap(({ scripted }) => scripted ?? [])].map(({ software }) => software),
    disks: drives,
    ...(dmaFaults && { dmaFaults }),
  }
}

/** The host's disk is the first: guests' disks are files on it. */
function withFileSystem(disks: readonly Backing[], guests: readonly SystemGuest[]): readonly Backing[] {
  const images = guests.flatMap(({ disk }, guest) => (disk ? [guestDisk(guest, disk)] : []))
  return images.length === 0 ? disks : disks.map((disk, index) => (index === 0 ? hostDisk(disk, images) : disk))
}
