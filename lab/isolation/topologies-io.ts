/** Topologies of guests with devices. */
import type { PlacedGuest, Topology } from './scenario.ts'

const RAM_MIB = 80
const GUEST: PlacedGuest = { memoryMiB: 8, vcpus: 1, harts: [0], weight: 256, cap: 0 }

/** Where each guest's disk begins, in sectors: none of them at the disk's beginning. */
export const DISK_SECTORS = 512
const disk = (guest: number) => ({ first: 64 + guest * (DISK_SECTORS + 1), sectors: DISK_SECTORS })

/** Two guests, each with a part of the disk, on harts of their own or on one. */
export function diskTopologies(vmm: Topology['vmm'] = 'native'): readonly Topology[] {
  return [
    [0, 1],
    [0, 0],
  ].map(harts => ({
    vmm,
    harts: Math.max(...harts) + 1,
    ramMiB: RAM_MIB,
    guests: harts.map((hart, guest) => ({ ...GUEST, harts: [hart], disk: disk(guest) })),
  }))
}

/** The same on a host: by its process or its kernel, through its cache or past it. */
export function hostedDiskTopologies(): readonly Topology[] {
  const [apart, together] = diskTopologies('hosted')
  return [
    apart,
    { ...together, policy: { backend: 'kernel' } },
    { ...apart, policy: { io: 'direct' } },
    { ...together, policy: { form: 'switch', backend: 'kernel', io: 'direct' } },
  ]
}

/** Two guests with a disk and a network card each; what RAM held before is chosen by `poison`. */
export function ioTopology(harts: readonly number[], poison?: number): Topology {
  return {
    vmm: 'native',
    harts: Math.max(...harts) + 1,
    ramMiB: RAM_MIB,
    ...(poison !== undefined && { poison }),
    guests: harts.map((hart, guest) => ({ ...GUEST, harts: [hart], disk: disk(guest), network: { vlan: 0 } })),
  }
}

/** Three guests on the switch, the last in a VLAN of its own or in the others'; on harts of their own or not. */
export function networkTopologies(vmm: Topology['vmm'] = 'native'): readonly Topology[] {
  return [
    { harts: [0, 1, 1], vlans: [0, 0, 7] },
    { harts: [0, 0, 0], vlans: [7, 0, 7] },
  ].map(({ harts, vlans }) => ({
    vmm,
    harts: Math.max(...harts) + 1,
    ramMiB: RAM_MIB,
    guests: vlans.map((vlan, guest) => ({ ...GUEST, harts: [harts[guest]], network: { vlan } })),
  }))
}

/** The same on a host: by its process or its kernel. */
export function hostedNetworkTopologies(): readonly Topology[] {
  const [apart, together] = networkTopologies('hosted')
  return [apart, { ...together, policy: { backend: 'kernel' } }]
}

/** Two guests with a disk and a network card each. */
export function dmaTopologies(): readonly Topology[] {
  return [ioTopology([0, 1]), ioTopology([0, 0])]
}

/** The first guest has two harts: one says what the other takes back. */
export const RACING: Topology = {
  vmm: 'native',
  harts: 3,
  ramMiB: RAM_MIB,
  guests: [
    { ...GUEST, vcpus: 2, harts: [0, 1], disk: disk(0) },
    { ...GUEST, harts: [2], disk: disk(1) },
  ],
}

/** Two guests with a disk each, on one hart, on two, or wherever there is room. */
export function interruptTopologies(): readonly Topology[] {
  return [
    [[0], [0]],
    [[0], [1]],
    [[], []],
  ].map((pins, index) => ({
    vmm: 'native',
    harts: index === 0 ? 1 : 2,
    ramMiB: RAM_MIB,
    guests: pins.map((harts, guest) => ({ ...GUEST, harts, disk: disk(guest) })),
  }))
}

/** A guest of two harts beside one of one; on one hart of the machine, or on three. */
export function pairTopologies(vmm: Topology['vmm'] = 'native'): readonly Topology[] {
  return [
    [[0, 0], [0]],
    [[0, 1], [2]],
  ].map((pins, index) => ({
    vmm,
    harts: index === 0 ? 1 : 3,
    ramMiB: RAM_MIB,
    guests: pins.map((harts, guest) => ({ ...GUEST, vcpus: harts.length, harts, disk: disk(guest) })),
  }))
}

/** A guest beside one of two harts that is to end: all on one hart, on three, or on two wherever there is room. */
export function endTopologies(): readonly Topology[] {
  return [
    [[0], [0, 0]],
    [[0], [1, 2]],
    [[], []],
  ].map((pins, index) => ({
    vmm: 'native',
    harts: [1, 3, 2][index],
    ramMiB: RAM_MIB,
    guests: pins.map((harts, guest) => ({ ...GUEST, memoryMiB: 16, vcpus: guest + 1, harts })),
  }))
}

/** Four guests on two harts, wherever there is room. */
export const WANDERERS: Topology = {
  vmm: 'native',
  harts: 2,
  ramMiB: RAM_MIB,
  guests: Array.from({ length: 4 }, () => ({ ...GUEST, harts: [] })),
}

/** Two guests that drive a disk each, behind the IOMMU. */
export function passedTopologies(): readonly Topology[] {
  return [
    [0, 1],
    [0, 0],
  ].map(harts => ({
    vmm: 'native',
    harts: Math.max(...harts) + 1,
    ramMiB: RAM_MIB,
    placements: { disk: { at: 'guest', interrupts: 'polled' } },
    guests: harts.map(hart => ({ ...GUEST, harts: [hart], disk: { first: 0, sectors: DISK_SECTORS } })),
  }))
}

/** Two guests apart, in large pages and in small ones. */
export function stampTopologies(): readonly Topology[] {
  const apart: Topology = {
    vmm: 'native',
    harts: 2,
    ramMiB: RAM_MIB,
    guests: [0, 1].map(hart => ({ ...GUEST, harts: [hart] })),
  }
  return [apart, { ...apart, policy: { pages: 'small' } }]
}

/** Guests on one hart in slots, with caches modelled; each has a disk, and a network card in a VLAN of its own. */
export function slotTopologies(): readonly Topology[] {
  return [2, 3].map(count => ({
    vmm: 'native',
    harts: 1,
    ramMiB: RAM_MIB,
    caches: true,
    timeProtection: { slot: 300, pad: 100 },
    guests: Array.from({ length: count }, (_, guest) => ({
      ...GUEST,
      disk: disk(guest),
      network: { vlan: guest + 1 },
    })),
  }))
}
