/** The machine on which a placement is measured: alike in every placement, but for what the placement needs. */
import { createHash } from 'node:crypto'
import type { Workload } from '../../guests/workload.ts'
import { GUEST_FILES } from '../../hw/boards/virt.ts'
import { type Prices, rocketFlat } from '../../hw/index.ts'
import { SECTOR_BYTES } from '../../hw/devices/disk-backing.ts'
import type { DriverPlacement } from '../../hw/spec/layouts/placement.ts'
import { cards } from '../network.ts'
import { configurationHash } from '../study/configuration-hash.ts'
import { buildSystem, type System, type SystemGuest } from '../system.ts'
import { type NamedPlacement, placementNamed, type PlacementName } from './placements.ts'
import { RepeatedBacking } from './repeated-backing.ts'

/** What is orthogonal to where the driver is. */
export type DriverOptions = Partial<
  Pick<DriverPlacement, 'service' | 'coalescing' | 'depth' | 'queues' | 'transfer' | 'hart'>
>

/** What else a measurement depends on. */
export interface PlaceConditions {
  readonly guests: number
  readonly seed: number
  readonly harts: number
  readonly options: DriverOptions
  /** Rocket's, flat model, unless given. */
  readonly prices?: Prices
  /** Scale of the counted path length: 1. */
  readonly pathLength?: number
}

export interface PlacedSystem {
  readonly system: System
  readonly prices: Prices
  /** Of all but the seed. */
  readonly configurationHash: string
}

const MIB = 2 ** 20
const GUEST_BYTES = 8 * MIB
const IMAGE_BYTES = 2 * MIB
/** For whoever has the machine, besides what guests have. */
const REST_BYTES = 96 * MIB
const DISK_BYTES = 16 * MIB
const MAC = [0x02, 0x62, 0x68, 0, 0]

interface Content {
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
}

/** Of each workload's disk, made once: nothing writes to it. */
const contents = new Map<string, Content>()

function contentOf(workload: Workload): Content {
  const known = contents.get(workload.name)
  if (known) return known
  const bytes = new Uint8Array(DISK_BYTES)
  workload.diskContent?.(bytes)
  const content = { bytes, hash: createHash('sha256').update(bytes).digest() }
  contents.set(workload.name, content)
  return content
}

/** Which guests there are, on which harts, with what: `reserved` is somebody else's. `own`: each has a device for itself. */
function guestsOf(
  workload: Workload,
  { name, own }: NamedPlacement,
  count: number,
  harts: number,
  reserved: number | undefined,
): readonly SystemGuest[] {
  const free = Array.from({ length: harts }, (_, hart) => hart).filter(hart => hart !== reserved || harts === 1)
  const sectors = DISK_BYTES / SECTOR_BYTES
  const program = workload.image()
  return Array.from({ length: count }, (_, index) => {
    const software = workload.software?.(index, name === 'domain')
    return {
      label: count === 1 ? workload.name : `${workload.name} ${index + 1}`,
      memoryBytes: GUEST_BYTES,
      vcpus: 1,
      harts: [free[index % free.length]],
      weight: 256,
      cap: 0,
      bootargs: '',
      kernel: program.bytes,
      ...(workload.disk && { disk: { first: own ? 0 : index * sectors, sectors } }),
      ...(workload.network && { network: { mac: [...MAC, index + 1], vlan: 0 } }),
      ...(software && { scripted: { software, program } }),
    }
  })
}

/** Builds it, switched on. Throws one line if the placement cannot be had so. */
export function placedSystem(
  workload: Workload,
  name: PlacementName,
  { guests: count, seed, harts, options, prices = rocketFlat, pathLength = 1 }: PlaceConditions,
): PlacedSystem {
  const placement = placementNamed(name)
  const { configuration, at, hostPolicy, board, own } = placement
  if (configuration === 'bare' && count > 1) throw new Error('the bare machine runs one guest')
  const { bytes: content, hash } = contentOf(workload)
  const guests = guestsOf(workload, placement, count, harts, options.hart)
  const ramBytes = REST_BYTES + count * (GUEST_BYTES + IMAGE_BYTES)
  const devices = own === 'device' ? count : 1
  const [given] = Object.entries(options)
  if (!at && given)
    throw new Error(
      `${given[0]} ${given[1]} is for drivers that the native VMM places, and this one is ${configuration === 'bare' ? "the guest's own" : "the host kernel's"}: leave it out`,
    )
  const driver = at && { ...at, ...options }
  // Each vCPU takes an interrupt file of its hart.
  const files = board && 'aia' in board ? { guestFiles: Math.max(GUEST_FILES, Math.ceil(count / harts)) } : {}
  const common = { harts, ramBytes, prices, pathLength, ...board, ...files, ...(hostPolicy && { hostPolicy }) }
  const system = buildSystem({
    ...common,
    configuration,
    seed,
    guests,
    ...(driver && { placements: workload.disk ? { disk: driver } : { network: driver } }),
    disks: workload.disk ? Array.from({ length: devices }, () => new RepeatedBacking(content, own ? 1 : count)) : [],
    nics: workload.network ? cards(devices, own === 'function' ? count : 0) : [],
  })
  const nodes = guests.map(({ scripted: _software, kernel: _kernel, ...node }) => node)
  return {
    system,
    prices,
    configurationHash: configurationHash({ ...common, configuration, driver, nodes }, [guests[0].kernel, hash]),
  }
}
