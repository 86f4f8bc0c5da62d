/** The machine's disks as they are described, and how guests share them. */
import { statSync } from 'node:fs'
import { UserError } from '../user-error.ts'
import { isPassedThrough } from './placement.ts'
import type { RawDescription, RawGuest } from './schema.ts'
import { formatSize, parseSize } from './size.ts'

const SECTOR_BYTES = 512

export type DiskDescription = { readonly file: string } | { readonly bytes: number }

/** Sectors of a guest's part; `device`: of which disk, if the guest drives it. */
export interface DiskPart {
  readonly first: number
  readonly sectors: number
  readonly device?: number
}

export interface LaidDisk {
  readonly description: DiskDescription
  readonly sectors: number
}

type RawMachine = NonNullable<RawDescription['machine']>

/** All of them; sizes and files are checked. */
export function disksOf({ disk, disks }: RawMachine, place: string): readonly LaidDisk[] {
  if (disk && disks)
    throw new UserError(`${place}: machine.disk and machine.disks: give one of the two; disks is for several`)
  if (disk) return [diskOf(disk, 'machine.disk', place)]
  return (disks ?? []).map((one, index) => diskOf(one, `machine.disks.${index}`, place))
}

function diskOf(disk: NonNullable<RawMachine['disk']>, where: string, place: string): LaidDisk {
  if ('size' in disk) {
    const bytes = parseSize(disk.size, `${place}: ${where}.size`)
    return { description: { bytes }, sectors: Math.floor(bytes / SECTOR_BYTES) }
  }
  try {
    return { description: { file: disk.file }, sectors: Math.floor(statSync(disk.file).size / SECTOR_BYTES) }
  } catch {
    throw new UserError(
      `${place}: ${where}.file: ${disk.file} does not exist; make it (truncate -s 256M ${disk.file}) or give {"size": "256M"} for a disk in memory`,
    )
  }
}

/** Sectors that a guest has already. `end` is the first behind them. */
export interface Taken {
  readonly name: string
  readonly first: number
  readonly end: number
}

type RawDisk = NonNullable<RawGuest['disk']>

/** A part of the machine's disk, or the whole of one that the guest drives. */
export function partOf(
  wanted: RawDisk,
  name: string,
  { vmm, placement }: RawDescription,
  disks: readonly LaidDisk[],
  taken: Taken[],
  here: string,
): DiskPart {
  const [disk] = disks
  if (!disk) throw new UserError(`${here}: wants a disk, but the machine has none; add machine.disk`)
  if ('device' in wanted) {
    const { device } = wanted
    return { first: 0, sectors: (disks[device] ?? disk).sectors, device }
  }
  if (isPassedThrough(placement?.disk))
    throw new UserError(
      `${here}: disk: a guest that drives a disk has the whole of it; give {"device": 0} or another's number`,
    )
  return partitionOf(wanted, name, vmm, disk, taken, here)
}

function partitionOf(
  wanted: Exclude<RawDisk, { device: number }>,
  name: string,
  vmm: RawDescription['vmm'],
  disk: LaidDisk,
  taken: Taken[],
  here: string,
): DiskPart {
  const first = 'size' in wanted ? Math.max(0, ...taken.map(part => part.end)) : wanted.first
  const sectors =
    'size' in wanted ? Math.ceil(parseSize(wanted.size, `${here}: disk.size`) / SECTOR_BYTES) : wanted.sectors
  const end = first + sectors
  if (end > disk.sectors)
    throw new UserError(
      `${here}: disk sectors ${first} to ${end - 1} lie beyond the disk's ${disk.sectors} (${formatSize(disk.sectors * SECTOR_BYTES)}); make the disk larger or the partition smaller`,
    )
  const other = taken.find(part => first < part.end && part.first < end)
  if (other)
    throw new UserError(
      `${here}: disk sectors ${first} to ${end - 1} overlap those of guest ${other.name} (${other.first} to ${other.end - 1})`,
    )
  if (vmm === 'none' && first !== 0)
    throw new UserError(`${here}: without a VMM a guest has the whole disk; leave out disk.first`)
  taken.push({ name, first, end })
  return { first, sectors }
}
