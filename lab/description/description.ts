/** A machine description, checked: sizes in bytes, disks and addresses laid out, every mistake one clear line. */
import { readFileSync, statSync } from 'node:fs'
import type { ErrorObject } from 'ajv'
import { DEFAULT_HOST_POLICY, type HostPolicy } from '../../hw/spec/layouts/host-policy.ts'
import { type Prices, pricesFor } from '../../hw/index.ts'
import { UserError } from '../user-error.ts'
import { type RawDescription, type RawGuest, DescriptionSchema } from './schema.ts'
import { formatSize, parseRam, parseSize } from './size.ts'

const SECTOR_BYTES = 512
const LARGE_PAGE = 0x20_0000
const DEFAULT_WEIGHT = 256
/** What a VMM keeps for itself: firmware, its image, tables, buffers. */
const VMM_BYTES = 32 * 2 ** 20
const DEFAULT_RAM = '512M'

export type DiskDescription = { readonly file: string } | { readonly bytes: number }

export interface GuestDescription {
  readonly name: string
  readonly kernel: string
  readonly initrd: string | undefined
  readonly append: string
  readonly memoryBytes: number
  readonly vcpus: number
  readonly harts: readonly number[]
  readonly weight: number
  readonly cap: number
  readonly disk: { readonly first: number; readonly sectors: number } | undefined
  readonly network: { readonly mac: readonly number[]; readonly vlan: number } | undefined
}

export interface Description {
  readonly harts: number
  readonly ramBytes: number
  readonly disk: DiskDescription | undefined
  readonly network: boolean
  readonly seed: number
  readonly prices: Prices
  readonly vmm: 'native' | 'hosted' | 'none'
  readonly host: HostPolicy
  readonly guests: readonly GuestDescription[]
}

/** Reads and checks a description file. */
export async function readDescription(path: string): Promise<Description> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UserError(
      `${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}); give the path of a machine description`,
    )
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new UserError(`${path}: is not JSON (${(error as Error).message})`)
  }
  return describe(parsed, path)
}

/** Checks a parsed description. `place` begins each error. */
export async function describe(parsed: unknown, place: string): Promise<Description> {
  const raw = await validated(parsed, place)
  const machine = raw.machine ?? {}
  const harts = machine.harts ?? 1
  const ramBytes = parseRam(machine.ram ?? DEFAULT_RAM, `${place}: machine.ram`)
  const disk = machine.disk && diskOf(machine.disk, place)
  const network = machine.network ?? raw.guests.some(guest => Boolean(guest.network))
  const taken: { name: string; first: number; end: number }[] = []
  const guests = raw.guests.map((guest, index) => guestOf(guest, index, raw, harts, disk, taken, place))
  checkNames(guests, place)
  checkMemory(guests, ramBytes, raw.vmm, place)
  if (raw.vmm === 'none' && guests.length > 1)
    throw new UserError(
      `${place}: vmm "none" runs one guest straight on the machine, but there are ${guests.length}; choose native or hosted`,
    )
  const host = hostOf(raw, guests, place)
  if (machine.l2 !== undefined && machine.model !== 'cached')
    throw new UserError(`${place}: machine.l2 "${machine.l2}": the flat model has no L2; add "model": "cached"`)
  return {
    harts,
    ramBytes,
    disk: disk?.description,
    network,
    seed: machine.seed ?? 1,
    prices: pricesFor(machine),
    vmm: raw.vmm,
    host,
    guests,
  }
}

function hostOf({ host, vmm }: RawDescription, guests: readonly GuestDescription[], place: string): HostPolicy {
  if (host && vmm !== 'hosted')
    throw new UserError(
      `${place}: host says how the host of vmm "hosted" is set up, but vmm is "${vmm}"; leave host out`,
    )
  if (host?.dedicated && !guests.some(({ harts }) => harts.length > 0))
    throw new UserError(
      `${place}: host.dedicated keeps harts for pinned vCPUs, but none is pinned; give a guest its harts`,
    )
  return { ...DEFAULT_HOST_POLICY, ...host }
}

async function validated(parsed: unknown, place: string): Promise<RawDescription> {
  const { Ajv } = await import('ajv')
  const check = new Ajv({ allErrors: true, verbose: true }).compile<RawDescription>(DescriptionSchema)
  if (check(parsed)) return parsed
  throw new UserError(`${place}: ${schemaFault(check.errors ?? [])}; npx barehart schema prints what is allowed`)
}

/** The error that lies deepest says most; of several in one place the last, which is about the place as a whole. */
function schemaFault(errors: readonly ErrorObject[]): string {
  const depth = ({ instancePath }: ErrorObject) => instancePath.split('/').length
  const deepest = Math.max(...errors.map(depth))
  const error = errors.findLast(candidate => depth(candidate) === deepest)
  if (!error) return 'it is not a machine description'
  const where = error.instancePath.slice(1).replaceAll('/', '.') || 'the description'
  const schema = error.parentSchema as { description?: string; anyOf?: readonly { const?: string }[] } | undefined
  const choices = (schema?.anyOf ?? []).flatMap(choice => choice.const ?? [])
  const expected =
    error.keyword !== 'anyOf'
      ? error.message
      : choices.length > 0
        ? `must be one of ${choices.join(', ')}`
        : `must be ${schema?.description ?? 'one of the forms allowed'}`
  const extra = 'additionalProperty' in error.params ? ` "${String(error.params['additionalProperty'])}"` : ''
  const value =
    error.data !== undefined && typeof error.data !== 'object' ? ` (it is ${JSON.stringify(error.data)})` : ''
  return `${where} ${expected ?? 'is wrong'}${extra}${value}`
}

interface LaidDisk {
  readonly description: DiskDescription
  readonly sectors: number
}

function diskOf(disk: NonNullable<NonNullable<RawDescription['machine']>['disk']>, place: string): LaidDisk {
  if ('size' in disk) {
    const bytes = parseSize(disk.size, `${place}: machine.disk.size`)
    return { description: { bytes }, sectors: Math.floor(bytes / SECTOR_BYTES) }
  }
  try {
    return { description: { file: disk.file }, sectors: Math.floor(statSync(disk.file).size / SECTOR_BYTES) }
  } catch {
    throw new UserError(
      `${place}: machine.disk.file: ${disk.file} does not exist; make it (truncate -s 256M ${disk.file}) or give {"size": "256M"} for a disk in memory`,
    )
  }
}

function guestOf(
  guest: RawGuest,
  index: number,
  raw: RawDescription,
  harts: number,
  disk: LaidDisk | undefined,
  taken: { name: string; first: number; end: number }[],
  place: string,
): GuestDescription {
  const here = `${place}: guest ${guest.name}`
  const memoryBytes = parseSize(guest.memory, `${here}: memory`)
  if (memoryBytes % LARGE_PAGE !== 0) throw new UserError(`${here}: memory ${guest.memory} is not a multiple of 2M`)
  const vcpus = guest.vcpus ?? guest.harts?.length ?? 1
  const pins = guest.harts ?? []
  const beyond = pins.find(hart => hart >= harts)
  if (beyond !== undefined)
    throw new UserError(`${here}: hart ${beyond} does not exist; the machine has ${harts} (0 to ${harts - 1})`)
  if (pins.length > 0 && pins.length !== vcpus)
    throw new UserError(`${here}: ${vcpus} vcpus but ${pins.length} harts; pin each vCPU or none`)
  return {
    name: guest.name,
    kernel: guest.kernel,
    initrd: guest.initrd,
    append: guest.append ?? '',
    memoryBytes,
    vcpus,
    harts: pins,
    weight: guest.weight ?? DEFAULT_WEIGHT,
    cap: guest.cap ?? 0,
    disk: guest.disk && partitionOf(guest.disk, guest.name, raw.vmm, disk, taken, here),
    network: networkOf(guest.network, index),
  }
}

function partitionOf(
  wanted: NonNullable<RawGuest['disk']>,
  name: string,
  vmm: RawDescription['vmm'],
  disk: LaidDisk | undefined,
  taken: { name: string; first: number; end: number }[],
  here: string,
): { first: number; sectors: number } {
  if (!disk) throw new UserError(`${here}: wants a disk, but the machine has none; add machine.disk`)
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

function networkOf(network: RawGuest['network'], index: number): GuestDescription['network'] {
  if (!network) return undefined
  const { mac, vlan = 0 } = network === true ? {} : network
  // Locally administered, unicast: 02-…
  return {
    mac: mac ? mac.split(':').map(byte => Number.parseInt(byte, 16)) : [0x02, 0x62, 0x68, 0, 0, index + 1],
    vlan,
  }
}

function checkNames(guests: readonly GuestDescription[], place: string): void {
  const double = guests.find((guest, index) => guests.findIndex(other => other.name === guest.name) !== index)
  if (double) throw new UserError(`${place}: two guests are called ${double.name}; give each a name of its own`)
  const addresses = guests.map(({ network }) => network?.mac.join(':'))
  const twin = guests.find(
    (_, index) => addresses[index] !== undefined && addresses.indexOf(addresses[index]) !== index,
  )
  if (twin)
    throw new UserError(
      `${place}: guest ${twin.name}: another guest has its network.mac; give each an address of its own`,
    )
}

function checkMemory(
  guests: readonly GuestDescription[],
  ramBytes: number,
  vmm: RawDescription['vmm'],
  place: string,
): void {
  const wanted = guests.reduce((sum, guest) => sum + guest.memoryBytes, 0) + (vmm === 'none' ? 0 : VMM_BYTES)
  if (wanted > ramBytes) {
    throw new UserError(
      `${place}: the guests' memory and ${formatSize(vmm === 'none' ? 0 : VMM_BYTES)} for the VMM make ${formatSize(wanted)}, but machine.ram is ${formatSize(ramBytes)}; raise machine.ram or lower a guest's memory`,
    )
  }
}
