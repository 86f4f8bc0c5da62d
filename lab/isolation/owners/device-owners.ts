/**
 * Who has which device: functions of the bus, their registers in guests' tables, their contexts in the IOMMU, interrupt files
 * and wires. Read from the machine, and held against what its description gives to whom; and every request of a device is
 * held against the owner of the page that it reaches.
 */
import { VIRT_MAP } from '../../../hw/boards/virt-map.ts'
import { PAGE_BYTES } from '../../../hw/spec/address.ts'
import { aplic } from '../../../hw/spec/devices/aplic.ts'
import { plic } from '../../../hw/spec/devices/plic.ts'
import type { Arena } from '../arena.ts'
import { GuestPages, type Leaf } from '../guest-pages.ts'
import { type Context, contextsOf, faultQueueOf } from './contexts.ts'
import { DiskCommands } from './disk-commands.ts'
import { InterruptFiles } from './files.ts'
import {
  driverOf,
  functionName,
  functionsOf,
  type MachineFunction,
  type RegisterRange,
  registersOf,
  VMM,
} from './functions.ts'
import { FIRST_GUEST, hex, type PageMap, type See, TABLE, UNKNOWN } from './page-map.ts'
import { holdWires } from './wires.ts'

interface Owned {
  readonly of: MachineFunction
  readonly name: string
  readonly driver: number
  readonly commands: DiskCommands | undefined
}

const ROOT_BYTES = 0x4000
/** Registers that say who has what. */
const REGISTERS = [
  [VIRT_MAP.pcieEcam.base, VIRT_MAP.pcieEcam.bytes],
  [VIRT_MAP.iommu.base, VIRT_MAP.iommu.bytes],
  [VIRT_MAP.plic.base + plic.enable.at, plic.threshold.at - plic.enable.at],
  [VIRT_MAP.aplicSupervisor.base, aplic.mmsiaddrcfg.at],
  [VIRT_MAP.aplicSupervisor.base + aplic.target.at, aplic.target.count * aplic.target.stride],
] as const
const found = new WeakMap<Arena, readonly MachineFunction[]>()

/** Of an arena's machine, looked for once. */
function functionsIn(arena: Arena): readonly MachineFunction[] {
  const functions = found.get(arena) ?? functionsOf(arena)
  found.set(arena, functions)
  return functions
}

export class DeviceOwners {
  readonly #arena: Arena
  readonly #map: PageMap
  readonly #see: See
  readonly #functions: ReadonlyMap<number, Owned>
  readonly #files: InterruptFiles
  readonly #isNative: boolean
  #contexts: readonly Context[] | undefined
  #refused = { base: 0, bytes: 0 }
  /** Pages of registers that guests' tables lead to, by guest and address. */
  readonly #registers = new Set<string>()

  constructor(arena: Arena, map: PageMap, see: See) {
    const { topology } = arena
    this.#arena = arena
    this.#map = map
    this.#see = see
    this.#isNative = topology.vmm === 'native'
    this.#files = new InterruptFiles(topology, see)
    this.#functions = new Map(functionsIn(arena).map(of => [of.requester, this.#owned(of)]))
  }

  #owned(of: MachineFunction): Owned {
    const { topology, disks, machine, guests } = this.#arena
    const driver = driverOf(topology, of)
    const { memory } = machine
    const serves = of.device === 'disk' && (driver === VMM || driver >= guests.length)
    const word = (address: number) => memory.words[memory.toHost(address) >> 2] >>> 0
    const commands = serves
      ? new DiskCommands(disks[of.number], {
          topology,
          see: this.#see,
          driver,
          ownerAt: address => this.#map.ownerAt(address),
          reach: address => this.#reach(of.requester, address),
          number: address => word(address + 4) * 2 ** 32 + word(address),
        })
      : undefined
    return { of, name: functionName(of), driver, commands }
  }

  clear(): void {
    for (const { commands } of this.#functions.values()) commands?.clear()
  }

  /** True for registers that say who has what. */
  isKnownBy(address: number): boolean {
    return REGISTERS.some(([base, bytes]) => address >= base && address < base + bytes)
  }

  /** True if a guest has the registers at a physical address, or an interrupt file. */
  hasRegisters(guest: number, address: number): boolean {
    return this.#registers.has(`${guest} ${address}`)
  }

  resumed(hart: number, guest: number, vcpu: number, words: Int32Array): void {
    if (this.#arena.topology.aia === 'aplic-imsic') this.#files.holdHart(hart, guest, vcpu, words)
  }

  /** A look at all of it; `leaves`: of guests' tables. */
  look(leaves: readonly (readonly [guest: number, leaf: Leaf])[]): void {
    if (!this.#isNative) return
    this.#files.clear()
    this.#registers.clear()
    const outside = leaves.filter(([, { host }]) => this.#map.ownerAt(host) === undefined)
    const ranges =
      outside.length === 0
        ? []
        : [...this.#functions.values()].map(owned => ({ owned, at: registersOf(this.#arena, owned.of) }))
    for (const [guest, leaf] of outside) this.#claimRegisters(guest, leaf, ranges)
    this.#contexts = contextsOf(this.#arena.machine, this.#map)
    if (this.#contexts) this.#refused = faultQueueOf(this.#arena.machine)
    for (const context of this.#contexts ?? []) this.#holdContext(context)
    holdWires(this.#arena.machine, this.#see)
  }

  /** Registers in a guest's tables: of a function that it drives, without the table of messages; or its interrupt file. */
  #claimRegisters(
    guest: number,
    { guest: address, host, bytes }: Leaf,
    ranges: readonly { readonly owned: Owned; readonly at: readonly RegisterRange[] }[],
  ): void {
    this.#registers.add(`${guest} ${host}`)
    if (this.#files.isFile(host)) return this.#files.claim(guest, address, host)
    for (const { owned, at } of ranges) {
      const range = at.find(({ base, bytes: size }) => host >= base && host + bytes <= base + size)
      if (!range) continue
      const what = `guest ${guest} reaches registers of ${owned.name} at ${hex(host)}`
      if (owned.driver !== guest) this.#see(`${what}, which ${driverName(owned.driver)} drives`)
      const table = range.base + range.table
      if (range.table >= 0 && table - (table % PAGE_BYTES) === host) this.#see(`${what}, where its messages are told`)
      return
    }
    this.#see(`guest ${guest}'s page ${hex(address)} leads to ${hex(host)}, which is neither RAM nor its device's`)
  }

  /** What a function reaches is what its driver reaches. */
  #holdContext(context: Context): void {
    const { everyone } = this.#arena
    const { requester, root, gscid, isTwoStage, messages } = context
    const owned = this.#functions.get(requester)
    const name = owned?.name ?? `device ${requester}`
    if (isTwoStage) this.#see(`${name} has tables of a first stage, which nobody gave it`)
    if (root < 0) return this.#see(`${name} reaches everything`)
    const guest = everyone.findIndex(pages => pages.root === root)
    if (guest !== (owned?.driver ?? VMM))
      this.#see(`${name} reaches memory as ${driverName(guest)}, and ${driverName(owned?.driver ?? VMM)} drives it`)
    const isGuests = gscid >= 1 && gscid <= everyone.length
    if (guest >= 0 && gscid !== guest + 1)
      this.#see(`${name} is named ${gscid} in the IOMMU, and its guest has VMID ${guest + 1}`)
    if (guest < 0 && isGuests) this.#see(`${name} is named ${gscid} in the IOMMU, as guest ${gscid - 1}'s devices`)
    const double = this.#contexts?.find(other => other.gscid === gscid && other.root !== root)
    if (double) this.#see(`in the IOMMU ${gscid} names what ${name} reaches, and something else`)
    for (const [vcpu, page] of messages?.entries() ?? []) {
      if (page === undefined) continue
      if (guest < 0) this.#see(`messages of ${name}, which the VMM drives, go to ${hex(page)}`)
      else this.#files.holdMessage(guest, vcpu, page)
    }
    if (guest < 0 && owned) this.#holdOwnTables(owned, root)
  }

  /** A device of the VMM's own reaches its driver's memory, and pages of guests that it serves. */
  #holdOwnTables({ of, name }: Owned, root: number): void {
    const { topology, machine } = this.#arena
    for (let page = 0; page < ROOT_BYTES; page += PAGE_BYTES) this.#map.claimOnce(root + page, `tables of ${name}`)
    new GuestPages(machine.memory, root, 0).walk(
      ({ host, bytes }) => {
        for (let page = host; page < host + bytes; page += PAGE_BYTES) {
          const owner = this.#map.ownerAt(page)
          if (owner === UNKNOWN) continue
          if (owner === undefined) {
            if (page !== VIRT_MAP.imsicSupervisor.base) this.#see(`${name} reaches ${hex(page)}, which is no RAM`)
          } else if (owner === TABLE) this.#see(`${name} reaches tables at ${hex(page)}`)
          else if (of.device !== 'disk' || !topology.guests[owner - FIRST_GUEST]?.disk)
            this.#see(
              `${name} reaches the page at ${hex(page)}, guest ${owner - FIRST_GUEST}'s, whom it does not serve`,
            )
        }
      },
      table => this.#map.claimOnce(table, `tables of ${name}`),
    )
  }

  /** A request has come to a page. */
  mastered(requester: number, host: number, _bytes: number, write: boolean): void {
    const owned = this.#functions.get(requester)
    const owner = this.#map.ownerOf(host)
    if (!owned || !this.#isNative || owner === undefined) return
    const address = this.#arena.machine.memory.toPhysical(host)
    const { name, driver, commands } = owned
    if (owner === TABLE) {
      // The IOMMU reads its own on the way.
      if (write) this.#see(`${name} writes to tables at ${hex(address)}`)
    } else if (owner === UNKNOWN) {
      const { base, bytes } = this.#refused
      const isRecord = write && address >= base && address < base + bytes
      if (driver !== VMM && !isRecord)
        this.#see(`${name}, which guest ${driver} drives, reaches ${hex(address)}, which is the VMM's`)
    } else if (owner - FIRST_GUEST !== driver) {
      if (commands) commands.mastered(address, owner - FIRST_GUEST, write)
      else if (driver < this.#arena.guests.length)
        this.#see(
          `${name}, which ${driverName(driver)} drives, reaches ${hex(address)}, guest ${owner - FIRST_GUEST}'s page`,
        )
    }
  }

  transferred(requester: number, address: number, data: Uint8Array, write: boolean): void {
    if (this.#isNative) this.#functions.get(requester)?.commands?.transferred(address, data, write)
  }

  /** The run is over: whoever has ended drives nothing any more. */
  end(): void {
    const { system, everyone } = this.#arena
    for (const { requester, root } of this.#contexts ?? []) {
      const guest = everyone.findIndex(pages => pages.root === root)
      if (system.guests[guest]?.record.ended)
        this.#see(`${this.#functions.get(requester)?.name} reaches memory of guest ${guest}, which has ended`)
    }
    for (const registers of this.#registers) {
      const [guest, page] = registers.split(' ').map(Number)
      if (system.guests[guest]?.record.ended && !this.#files.isFile(page))
        this.#see(`guest ${guest} has ended, and its tables lead to registers at ${hex(page)}`)
    }
  }

  /** Where an address of a device's leads: itself without an IOMMU; -1 is nowhere. */
  #reach(requester: number, address: number): number {
    if (this.#contexts === undefined) return address
    const root = this.#contexts.find(context => context.requester === requester)?.root ?? -1
    if (root < 0) return -1
    const { memory } = this.#arena.machine
    const host = new GuestPages(memory, root, 0).find(address)
    return host < 0 ? -1 : memory.toPhysical(host)
  }
}

function driverName(driver: number): string {
  return driver === VMM ? 'the VMM' : `guest ${driver}`
}
