/**
 * Where the native VMM puts the drivers of the machine's disks and of its network cards: nodes below /chosen/placement of
 * the machine's device tree. Whoever loads the machine writes them, the VMM reads them; what is absent is as it is by default.
 *
 *   placement {
 *     disk {                              and network, alike
 *       at = "vmm"                        in the VMM itself
 *          | "domain"                     in a privileged guest of its own: shared rings, event channels, grants
 *          | "server"                     in a user-mode process beside the VMM: messages
 *          | "guest"                      in the guest, which has the device through the IOMMU
 *          | "function";                  the same with a virtual function (SR-IOV)
 *       interrupts = "trapped"            to a guest that drives a device: the VMM takes them and injects
 *                  | "posted" | "polled"; straight into its interrupt file; or not at all
 *       transfer = "map" | "copy";        between guest and domain or server: its pages are mapped (granted), or copied
 *       service = "interrupt" | "adaptive" | "polling";    how the driver learns what its device has done
 *       coalescing = <microseconds>;      least time between two interrupts of the device; how long a disk's may wait for more
 *       depth = <requests>; queues = <n>; hart = <n>;      hart: reserved for the driver; absent: shared
 *     };
 *   };
 */
import { type Fdt, type FdtNode, type FdtValue, fdtNode } from './fdt.ts'

/** By option: its values, the default first. */
export const PLACEMENTS = {
  at: ['vmm', 'domain', 'server', 'guest', 'function'],
  interrupts: ['trapped', 'posted', 'polled'],
  transfer: ['map', 'copy'],
  service: ['interrupt', 'adaptive', 'polling'],
} as const

export interface DriverPlacement {
  readonly at: (typeof PLACEMENTS.at)[number]
  readonly interrupts: (typeof PLACEMENTS.interrupts)[number]
  readonly transfer: (typeof PLACEMENTS.transfer)[number]
  readonly service: (typeof PLACEMENTS.service)[number]
  /** Microseconds. */
  readonly coalescing: number
  readonly depth: number
  readonly queues: number
  /** Shared unless given. */
  readonly hart?: number
}

/** Of a machine's disks and of its network cards. */
export interface Placements {
  readonly disk: DriverPlacement
  readonly network: DriverPlacement
}

export const DEFAULT_PLACEMENT: DriverPlacement = {
  at: 'vmm',
  interrupts: 'trapped',
  transfer: 'map',
  service: 'interrupt',
  coalescing: 0,
  depth: 64,
  queues: 1,
}

/** True if the device interrupts nobody. */
export function isPolled({ service }: Pick<DriverPlacement, 'service'>): boolean {
  return service === 'polling'
}

const NODE = 'placement'
const DEVICES = ['disk', 'network'] as const

function deviceNode(name: string, placement: DriverPlacement): FdtNode {
  const { at, interrupts, transfer, service, coalescing, depth, queues, hart } = placement
  const properties: Record<string, FdtValue> = {
    at,
    interrupts,
    transfer,
    service,
    coalescing: [coalescing],
    depth: [depth],
    queues: [queues],
  }
  if (hart !== undefined) properties['hart'] = [hart]
  return fdtNode(name, properties)
}

/** The node, for /chosen. */
export function placementNode(
  placements: { readonly [device in keyof Placements]?: Partial<DriverPlacement> },
): FdtNode {
  return fdtNode(
    NODE,
    {},
    DEVICES.map(device => deviceNode(device, { ...DEFAULT_PLACEMENT, ...placements[device] })),
  )
}

function choiceOf<T extends string>(node: FdtNode, name: string, values: readonly T[]): T {
  const bytes = node.properties.get(name)
  if (!bytes) return values[0]
  const text = Array.from(bytes, byte => (byte === 0 ? '' : String.fromCharCode(byte))).join('')
  const value = values.find(candidate => candidate === text)
  if (value === undefined)
    throw new Error(
      `the device tree's placement of ${node.name} has ${name} "${text}": it is one of ${values.join(', ')}`,
    )
  return value
}

function numberOf(node: FdtNode, name: string): number | undefined {
  const bytes = node.properties.get(name)
  return bytes && new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
}

function deviceOf(node: FdtNode | undefined): DriverPlacement {
  if (!node) return DEFAULT_PLACEMENT
  const hart = numberOf(node, 'hart')
  return {
    at: choiceOf(node, 'at', PLACEMENTS.at),
    interrupts: choiceOf(node, 'interrupts', PLACEMENTS.interrupts),
    transfer: choiceOf(node, 'transfer', PLACEMENTS.transfer),
    service: choiceOf(node, 'service', PLACEMENTS.service),
    coalescing: numberOf(node, 'coalescing') ?? DEFAULT_PLACEMENT.coalescing,
    depth: numberOf(node, 'depth') ?? DEFAULT_PLACEMENT.depth,
    queues: numberOf(node, 'queues') ?? DEFAULT_PLACEMENT.queues,
    ...(hart !== undefined && { hart }),
  }
}

/** What a device tree says of it. */
export function placementsOf(tree: Fdt): Placements {
  const chosen = tree.root.children.find(({ name }) => name === 'chosen')
  const nodes = chosen?.children.find(({ name }) => name === NODE)?.children ?? []
  const [disk, network] = DEVICES.map(device => deviceOf(nodes.find(({ name }) => name === device)))
  return { disk, network }
}
