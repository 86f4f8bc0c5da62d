/**
 * A guest's RAM, given on demand. In large pages, page n of the guest lies where `pages[n]` says, or nowhere yet (0), and
 * the G-stage tables say the same to the hart. In small pages the tables alone say it, and `pages` what lies behind them
 * in pieces of 2 MiB, if it does.
 */
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import type { HartPort } from '../../hw/port.ts'
import type { GuestMemory } from '../virtual/chip.ts'
import { LARGE_PAGE, mapLarge, mapSmall, SMALL_PAGE, type TableAllocator, translate, unmapLarge } from './g-stage.ts'

/** Gives the page for a guest physical address, zeroed, or 0 if there is none left. */
export type PageAllocator = (port: HartPort, address: number) => number

/** Finds the page for a guest physical address and maps it in the tables below `root`. Its start, or 0. */
export type PageMapper = (port: HartPort, root: number, address: number, tables: TableAllocator) => number

/** How memory comes: in pages of what size the guest gets it, and of what size the allocator gives it, which is not less. */
export interface PageSizes {
  readonly mapped: typeof LARGE_PAGE | typeof SMALL_PAGE
  readonly given: typeof LARGE_PAGE | typeof SMALL_PAGE
}

const LARGE: PageSizes = { mapped: LARGE_PAGE, given: LARGE_PAGE }

export class GuestRam implements GuestMemory {
  readonly bytes: number
  /** Host physical address of each 2 MiB page; registered with the VMM's state. */
  readonly pages: Float64Array
  readonly root: number
  /** Bytes of the pages in which the guest gets it. */
  readonly pageBytes: number
  readonly #sizes: PageSizes
  readonly #allocatePage: PageAllocator
  readonly #map: PageMapper | undefined
  readonly #allocateTable: TableAllocator

  /** `root` is a zeroed G-stage root; `bytes` a multiple of 2 MiB. With `map`, that finds pages and maps them. */
  constructor(
    bytes: number,
    root: number,
    allocatePage: PageAllocator,
    allocateTable: TableAllocator,
    sizes: PageSizes = LARGE,
    map?: PageMapper,
  ) {
    this.bytes = bytes
    this.root = root
    this.pages = new Float64Array(sizes.given === LARGE_PAGE ? bytes / LARGE_PAGE : 0)
    this.pageBytes = sizes.mapped
    this.#sizes = sizes
    this.#allocatePage = allocatePage
    this.#allocateTable = allocateTable
    this.#map = map
  }

  /** True if the guest physical address lies in RAM, populated or not. */
  contains(address: number): boolean {
    return address >= GUEST_RAM && address < GUEST_RAM + this.bytes
  }

  /** Makes a 2 MiB page of the host's the guest's page at an aligned guest physical address. False: no memory for tables. */
  donate(port: HartPort, address: number, page: number): boolean {
    if (this.#sizes.mapped === LARGE_PAGE && !mapLarge(port, this.root, address, page, this.#allocateTable))
      return false
    this.pages[(address - GUEST_RAM) / LARGE_PAGE] = page
    return true
  }

  /** True if it has a page of 2 MiB. */
  hasPages(): boolean {
    for (let index = 0; index < this.pages.length; index++) if (this.pages[index] !== 0) return true
    return false
  }

  /** Takes back one of its pages of 2 MiB, the tables below it included: its address, or 0 if it has none. The caller fences. */
  takeBack(port: HartPort): number {
    for (let index = 0; index < this.pages.length; index++) {
      const page = this.pages[index]
      if (page === 0) continue
      unmapLarge(port, this.root, GUEST_RAM + index * LARGE_PAGE)
      this.pages[index] = 0
      return page
    }
    return 0
  }

  /** Populates the page of an address in RAM; its host address, or 0 if there is no memory. */
  populate(port: HartPort, address: number): number {
    if (this.#sizes.mapped === SMALL_PAGE) return this.#populateSmall(port, address)
    const index = Math.floor((address - GUEST_RAM) / LARGE_PAGE)
    const present = this.pages[index]
    if (present !== 0) return present
    if (this.#map !== undefined) return (this.pages[index] = this.#map(port, this.root, address, this.#allocateTable))
    const page = this.#allocatePage(port, address)
    if (page === 0) return 0
    return this.donate(port, GUEST_RAM + index * LARGE_PAGE, page) ? page : 0
  }

  /** Gives it all its memory now, as far as there is any. */
  populateAll(port: HartPort): void {
    for (let offset = 0; offset < this.bytes; offset += this.#sizes.mapped) this.populate(port, GUEST_RAM + offset)
  }

  #populateSmall(port: HartPort, address: number): number {
    const guest = address - (address % SMALL_PAGE)
    const present = translate(port, this.root, guest)
    if (present >= 0) return present
    if (this.#map !== undefined) return this.#map(port, this.root, guest, this.#allocateTable)
    const page = this.#sizes.given === SMALL_PAGE ? this.#allocatePage(port, guest) : this.#behind(port, guest)
    return page !== 0 && mapSmall(port, this.root, guest, page, this.#allocateTable) ? page : 0
  }

  /** The small page that lies behind a guest's in a large one of the VMM's; 0 if there is no memory. */
  #behind(port: HartPort, guest: number): number {
    const index = Math.floor((guest - GUEST_RAM) / LARGE_PAGE)
    if (this.pages[index] === 0) this.pages[index] = this.#allocatePage(port, guest)
    const page = this.pages[index]
    return page === 0 ? 0 : page + (guest % LARGE_PAGE)
  }

  reach(port: HartPort, address: number, bytes: number): number {
    const offset = address - GUEST_RAM
    if (offset < 0 || offset + bytes > this.bytes) return -1
    // Whether two large pages follow each other in the machine depends on what other guests took: no guest is to find out.
    if ((offset % LARGE_PAGE) + bytes > LARGE_PAGE) return -1
    const first = this.populate(port, address)
    if (first === 0) return -1
    const size = this.#sizes.mapped
    const within = offset % size
    // A range that crosses into the next page must go on where the first one ends.
    let covered = size - within
    let expected = first + size
    while (covered < bytes) {
      if (this.populate(port, address + covered) !== expected) return -1
      covered += size
      expected += size
    }
    return first + within
  }

  deviceAddress(port: HartPort, address: number, bytes: number): number {
    return this.reach(port, address, bytes)
  }
}
