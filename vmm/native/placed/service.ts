/** What guests' virtual disks and network cards are backed by, wherever the machine's drivers have been put. */
import type { StateRecord } from '../../../hw/port.ts'
import type { GuestNode } from '../../../hw/spec/layouts/guest-node.ts'
import type { PlacedDevice } from '../../core/placed-device.ts'
import type { BlockBackend, NetworkBackend } from '../../virtual/chip.ts'
import type { PlannedGuest } from '../ground.ts'
import type { FunctionHost } from '../passthrough/function-host.ts'
import type { PolledDevice } from './polled-device.ts'
import type { ServerThread } from './server/vmm-side-thread.ts'

/** Of a service whose driver is in a server. */
export interface PlacedServer {
  readonly thread: ServerThread
  /** True if the server has the interrupt of this source and has not handled it: it is not to be completed yet. */
  holds(source: number): boolean
}

interface PlacedService {
  readonly server?: PlacedServer
  /** Of a service whose device interrupts nobody: one of `devices`. */
  readonly polled?: PolledDevice
  /** The hart that the VMM's own driver has for itself. */
  readonly hart?: number
  /** What the VMM's entries have to look after; empty if nobody uses the service. */
  readonly devices: readonly PlacedDevice[]
  /** For the VMM's registered state. */
  readonly state: Readonly<Record<string, StateRecord>>
}

export interface DiskService extends PlacedService {
  /** A guest's part of the machine's disk. Set-up, once a guest that has one, in their order. */
  partition(guest: PlannedGuest, range: NonNullable<GuestNode['disk']>): BlockBackend
}

export interface NetworkService extends PlacedService {
  /** Where guests' virtual functions come from, if they have such. */
  readonly functions?: FunctionHost
  /** A guest's plug in the network. Set-up, once a guest that has one, in their order. */
  plug(guest: PlannedGuest, port: NonNullable<GuestNode['network']>): NetworkBackend
}
