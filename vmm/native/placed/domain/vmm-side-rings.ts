/** Joins guests to driver domains: a doorbell page for each, and the domain's second stage behind its grants. Set-up. */
import type { HartPort, StateRecord } from '../../../../hw/port.ts'
import { RING_BYTES, RING_ID } from '../../../../hw/spec/devices/ring.ts'
import { GUEST_RINGS } from '../../../../hw/spec/guest-map.ts'
import type { GuestNode } from '../../../../hw/spec/layouts/guest-node.ts'
import type { Placements } from '../../../../hw/spec/layouts/placement.ts'
import { mapSmall, protectSmall, type TableAllocator, unmapSmall } from '../../../core/g-stage.ts'
import type { VirtualLine } from '../../../virtual/chip.ts'
import { type GrantWindow, RingBack } from '../../../virtual/ring-back.ts'
import { type RingFacts, RingFront } from '../../../virtual/ring-front.ts'
import type { DmaGuard } from '../../dma-guard.ts'
import type { PlannedGuest } from '../../ground.ts'
import type { JoinedDomain } from './vmm-side-keeper.ts'

type Device = 'disk' | 'network'
const DEVICES = ['disk', 'network'] as const

/** Which doorbell pages a guest has. */
export function ringsOf(node: GuestNode, placements: Placements): (keyof typeof GUEST_RINGS)[] {
  if (node.drives) return ['backend']
  return DEVICES.filter(device => node[device] && placements[device].at === 'domain')
}

/** Wires of a guest, by source. */
export type Wires = readonly (readonly VirtualLine[])[]

/** Domains with their guests, and their registered state. */
export interface Joined {
  readonly domains: readonly JoinedDomain[]
  readonly state: Readonly<Record<string, StateRecord>>
}

/** Throws one line if a device's domain is missing. */
export function joinDomains(
  guests: readonly PlannedGuest[],
  placements: Placements,
  wires: Wires,
  guard: DmaGuard | undefined,
  takeTable: TableAllocator,
): Joined {
  const joined = DEVICES.filter(device => placements[device].at === 'domain').map(device => {
    const domain = guests.find(({ node }) => node.drives === device)
    if (!domain)
      throw new Error(`the ${device} is to be driven by a domain, and no guest says that it drives it: add one`)
    return joinDomain(device, domain, guests, wires, guard, takeTable)
  })
  return {
    domains: joined.map(({ domain }) => domain),
    state: Object.assign({}, ...joined.map(({ state }) => state)) as Record<string, StateRecord>,
  }
}

function joinDomain(
  device: Device,
  domain: PlannedGuest,
  guests: readonly PlannedGuest[],
  wires: Wires,
  guard: DmaGuard | undefined,
  takeTable: TableAllocator,
): { readonly domain: JoinedDomain; readonly state: Readonly<Record<string, StateRecord>> } {
  const { vm } = domain
  const { base, source } = GUEST_RINGS.backend
  const name = `${device} domain`
  const back = new RingBack(name, vm.ram, wires[vm.index][source], windowOf(domain, guard, takeTable))
  vm.attach('ring back', base, RING_BYTES, back)
  const state: Record<string, StateRecord> = { ...back.state }
  for (const guest of guests) {
    const facts = factsOf(device, guest.node)
    if (!facts || guest === domain) continue
    const channel = back.fronts.length
    const { base: front, source: wire } = GUEST_RINGS[device]
    const line = wires[guest.vm.index][wire]
    const event = (port: HartPort) => back.event(port, channel)
    const ring = new RingFront(`vm ${guest.vm.index} ${device}`, guest.vm.ram, line, facts, event)
    back.fronts.push(ring)
    guest.vm.attach(`ring ${device}`, front, RING_BYTES, ring)
    Object.assign(state, ring.state)
  }
  return { domain: { guest: domain, back }, state }
}

function factsOf(device: Device, { disk, network }: GuestNode): RingFacts | undefined {
  if (device === 'disk')
    return disk && { id: RING_ID.block, first: disk.first, sectors: disk.sectors, station: 0, vlan: 0 }
  if (!network) return undefined
  const station = network.mac.reduceRight((number, byte) => number * 256 + byte, 0)
  return { id: RING_ID.network, first: 0, sectors: 0, station, vlan: network.vlan }
}

function windowOf(domain: PlannedGuest, guard: DmaGuard | undefined, takeTable: TableAllocator): GrantWindow {
  const { vm } = domain
  const { root } = vm.ram
  return {
    map: (port, at, page, write) => {
      if (!mapSmall(port, root, at, page, takeTable)) return false
      if (!write) protectSmall(port, root, at)
      return true
    },
    unmap: (port, at) => {
      unmapSmall(port, root, at)
      port.hfenceGvma(at / 4)
    },
    forget: () => {
      vm.forgetTranslations()
      guard?.forget(domain)
    },
  }
}
