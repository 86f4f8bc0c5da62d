/** A machine description, checked: sizes in bytes, disks and addresses laid out, every mistake one clear line. */
import { readFileSync } from 'node:fs'
import type { ErrorObject } from 'ajv'
import { type AiaChoice, GUEST_FILES } from '../../hw/boards/virt.ts'
import type { TimeProtection } from '../../hw/spec/layouts/time-protection.ts'
import { DEFAULT_HOST_POLICY, type HostPolicy } from '../../hw/spec/layouts/host-policy.ts'
import { type Prices, pricesFor } from '../../hw/index.ts'
import type { PlacementChoice } from '../system.ts'
import { UserError } from '../user-error.ts'
import { checkPlacement } from './placement.ts'
import { timeProtectionIn } from './time-protection.ts'
import { type DiskDescription, type DiskPart, disksOf, type LaidDisk, partOf, type Taken } from './disks.ts'
import { type RawDescription, type RawGuest, DescriptionSchema } from './schema.ts'
import { formatSize, parseRam, parseSize } from './size.ts'

const LARGE_PAGE = 0x20_0000
const DEFAULT_WEIGHT = 256
/** What a VMM keeps for itself: firmware, its image, tables, buffers. */
const VMM_BYTES = 32 * 2 ** 20
const DEFAULT_RAM = '512M'

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
  /** `device`: which disk, card or function it has for itself, if it says so. */
  readonly disk: DiskPart | undefined
  readonly network: { readonly mac: readonly number[]; readonly vlan: number; readonly device?: number } | undefined
}

export interface Description {
  readonly harts: number
  readonly ramBytes: number
  readonly disks: readonly DiskDescription[]
  /** Network cards. */
  readonly cards: number
  readonly aia: AiaChoice | undefined
  readonly guestFiles: number
  readonly iommu: boolean
  readonly placement: PlacementChoice | undefined
  readonly timeProtection: TimeProtection | undefined
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
  const disks = disksOf(machine, place)
  const cards = Number(machine.network ?? raw.guests.some(guest => Boolean(guest.network)))
  const taken: { name: string; first: number; end: number }[] = []
  const guests = raw.guests.map((guest, index) => guestOf(guest, index, raw, harts, disks, taken, place))
  checkNames(guests, place)
  checkMemory(guests, ramBytes, raw.vmm, place)
  if (raw.vmm === 'none' && guests.length > 1)
    throw new UserError(
      `${place}: vmm "none" runs one guest straight on the machine, but there are ${guests.length}; choose native or hosted`,
    )
  const host = hostOf(raw, guests, place)
  const board = { aia: machine.aia, guestFiles: machine.guestFiles ?? GUEST_FILES, iommu: machine.iommu ?? false }
  checkBoard(raw, place)
  checkPlacement(raw.placement, { ...board, vmm: raw.vmm, harts, disks: disks.length, cards, guests }, place)
  if (machine.l2 !== undefined && machine.model !== 'cached')
    throw new UserError(`${place}: machine.l2 "${machine.l2}": the flat model has no L2; add "model": "cached"`)
  return {
    harts,
    ramBytes,
    disks: disks.map(({ description }) => description),
    cards,
    ...board,
    placement: raw.placement,
    timeProtection: timeProtectionIn(raw, harts, place),
    seed: machine.seed ?? 1,
    prices: pricesFor(machine),
    vmm: raw.vmm,
    host,
    guests,
  }
}

function checkBoard({ machine, vmm }: RawDescription, place: string): void {
  if (machine?.aia && vmm === 'hosted')
    throw new UserError(
      `${place}: machine.aia "${machine.aia}": the host of vmm "hosted" drives a PLIC; leave machine.aia out, or choose native`,
    )
  if (machine?.guestFiles !== undefined && machine.aia !== 'aplic-imsic')
    throw new UserError(
      `${place}: machine.guestFiles ${machine.guestFiles}: only IMSICs have them; add "aia": "aplic-imsic"`,
    )
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

function guestOf(
  guest: RawGuest,
  index: number,
  raw: RawDescription,
  harts: number,
  disks: readonly LaidDisk[],
  taken: Taken[],
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
    disk: guest.disk && partOf(guest.disk, guest.name, raw, disks, taken, here),
    network: networkOf(guest.network, index),
  }
}

function networkOf(network: RawGuest['network'], index: number): GuestDescription['network'] {
  if (!network) return undefined
  const { mac, vlan = 0, device } = network === true ? {} : network
  // Locally administered, unicast: 02-…
  return {
    mac: mac ? mac.split(':').map(byte => Number.parseInt(byte, 16)) : [0x02, 0x62, 0x68, 0, 0, index + 1],
    vlan,
    ...(device !== undefined && { device }),
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
