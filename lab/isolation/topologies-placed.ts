/** Guests whose devices are driven elsewhere than in the VMM: by a server, by a driver domain, by themselves. */
import type { PlacedGuest, Topology } from './scenario.ts'
import { DISK_SECTORS, networkTopologies } from './topologies-io.ts'

const RAM_MIB = 96
const GUEST: PlacedGuest = { memoryMiB: 8, vcpus: 1, harts: [0], weight: 256, cap: 0 }
const NETWORK = { vlan: 0 }

type Placements = NonNullable<Topology['placements']>

/** A part of the machine's disk, or all of a disk of one's own. */
const disk = (guest: number, own: boolean) => ({
  first: own ? 0 : 64 + guest * (DISK_SECTORS + 1),
  sectors: DISK_SECTORS,
})

/** Two guests, on harts of their own or on one, with what `placements` names. */
function placed(placements: Placements, harts: readonly number[], more: Partial<Topology> = {}): Topology {
  const hasOwn = placements.disk?.at === 'guest'
  return {
    vmm: 'native',
    harts: Math.max(...harts) + 1,
    ramMiB: RAM_MIB,
    placements,
    ...more,
    guests: harts.map((hart, guest) => ({
      ...GUEST,
      harts: [hart],
      ...(placements.disk && { disk: disk(guest, hasOwn) }),
      ...(placements.network && { network: NETWORK }),
    })),
  }
}

/** Drivers in servers: pages lent through an IOMMU, or copied; without an IOMMU; with a hart of their own. */
export const SERVED: readonly Topology[] = [
  placed({ disk: { at: 'server' }, network: { at: 'server' } }, [0, 1], { iommu: true }),
  placed({ disk: { at: 'server', transfer: 'copy' }, network: { at: 'server', transfer: 'copy' } }, [0, 0], {
    iommu: true,
  }),
  placed({ disk: { at: 'server' }, network: { at: 'server' } }, [0, 0]),
  placed({ disk: { at: 'server', hart: 1 }, network: { at: 'server', hart: 2 } }, [0, 0], { harts: 3, iommu: true }),
]

/** Drivers in the VMM, with an IOMMU that keeps their devices within bounds; interrupts by wire, or by messages. */
export const GUARDED: readonly Topology[] = [
  placed({ disk: {}, network: {} }, [0, 1], { iommu: true }),
  placed({ disk: {}, network: {} }, [0, 0], { iommu: true, aia: 'aplic-imsic' }),
]

/** Three guests on the switch, whose card is driven by a server, or behind an IOMMU. */
export function placedNetworkTopologies(): readonly Topology[] {
  const [apart, together] = networkTopologies()
  const wide = { ramMiB: RAM_MIB, iommu: true }
  return [
    { ...apart, ...wide, placements: { network: { at: 'server' } } },
    { ...together, ...wide, placements: { network: { at: 'server', transfer: 'copy' } } },
    { ...apart, ...wide, aia: 'aplic-imsic' },
  ]
}

/** Drivers in a domain, to which guests grant pages. */
export const GRANTED: readonly Topology[] = [
  placed({ disk: { at: 'domain' } }, [0, 1]),
  placed({ disk: { at: 'domain', transfer: 'copy' } }, [0, 0]),
  placed({ network: { at: 'domain' } }, [0, 1]),
  placed({ network: { at: 'domain', transfer: 'copy' } }, [0, 0]),
]

/** Each guest drives a disk of its own. */
export const OWN_DISKS: readonly Topology[] = [
  placed({ disk: { at: 'guest', interrupts: 'polled' } }, [0, 1]),
  placed({ disk: { at: 'guest', interrupts: 'trapped' } }, [0, 0]),
  placed({ disk: { at: 'guest', interrupts: 'posted' } }, [0, 1], { aia: 'aplic-imsic' }),
  placed({ disk: { at: 'guest', interrupts: 'posted' } }, [0, 0], { aia: 'aplic-imsic' }),
]

/** Each guest drives a card of its own, or a function of one. */
export const OWN_CARDS: readonly Topology[] = [
  placed({ network: { at: 'guest', interrupts: 'trapped' } }, [0, 1]),
  placed({ network: { at: 'guest', interrupts: 'posted' } }, [0, 0], { aia: 'aplic-imsic' }),
  placed({ network: { at: 'function', interrupts: 'polled' } }, [0, 1]),
  placed({ network: { at: 'function', interrupts: 'posted' } }, [0, 0], { aia: 'aplic-imsic' }),
]

/** Slots instead of turns, with devices. */
export const SLOTTED: Topology = placed({ disk: {}, network: {} }, [0, 0], {
  timeProtection: { slot: 400, pad: 60 },
})

export const PLACED: readonly Topology[] = [...SERVED, ...GUARDED, ...GRANTED, ...OWN_DISKS, ...OWN_CARDS, SLOTTED]
