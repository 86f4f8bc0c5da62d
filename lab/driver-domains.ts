/** The guests that drive devices for the others, where placements want such. */
import { diskDomain, diskDomainImage } from '../guests/driver-domain/disk-domain.ts'
import { DEFAULT_PLACEMENT, type DriverPlacement } from '../hw/spec/layouts/placement.ts'
import type { PlacementChoice, SystemGuest } from './system.ts'

const MIB = 2 ** 20
const DOMAIN_BYTES = 16 * MIB

/** Those of a system, to stand behind its guests. Throws one line if a hart has been promised twice. */
export function driverDomains(
  placements: PlacementChoice | undefined,
  guests: readonly SystemGuest[],
): readonly SystemGuest[] {
  const disk: DriverPlacement = { ...DEFAULT_PLACEMENT, ...placements?.disk }
  if (disk.at !== 'domain') return []
  const { hart } = disk
  const pinned = guests.find(({ harts }) => hart !== undefined && harts.includes(hart))
  if (pinned)
    throw new Error(`hart ${hart} is the disk domain's own, and ${pinned.label} is pinned to it: pin it to another`)
  const program = diskDomainImage(disk)
  return [
    {
      label: 'disk domain',
      memoryBytes: DOMAIN_BYTES,
      vcpus: 1,
      harts: hart === undefined ? [] : [hart],
      weight: 256,
      cap: 0,
      bootargs: '',
      kernel: program.bytes,
      drives: 'disk',
      scripted: { software: diskDomain(disk), program },
    },
  ]
}
