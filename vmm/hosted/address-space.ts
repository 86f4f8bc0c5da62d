/**
 * An address space: Sv39 tables in RAM, the kernel's direct map in its lower half, and areas above, whose anonymous pages
 * the kernel gives when they are touched, 2 MiB or 4 KiB at a time.
 */
import type { HartPort } from '../../hw/port.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import { PTE_A, PTE_D, PTE_G, PTE_R, PTE_U, PTE_V, PTE_W, PTE_X } from '../../hw/spec/layouts/pte.ts'
import type { FreeMemory } from '../core/free-memory.ts'
import { LARGE_PAGE } from '../core/g-stage.ts'
import { isInInterrupt } from './accounting.ts'
import { USER_RAM } from './layout.ts'
import { type AnonymousMemory, leafOf } from './memory/anonymous.ts'
import { area, AREA_ANONYMOUS, AREA_LARGE, AREA_LOCKED, AREA_READ, AREA_WRITE, type Areas } from './memory/areas.ts'
import { countFault, createDescriptor, descriptor, descriptorOf, lockAreas, unlockAreas } from './memory/descriptors.ts'

const TABLE = 4096
const GIB = 2 ** 30
const ENTRIES = 512
export const USER_READ_EXECUTE = PTE_V | PTE_R | PTE_X | PTE_U | PTE_A
export const USER_READ_WRITE = PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D
const KERNEL_PAGE = PTE_V | PTE_R | PTE_W | PTE_X | PTE_G | PTE_A | PTE_D
/** The direct map's entries, 1 GiB each. */
const DIRECT_ENTRIES = 128
const SV39 = 8
/** Pages that a space gives back in one go; whether it has given all back, has more, or has to wait for who holds one. */
const AT_ONCE = 16
export const RELEASED = 0
export const MORE = 1
export const HELD = 2
/** What may be done by an entry is in its lowest bits. */
const FLAGS = 32

/** Address of the entry for `address` in a table whose entries cover `span` bytes each. */
function entryAt(table: number, address: number, span: number): number {
  return table + (Math.floor(address / span) % ENTRIES) * 8
}

function tableIn(value: number): number {
  return Math.floor(value / 1024) * TABLE
}

/** What address spaces are made from. */
export interface SpaceParts {
  readonly free: FreeMemory
  readonly areas: Areas
  readonly anonymous: AnonymousMemory
}

export class AddressSpace {
  /** `root` is the table's page, 0 until it has been made; `released` how far the anonymous memory has been given back. */
  readonly record = { root: 0, released: 0 }
  /** Its number; its address space identifier is one more. The kernel's own is -1. */
  readonly number: number
  /** Of the anonymous memory. */
  readonly pageBytes: number
  readonly #free: FreeMemory
  readonly #areas: Areas
  readonly #anonymous: AnonymousMemory
  readonly #bytes: number

  /** `bytes` of anonymous memory at USER_RAM. */
  constructor({ free, areas, anonymous }: SpaceParts, number: number, bytes: number, pageBytes: number) {
    this.#free = free
    this.#areas = areas
    this.#anonymous = anonymous
    this.number = number
    this.pageBytes = pageBytes
    this.#bytes = bytes
  }

  /** Makes the root, with the kernel's half. */
  create(port: HartPort): void {
    const root = this.#free.takeTable(port)
    for (let index = 0; index < DIRECT_ENTRIES; index++) {
      port.store64(root + index * 8, ((index * GIB) / TABLE) * 1024 + KERNEL_PAGE)
    }
    this.record.root = root
  }

  /** The same for a process, whose memory a group pays for: its guest's RAM is an area that stays where it is. */
  createFor(port: HartPort, group: number): void {
    if (this.record.root === 0) this.create(port)
    createDescriptor(port, this.number, group)
    port.store64(descriptorOf(this.number) + descriptor.root.at, this.record.root)
    if (this.#bytes === 0) return
    const large = this.pageBytes === LARGE_PAGE ? AREA_LARGE : 0
    const flags = AREA_READ | AREA_WRITE | AREA_ANONYMOUS | AREA_LOCKED | large
    this.#areas.add(port, this.number, USER_RAM, this.#bytes, flags)
  }

  /** An area of pages that the kernel maps itself. */
  addArea(port: HartPort, start: number, bytes: number, flags: number): boolean {
    return this.#areas.add(port, this.number, start, bytes, flags)
  }

  /** Puts the value for satp where the switch of address spaces loads it from. */
  describe(port: HartPort, at: number): void {
    port.store32(at, this.record.root / TABLE)
    port.store32(at + 4, ((SV39 << 28) | ((this.number + 1) << 12)) >>> 0)
  }

  /** The table below an entry, made if it is missing; 0 if the group may not have it. */
  #below(port: HartPort, entry: number): number {
    const value = port.load64(entry)
    if (value !== 0) return tableIn(value)
    const table =
      this.number < 0 ? this.#free.takeTable(port) : this.#anonymous.takeTable(port, descriptorOf(this.number))
    if (table !== 0) port.store64(entry, (table / TABLE) * 1024 + PTE_V)
    return table
  }

  /** Maps a 4 KiB page. */
  mapPage(port: HartPort, address: number, page: number, flags: number): void {
    const middle = this.#below(port, entryAt(this.record.root, address, GIB))
    const leaf = this.#below(port, entryAt(middle, address, LARGE_PAGE))
    port.store64(entryAt(leaf, address, TABLE), (page / TABLE) * 1024 + flags)
  }

  /** The 4 KiB page that an address is mapped to, or 0. */
  pageAt(port: HartPort, address: number): number {
    const top = port.load64(entryAt(this.record.root, address, GIB))
    if (top === 0) return 0
    const middle = port.load64(entryAt(tableIn(top), address, LARGE_PAGE))
    if (middle === 0) return 0
    if (middle % 16 > PTE_V) return tableIn(middle) + (address % LARGE_PAGE) - (address % TABLE)
    return tableIn(port.load64(entryAt(tableIn(middle), address, TABLE)))
  }

  /** The same, if the process itself may read, or write, there. */
  usablePageAt(port: HartPort, address: number, write: boolean): number {
    const needed = write ? PTE_V | PTE_R | PTE_W | PTE_U : PTE_V | PTE_R | PTE_U
    const top = port.load64(entryAt(this.record.root, address, GIB))
    if (top % FLAGS !== PTE_V) return 0
    const middle = port.load64(entryAt(tableIn(top), address, LARGE_PAGE))
    if (middle === 0) return 0
    if (middle % FLAGS !== PTE_V) {
      if (((middle % FLAGS) & needed) !== needed) return 0
      return tableIn(middle) + (address % LARGE_PAGE) - (address % TABLE)
    }
    const leaf = port.load64(entryAt(tableIn(middle), address, TABLE))
    return ((leaf % FLAGS) & needed) === needed ? tableIn(leaf) : 0
  }

  /** Bytes that the table's entry for an address covers which is mapped: 2 MiB or 4 KiB. */
  sizeAt(port: HartPort, address: number): number {
    const top = port.load64(entryAt(this.record.root, address, GIB))
    const middle = port.load64(entryAt(tableIn(top), address, LARGE_PAGE))
    return middle % 16 > PTE_V ? LARGE_PAGE : TABLE
  }

  /** Takes the page of a mapped address out of the tables: nobody finds it from here. The caller fences. */
  unmapPage(port: HartPort, address: number): void {
    const middle = tableIn(port.load64(entryAt(this.record.root, address, GIB)))
    const leaf = tableIn(port.load64(entryAt(middle, address, LARGE_PAGE)))
    port.store64(entryAt(leaf, address, TABLE), 0)
  }

  /** True if an address is of the anonymous memory. */
  contains(address: number, bytes: number): boolean {
    return address >= USER_RAM && address + bytes <= USER_RAM + this.#bytes
  }

  /** Gives a process 2 MiB of the machine's that have an image in them, as part of its anonymous memory. */
  adopt(port: HartPort, address: number, page: number): void {
    this.#anonymous.adopt(port, descriptorOf(this.number))
    const middle = this.#below(port, entryAt(this.record.root, address, GIB))
    const entry = entryAt(middle, address, LARGE_PAGE)
    const leaf = leafOf(page, AREA_READ | AREA_WRITE)
    if (this.pageBytes === LARGE_PAGE) return port.store64(entry, leaf)
    const table = this.#below(port, entry)
    for (let index = 0; index < ENTRIES; index++) port.store64(table + index * 8, leaf + index * 1024)
  }

  /** The 4 KiB page behind an address, which the process may read, or write: given now if it is touched for the first time; 0 if it cannot be. */
  populate(port: HartPort, address: number, write: boolean): number {
    const present = this.pageAt(port, address)
    return present !== 0 ? present : this.fault(port, address, write)
  }

  /** The same when somebody has found that nothing is there: by the area of the address, which stays meanwhile. Not in an interrupt. */
  fault(port: HartPort, address: number, write: boolean): number {
    const owner = descriptorOf(this.number)
    lockAreas(port, owner)
    const within = this.areaFor(port, address, write)
    const page = within === 0 ? 0 : this.faultWithin(port, owner, within, address)
    unlockAreas(port, owner)
    return page
  }

  /** The area of an address that the process may read, or write; 0 if it may not. */
  areaFor(port: HartPort, address: number, write: boolean): number {
    const within = this.#areas.find(port, this.number, address)
    if (within === 0) return 0
    return (port.load32(within + area.flags.at) & (write ? AREA_WRITE : AREA_READ)) !== 0 ? within : 0
  }

  /** Gives the page of an address in such an area, which is locked. */
  faultWithin(port: HartPort, owner: number, within: number, address: number): number {
    countFault(port, owner)
    const flags = port.load32(within + area.flags.at)
    if ((flags & AREA_ANONYMOUS) === 0 || isInInterrupt(port)) return 0
    const middle = this.#below(port, entryAt(this.record.root, address, GIB))
    if (middle === 0) return 0
    let entry = entryAt(middle, address, LARGE_PAGE)
    if ((flags & AREA_LARGE) === 0) {
      const leaf = this.#below(port, entry)
      if (leaf === 0) return 0
      entry = entryAt(leaf, address, TABLE)
    }
    const value = port.load64(entry)
    const page = value !== 0 ? tableIn(value) : this.#anonymous.give(port, owner, within, entry, address)
    return (flags & AREA_LARGE) === 0 || page === 0 ? page : page + (address % LARGE_PAGE) - (address % TABLE)
  }

  /** Populates a range that the process may read, or write; false if it cannot be. */
  populateRange(port: HartPort, address: number, bytes: number, write: boolean): boolean {
    const end = address + bytes
    for (let at = address - (address % this.pageBytes); at < end; at += this.pageBytes)
      if (this.populate(port, at, write) === 0) return false
    return true
  }

  /** The 4 KiB page behind a guest physical address, given now if need be. */
  pageOfGuest(port: HartPort, guest: number): number {
    return this.populate(port, USER_RAM + guest - GUEST_RAM, true)
  }

  /** The same page, or the large one that it lies in. */
  wholePageOfGuest(port: HartPort, guest: number): number {
    const page = this.pageOfGuest(port, guest)
    const address = USER_RAM + guest - GUEST_RAM
    return page === 0 ? 0 : page - (address % this.sizeAt(port, address)) + (address % TABLE)
  }

  /** Takes a part of the anonymous memory away and gives its pages back; false if none is left. */
  release(port: HartPort): boolean {
    const { record } = this
    if (record.released >= this.#bytes) return false
    const address = USER_RAM + record.released
    record.released += LARGE_PAGE
    const owner = descriptorOf(this.number)
    const middle = this.#below(port, entryAt(record.root, address, GIB))
    const entry = entryAt(middle, address, LARGE_PAGE)
    const value = port.load64(entry)
    if (value === 0) return true
    port.store64(entry, 0)
    if (value % 16 > PTE_V) this.#anonymous.take(port, owner, tableIn(value), true, true)
    else {
      this.#releaseSmall(port, owner, tableIn(value))
      this.#anonymous.giveTable(port, owner, tableIn(value))
    }
    return true
  }

  /** Takes some of a space's pages away and gives them back, area by area, then areas and tables; says what is left to do. */
  releaseSome(port: HartPort): typeof RELEASED | typeof MORE | typeof HELD {
    const { record } = this
    const owner = descriptorOf(this.number)
    const within = this.#areas.next(port, this.number, record.released)
    if (within === 0) return this.#finish(port, owner)
    const start = Math.max(record.released, port.load64(within + area.start.at))
    const end = Math.min(port.load64(within + area.end.at), start + AT_ONCE * TABLE)
    for (let address = start; address < end; address += TABLE) {
      record.released = address
      const page = this.pageAt(port, address)
      if (page === 0) continue
      if (!this.#anonymous.isOwnersOnly(port, page)) return HELD
      this.unmapPage(port, address)
      this.#anonymous.take(port, owner, page, false, false)
    }
    record.released = end
    return MORE
  }

  #finish(port: HartPort, owner: number): typeof RELEASED {
    const { record } = this
    for (let top = record.root + DIRECT_ENTRIES * 8; top < record.root + TABLE; top += 8) {
      const value = port.load64(top)
      if (value === 0) continue
      port.store64(top, 0)
      for (let entry = tableIn(value); entry < tableIn(value) + TABLE; entry += 8) {
        const below = port.load64(entry)
        if (below !== 0) this.#anonymous.giveTable(port, owner, tableIn(below))
      }
      this.#anonymous.giveTable(port, owner, tableIn(value))
    }
    this.#areas.removeAll(port, this.number)
    record.released = 0
    // Whoever has the space next must not find what this one had.
    port.sfenceVma()
    return RELEASED
  }

  #releaseSmall(port: HartPort, owner: number, table: number): void {
    for (let index = 0; index < ENTRIES; index++) {
      const value = port.load64(table + index * 8)
      if (value !== 0) this.#anonymous.take(port, owner, tableIn(value), false, true)
    }
  }
}
