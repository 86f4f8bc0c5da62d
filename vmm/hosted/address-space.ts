/**
 * A VMM process's address space: Sv39 tables in RAM, the kernel's direct map in its lower half, and anonymous memory
 * for its guest's RAM that the kernel gives when it is touched, 2 MiB at a time.
 */
import type { HartPort } from '../../hw/port.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import { PTE_A, PTE_D, PTE_G, PTE_R, PTE_U, PTE_V, PTE_W, PTE_X } from '../../hw/spec/layouts/pte.ts'
import type { FreeMemory } from '../core/free-memory.ts'
import { LARGE_PAGE } from '../core/g-stage.ts'
import { USER_RAM } from './layout.ts'

const TABLE = 4096
const GIB = 2 ** 30
const ENTRIES = 512
export const USER_READ_EXECUTE = PTE_V | PTE_R | PTE_X | PTE_U | PTE_A
export const USER_READ_WRITE = PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D
const KERNEL_PAGE = PTE_V | PTE_R | PTE_W | PTE_X | PTE_G | PTE_A | PTE_D
/** The direct map's entries, 1 GiB each. */
const DIRECT_ENTRIES = 128
const SV39 = 8

/** Address of the entry for `address` in a table whose entries cover `span` bytes each. */
function entryAt(table: number, address: number, span: number): number {
  return table + (Math.floor(address / span) % ENTRIES) * 8
}

export class AddressSpace {
  /** `root` is the table's page, 0 until it has been made. */
  readonly record = { root: 0 }
  readonly #free: FreeMemory
  readonly #bytes: number
  readonly #asid: number

  /** `bytes` of anonymous memory at USER_RAM. Address space identifier 0 is the kernel's own. */
  constructor(free: FreeMemory, asid: number, bytes: number) {
    this.#free = free
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

  /** True if an address is of the anonymous memory. */
  contains(address: number, bytes: number): boolean {
    return address >= USER_RAM && address + bytes <= USER_RAM + this.#bytes
  }

  /** Maps a 2 MiB page of the anonymous memory. */
  mapLarge(port: HartPort, address: number, page: number): void {
    const middle = this.#below(port, entryAt(this.record.root, address, GIB))
    port.store64(entryAt(middle, address, LARGE_PAGE), (page / TABLE) * 1024 + USER_READ_WRITE)
  }

  /** The 2 MiB page behind an address of the anonymous memory, given now if it is touched for the first time; 0 if there is no memory. */
  populate(port: HartPort, address: number): number {
    const middle = this.#below(port, entryAt(this.record.root, address, GIB))
    const entry = entryAt(middle, address, LARGE_PAGE)
    const value = port.load64(entry)
    if (value !== 0) return Math.floor(value / 1024) * TABLE
    const page = this.#free.takePage()
    if (page !== 0) port.store64(entry, (page / TABLE) * 1024 + USER_READ_WRITE)
    return page
  }

  /** The same for a guest physical address: what the hypervisor module mirrors in the G-stage tables. */
  pageOfGuest(port: HartPort, guest: number): number {
    return this.populate(port, USER_RAM + guest - GUEST_RAM)
  }

  /** Takes the anonymous memory away and gives its pages back. */
  release(port: HartPort): void {
    for (let offset = 0; offset < this.#bytes; offset += LARGE_PAGE) {
      const middle = this.#below(port, entryAt(this.record.root, USER_RAM + offset, GIB))
      const entry = entryAt(middle, USER_RAM + offset, LARGE_PAGE)
      const value = port.load64(entry)
      if (value === 0) continue
      port.store64(entry, 0)
      this.#free.givePage(Math.floor(value / 1024) * TABLE)
    }
  }
}
