/**
 * Where a driver may live: the same machine, guest and driver source, and another home for the driver. Which of them the
 * VMM has is the VMM's to say: a placement that cannot be had is found out by building it.
 */
import type { DriverPlacement } from '../../hw/spec/layouts/placement.ts'
import type { HostPolicy } from '../../hw/spec/layouts/host-policy.ts'
import type { SystemOptions } from '../system.ts'

interface Described {
  readonly configuration: 'bare' | 'native' | 'hosted'
  /** For tables and figures. */
  readonly label: string
  /** In one line. */
  readonly does: string
  readonly at?: Partial<DriverPlacement>
  readonly hostPolicy?: Partial<HostPolicy>
  /** What the board needs for it. */
  readonly board?: Pick<SystemOptions, 'aia' | 'guestFiles' | 'iommu'>
  /** Each guest has a device, or a virtual function, for itself; the others share one. */
  readonly own?: 'device' | 'function'
  /** The driver is cut off from all but those that use it: the placement claims that its faults stay there. */
  readonly contains?: boolean
}

const BEHIND_IOMMU = { iommu: true } as const
const POSTING = { iommu: true, aia: 'aplic-imsic' } as const

const TABLE = {
  bare: { configuration: 'bare', label: 'bare', does: 'the guest straight on the machine: the baseline' },
  'bare-messages': {
    configuration: 'bare',
    label: 'bare, messages',
    does: 'the same on a board with IMSICs: the device sends messages instead of pulling a wire',
    board: { aia: 'aplic-imsic' },
  },
  vmm: {
    configuration: 'native',
    label: 'VMM',
    does: 'in the native VMM itself',
    at: { at: 'vmm' },
  },
  server: {
    configuration: 'native',
    label: 'server',
    does: 'in a user-mode process beside the native VMM, by messages',
    at: { at: 'server' },
    board: BEHIND_IOMMU,
    contains: true,
  },
  domain: {
    configuration: 'native',
    label: 'domain',
    does: 'in a privileged guest of its own: shared rings, event channels, grants',
    at: { at: 'domain' },
    board: BEHIND_IOMMU,
    contains: true,
  },
  'host-kernel': {
    configuration: 'hosted',
    label: 'host kernel',
    does: "in the host's kernel, virtio by a thread of the kernel",
    hostPolicy: { backend: 'kernel' },
  },
  'host-process': {
    configuration: 'hosted',
    label: 'host process',
    does: "in the host's kernel, virtio by the VMM's process",
    hostPolicy: { backend: 'process' },
  },
  'passthrough-trapped': {
    configuration: 'native',
    label: 'guest, trapped',
    does: 'in the guest, which has the device; the VMM takes its interrupts and injects them',
    at: { at: 'guest', interrupts: 'trapped' },
    board: BEHIND_IOMMU,
    own: 'device',
    contains: true,
  },
  'passthrough-posted': {
    configuration: 'native',
    label: 'guest, posted',
    does: "in the guest, which has the device; interrupts go straight to the guest's interrupt file",
    at: { at: 'guest', interrupts: 'posted' },
    board: POSTING,
    own: 'device',
    contains: true,
  },
  'passthrough-polled': {
    configuration: 'native',
    label: 'guest, polled',
    does: 'in the guest, which has the device, and polls it',
    at: { at: 'guest', interrupts: 'polled' },
    board: BEHIND_IOMMU,
    own: 'device',
    contains: true,
  },
  function: {
    configuration: 'native',
    label: 'function',
    does: 'in the guest, which has a virtual function of the device; interrupts posted',
    at: { at: 'function', interrupts: 'posted' },
    board: POSTING,
    own: 'function',
    contains: true,
  },
} as const satisfies Record<string, Described>

/** As people name it. */
export type PlacementName = keyof typeof TABLE

export interface NamedPlacement extends Described {
  readonly name: PlacementName
}

export const PLACEMENT_NAMES: readonly PlacementName[] = Object.keys(TABLE) as PlacementName[]

export function placementNamed(name: PlacementName): NamedPlacement {
  return { name, ...TABLE[name] }
}
