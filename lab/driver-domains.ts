/** The guests that drive devices for the others, where placements want such. */
import { diskDomain, diskDomainImage } from '../guests/driver-domain/disk-domain.ts'
import { networkDomain, networkDomainImage } from '../guests/driver-domain/network-domain.ts'
import { DEFAULT_PLACEMENT, type DriverPlacement } from '../hw/spec/layouts/placement.ts'
import type { PlacementChoice, SystemGuest } from './system.ts'

const MIB = 2 ** 20
const DOMAIN_BYTES = 16 * MIB

/** Those of a system, to stand behind its guests. Throws one line if a hart has been promised twice. */
export function driverDomains(
  placements: PlacementChoice | undefined,
  guests: readonly SystemGuest[],
): readonly SystemGuest[] {
  return (['disk', 'network'] as const).flatMap(device => {
    const placement: DriverPlacement = { ...DEFAULT_PLACEMENT, ...placements?.[device] }
    return placement.at === 'domain' ? [driverDomain(device, placement, guests)] : []
  })
}

function driverDomain(
  device: 'disk' | 'network',
  placement: DriverPlacement,
  guests: readonly SystemGuest[],
): SystemGuest {
  const { hart } = placement
  const pinned = guests.find(({ harts }) => hart !== undefined && harts.includes(hart))
  if (pinned)
    throw new Error(
      `hart ${hart} is the ${device} domain's own, and ${pinned.label} is pinned to it: pin it to another`,
    )
  const isDisk = device === 'disk'
  const program = isDisk ? diskDomainImage(placement) : networkDomainImage()
  return {
    label: `${device} domain`,
    memoryBytes: DOMAIN_BYTES,
    vcpus: 1,
    harts: hart === undefined ? [] : [hart],
    weight: 256,
    cap: 0,
    bootargs: '',
    kernel: program.bytes,
    drives: device,
    scripted: { software: isDisk ? diskDomain(placement) : networkDomain(placement), program },
  }
}
