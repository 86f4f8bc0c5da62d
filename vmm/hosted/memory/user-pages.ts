/**
 * Pages of a process that somebody else is to reach: found by its tables, given if need be, and held until they are let
 * go of, so that nobody takes them back meanwhile.
 */
import type { HartPort } from '../../../hw/port.ts'
import type { AddressSpace } from '../address-space.ts'
import type { PageStructs } from '../page-structs.ts'
import { descriptorOf, lockAreas, unlockAreas } from './descriptors.ts'

export class UserPages {
  readonly #pages: PageStructs

  constructor(pages: PageStructs) {
    this.#pages = pages
  }

  /** The 4 KiB page behind an address, held; 0 if there is none to be had. */
  get(port: HartPort, space: AddressSpace, address: number, write: boolean): number {
    const page = this.#quickly(port, space, address)
    return page !== 0 ? page : this.#slowly(port, space, address, write)
  }

  /** Without a lock: held first, then looked up again, for it may have gone meanwhile. */
  #quickly(port: HartPort, space: AddressSpace, address: number): number {
    const page = space.pageAt(port, address)
    if (page === 0) return 0
    const record = this.#pages.at(page)
    this.#pages.holdOne(port, record, 1)
    if (space.pageAt(port, address) === page) return page
    this.#pages.holdOne(port, record, -1)
    return 0
  }

  /** By a fault of the process's, as if it had touched the page itself; then it is there to be found. */
  #slowly(port: HartPort, space: AddressSpace, address: number, write: boolean): number {
    if (space.fault(port, address, write) === 0) return 0
    const owner = descriptorOf(space.number)
    lockAreas(port, owner)
    const page = space.pageAt(port, address)
    if (page !== 0) this.#pages.holdOne(port, this.#pages.at(page), 1)
    unlockAreas(port, owner)
    return page
  }

  /** One holder less. */
  letGo(port: HartPort, page: number): void {
    this.#pages.holdOne(port, this.#pages.at(page), -1)
  }
}
