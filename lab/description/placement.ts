/** Where drivers are to be, checked: what the board cannot give and what nobody could mean is told before anything is built. */
import type { AiaChoice } from '../../hw/boards/virt.ts'
import { DEFAULT_PLACEMENT, type DriverPlacement } from '../../hw/spec/layouts/placement.ts'
import type { PlacementChoice } from '../system.ts'
import { FUNCTIONS_OF_A_CARD } from '../network.ts'
import { UserError } from '../user-error.ts'
import type { RawDescription } from './schema.ts'

/** What of a described machine and its guests placements depend on. */
export interface PlacedMachine {
  readonly vmm: RawDescription['vmm']
  readonly harts: number
  readonly aia: AiaChoice | undefined
  readonly guestFiles: number
  readonly iommu: boolean
  readonly disks: number
  readonly cards: number
  readonly guests: readonly PlacedGuest[]
}

export interface PlacedGuest {
  readonly name: string
  readonly harts: readonly number[]
  /** Undefined if it has none; `device` if it says which. */
  readonly disk: { readonly device?: number } | undefined
  readonly network: { readonly device?: number } | undefined
}

type Kind = keyof PlacementChoice & ('disk' | 'network')

const WORDS = {
  disk: { one: 'NVMe controller', many: 'NVMe controllers', more: 'more machine.disks' },
  network: { one: 'network card', many: 'network cards', more: 'a larger machine.network' },
} as const

/** True if guests drive the devices themselves. */
export function isPassedThrough(placement: Partial<DriverPlacement> | undefined): boolean {
  return placement?.at === 'guest' || placement?.at === 'function'
}

/** Throws one line if it cannot be had so. `place` begins it. */
export function checkPlacement(choice: PlacementChoice | undefined, machine: PlacedMachine, place: string): void {
  if (choice && machine.vmm !== 'native') throw new UserError(`${place}: ${elsewhere(machine.vmm)}`)
  for (const kind of ['disk', 'network'] as const) {
    const placement = { ...DEFAULT_PLACEMENT, ...choice?.[kind] }
    checkOne(kind, placement, machine, `${place}: placement.${kind}`)
    checkOwners(kind, placement, machine, place)
  }
}

function elsewhere(vmm: RawDescription['vmm']): string {
  return vmm === 'none'
    ? 'placement says where vmm "native" puts drivers, but vmm is "none": the guest has them; leave placement out'
    : `placement says where vmm "native" puts drivers, but vmm is "hosted", whose host has them; leave placement out, or say host.backend`
}

function checkOne(kind: Kind, placement: DriverPlacement, machine: PlacedMachine, here: string): void {
  const { at, interrupts, hart } = placement
  const { one } = WORDS[kind]
  if (hart !== undefined && hart >= machine.harts)
    throw new UserError(
      `${here}.hart: hart ${hart} does not exist; the machine has ${machine.harts} (0 to ${machine.harts - 1})`,
    )
  if (!isPassedThrough(placement)) {
    if (interrupts !== DEFAULT_PLACEMENT.interrupts)
      throw new UserError(
        `${here}.interrupts "${interrupts}" is for devices that guests drive, but at is "${at}"; say "at": "guest", or service`,
      )
    return
  }
  if (!machine.iommu)
    throw new UserError(
      `${here}.at "${at}": without an IOMMU a guest's ${one} reaches the memory of all; add "iommu": true to machine`,
    )
  if (interrupts === 'posted' && (machine.aia !== 'aplic-imsic' || machine.guestFiles === 0))
    throw new UserError(
      `${here}.interrupts "posted": there are no guest interrupt files to post to; add "aia": "aplic-imsic" to machine, with guestFiles of 1 or more`,
    )
  if (at === 'function' && kind === 'disk')
    throw new UserError(
      `${here}.at "function": the board's NVMe controllers have no virtual functions; say "at": "guest" and give each guest one of machine.disks`,
    )
  if (interrupts === 'posted') checkFiles(machine, here)
}

/** A vCPU takes a guest interrupt file of the hart to which it is pinned. */
function checkFiles({ guests, harts, guestFiles }: PlacedMachine, here: string): void {
  for (let hart = 0; hart < harts; hart++) {
    const pinned = guests.filter(guest => guest.harts.includes(hart))
    if (pinned.length > guestFiles)
      throw new UserError(
        `${here}.interrupts "posted": ${pinned.length} vCPUs are pinned to hart ${hart}, which has ${guestFiles} guest interrupt files; raise machine.guestFiles, or pin them to more harts`,
      )
  }
}

/** Each device or function has one owner; and one that is shared, none. */
function checkOwners(kind: Kind, placement: DriverPlacement, machine: PlacedMachine, place: string): void {
  const { many, more } = WORDS[kind]
  const here = `${place}: placement.${kind}.at "${placement.at}"`
  const own = isPassedThrough(placement)
  const owners = machine.guests.filter(guest => guest[kind] !== undefined)
  const chosen = owners.find(guest => guest[kind]?.device !== undefined)
  if (!own) {
    if (chosen)
      throw new UserError(
        `${place}: guest ${chosen.name}: ${kind}.device is for guests that drive a device, but placement.${kind}.at is "${placement.at}"; leave device out, or say "at": "guest"`,
      )
    return
  }
  const isFunction = placement.at === 'function'
  const devices = kind === 'disk' ? machine.disks : machine.cards
  // the VMM splits one card
  const there = isFunction ? Math.min(devices, 1) * FUNCTIONS_OF_A_CARD : devices
  const what = isFunction ? 'virtual functions' : many
  if (owners.length > there)
    throw new UserError(
      `${here}: ${owners.length} guests have one, but there are ${there} ${what}; ${isFunction ? '' : `give ${more}, or `}let some guests go without`,
    )
  const taken = new Map<number, string>()
  for (const [index, guest] of owners.entries()) {
    const device = guest[kind]?.device ?? index
    if (device >= there)
      throw new UserError(
        `${place}: guest ${guest.name}: ${kind}.device ${device} does not exist: there are ${there} ${what} (0 to ${there - 1}); choose another${isFunction ? '' : `, or give ${more}`}`,
      )
    const other = taken.get(device)
    if (other !== undefined)
      throw new UserError(
        `${place}: guest ${guest.name}: ${kind}.device ${device} is guest ${other}'s, and has one owner; choose another, or give ${more}`,
      )
    taken.set(device, guest.name)
  }
}
