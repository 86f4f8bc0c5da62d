/**
 * A guest's RAM: 2 MiB pages, given on demand. Page n of the guest lies where `pages[n]` says, or nowhere yet (0). The
 * G-stage tables say the same to the hart.
 */
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import type { HartPort } from '../../hw/port.ts'
import type { GuestMemory } from '../virtual/chip.ts'
import { LARGE_PAGE, mapLarge, type TableAllocator } from './g-stage.ts'

/** Gives the 2 MiB page for a guest physical address, zeroed, or 0 if there is none left. */
export type PageAllocator = (port: HartPort, address: number) => number

export class GuestRam implements GuestMemory {
  readonly bytes: number
  /** Host physical address of each 2 MiB page; registered with the VMM's state. */
  readonly pages: Float64Array
  readonly root: number
  readonly #allocatePage: PageAllocator
  readonly #allocateTable: TableAllocator

  /** `root` is a zeroed G-stage root; `bytes` a multiple of 2 MiB. */
  constructor(bytes: number, root: number, allocatePage: PageAllocator, allocateTable: TableAllocator) {
    this.bytes = bytes
    this.root = root
    this.pages = new Float64Array(bytes / LARGE_PAGE)
    this.#allocatePage = allocatePage
    this.#allocateTable = allocateTable
  }

  /** True if the guest physical address lies in RAM, populated or not. */
  contains(address: number): boolean {
    return address >= GUEST_RAM && address < GUEST_RAM + this.bytes
  }

  /** Makes a page of the host's the guest's page at a 2 MiB-aligned guest physical address. False: no memory for tables. */
  donate(port: HartPort, address: number, page: number): boolean {
    if (!mapLarge(port, this.root, address, page, this.#allocateTable)) return false
    this.pages[(address - GUEST_RAM) / LARGE_PAGE] = page
    return true
  }

  /** Populates the page of an address in RAM; its host address, or 0 if there is no memory. */
  populate(port: HartPort, address: number): number {
    const index = Math.floor((address - GUEST_RAM) / LARGE_PAGE)
    const present = this.pages[index]
    if (present !== 0) return present
    const page = this.#allocatePage(port, address)
    if (page === 0) return 0
    return this.donate(port, GUEST_RAM + index * LARGE_PAGE, page) ? page : 0
  }

  reach(port: HartPort, address: number, bytes: number): number {
    const offset = address - GUEST_RAM
    if (offset < 0 || offset + bytes > this.bytes) return -1
    const first = this.populate(port, address)
    if (first === 0) return -1
    const within = offset % LARGE_PAGE
    // A range that crosses into the next page must go on where the first one ends.
    let covered = LARGE_PAGE - within
    let expected = first + LARGE_PAGE
    while (covered < bytes) {
      if (this.populate(port, address + covered) !== expected) return -1
      covered += LARGE_PAGE
      expected += LARGE_PAGE
    }
    return first + within
  }

  deviceAddress(port: HartPort, address: number, bytes: number): number {
    return this.reach(port, address, bytes)
  }
}
