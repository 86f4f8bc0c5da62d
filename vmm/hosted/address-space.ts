/**
 * A VMM process's address space: Sv39 tables in RAM, the kernel's direct map in its lower half, and anonymous memory
 * for its guest's RAM that the kernel gives when it is touched, 2 MiB or 4 KiB at a time.
 */
import type { HartPort } from '../../hw/port.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import { PTE_A, PTE_D, PTE_G, PTE_R, PTE_U, PTE_V, PTE_W, PTE_X } from '../../hw/spec/layouts/pte.ts'
import type { FreeMemory } from '../core/free-memory.ts'
import { LARGE_PAGE } from '../core/g-stage.ts'
import { USER_RAM } from './layout.ts'
import type { SmallPages } from './small-pages.ts'

const TABLE = 4096
const GIB = 2 ** 30
const ENTRIES = 512
export const USER_READ_EXECUTE = PTE_V | PTE_R | PTE_X | PTE_U | PTE_A
export const USER_READ_WRITE = PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D
export const USER_READ_WRITE_EXECUTE = USER_READ_WRITE | PTE_X
const KERNEL_PAGE = PTE_V | PTE_R | PTE_W | PTE_X | PTE_G | PTE_A | PTE_D
/** The direct map's entries, 1 GiB each. */
const DIRECT_ENTRIES = 128
const SV39 = 8

/** Address of the entry for `address` in a table whose entries cover `span` bytes each. */
function entryAt(table: number, address: number, span: number): number {
  return table + (Math.floor(address / span) % ENTRIES) * 8
}

export class AddressSpace {
  /** `root` is the table's page, 0 until it has been made; `released` how far the anonymous memory has been given back. */
  readonly record = { root: 0, released: 0 }
  /** Of the anonymous memory. */
  readonly pageBytes: number
  readonly #free: FreeMemory
  readonly #small: SmallPages
  readonly #bytes: number
  readonly #asid: number

  /** `bytes` of anonymous memory at USER_RAM. Address space identifier 0 is the kernel's own. */
  constructor(free: FreeMemory, small: SmallPages, asid: number, bytes: number, pageBytes: number) {
    this.#free = free
    this.#small = small
    this.pageBytes = pageBytes
    this.#asid = asid
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

  /** Puts the value for satp where the switch of address spaces loads it from. */
  describe(port: HartPort, at: number): void {
    port.store32(at, this.record.root / TABLE)
    port.store32(at + 4, ((SV39 << 28) | (this.#asid << 12)) >>> 0)
  }

  #below(port: HartPort, entry: number): number {
    const value = port.load64(entry)
    if (value !== 0) return Math.floor(value / 1024) * TABLE
    const table = this.#free.takeTable(port)
    port.store64(entry, (table / TABLE) * 1024 + PTE_V)
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
    const middle = port.load64(entryAt(Math.floor(top / 1024) * TABLE, address, LARGE_PAGE))
    if (middle === 0) return 0
    return Math.floor(port.load64(entryAt(Math.floor(middle / 1024) * TABLE, address, TABLE)) / 1024) * TABLE
  }

  /** True if an address is of the anonymous memory. */
  contains(address: number, bytes: number): boolean {
    return address >= USER_RAM && address + bytes <= USER_RAM + this.#bytes
  }

  /** Maps a 2 MiB page of the anonymous memory. */
  mapLarge(port: HartPort, address: number, page: number): void {
    const middle = this.#below(port, entryAt(this.record.root, address, GIB))
    port.store64(entryAt(middle, address, LARGE_PAGE), (page / TABLE) * 1024 + USER_READ_WRITE)
  }

  /** The page of `pageBytes` behind an address of the anonymous memory, given now if it is touched for the first time; 0 if there is no memory. */
  populate(port: HartPort, address: number): number {
    const middle = this.#below(port, entryAt(this.record.root, address, GIB))
    const entry = entryAt(middle, address, LARGE_PAGE)
    if (this.pageBytes === TABLE) return this.#populateSmall(port, entry, address)
    const value = port.load64(entry)
    if (value !== 0) return Math.floor(value / 1024) * TABLE
    const page = this.#free.takePage()
    if (page !== 0) port.store64(entry, (page / TABLE) * 1024 + USER_READ_WRITE)
    return page
  }

  #populateSmall(port: HartPort, middleEntry: number, address: number): number {
    const above = port.load64(middleEntry)
    if (above % 16 > PTE_V) this.#split(port, middleEntry, above)
    const entry = entryAt(this.#below(port, middleEntry), address, TABLE)
    const value = port.load64(entry)
    if (value !== 0) return Math.floor(value / 1024) * TABLE
    const page = this.#small.take(port, address)
    if (page !== 0) port.store64(entry, (page / TABLE) * 1024 + USER_READ_WRITE)
    return page
  }

  /** A large page, which the process was given with an image in it, becomes 512 small ones. */
  #split(port: HartPort, middleEntry: number, value: number): void {
    const table = this.#free.takeTable(port)
    for (let index = 0; index < ENTRIES; index++) port.store64(table + index * 8, value + index * 1024)
    port.store64(middleEntry, (table / TABLE) * 1024 + PTE_V)
    port.sfenceVma()
  }

  /** Populates a range of the anonymous memory; false if there is no memory. */
  populateRange(port: HartPort, address: number, bytes: number): boolean {
    const end = address + bytes
    for (let at = address - (address % this.pageBytes); at < end; at += this.pageBytes)
      if (this.populate(port, at) === 0) return false
    return true
  }

  /** The same for a guest physical address: what the hypervisor module mirrors in the G-stage tables. */
  pageOfGuest(port: HartPort, guest: number): number {
    return this.populate(port, USER_RAM + guest - GUEST_RAM)
  }

  /** Takes a part of the anonymous memory away and gives its pages back; false if none is left. */
  release(port: HartPort): boolean {
    const { record } = this
    if (record.released >= this.#bytes) return false
    const address = USER_RAM + record.released
    record.released += LARGE_PAGE
    const middle = this.#below(port, entryAt(record.root, address, GIB))
    const entry = entryAt(middle, address, LARGE_PAGE)
    const value = port.load64(entry)
    if (value === 0) return true
    port.store64(entry, 0)
    const below = Math.floor(value / 1024) * TABLE
    if (value % 16 > PTE_V) this.#free.givePage(below)
    else this.#releaseSmall(port, below)
    return true
  }

  #releaseSmall(port: HartPort, table: number): void {
    for (let index = 0; index < ENTRIES; index++) {
      const value = port.load64(table + index * 8)
      if (value !== 0) this.#small.give(port, Math.floor(value / 1024) * TABLE)
    }
  }
}
