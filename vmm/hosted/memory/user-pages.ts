/**
 * Pages of a process that somebody else is to reach: found by its tables, given if need be, and held until they are let
 * go of, so that nobody takes them back meanwhile. What the process could not do itself, nobody does for it: a page that it
 * may only read is not to be written on its behalf.
 */
import type { HartPort } from '../../../hw/port.ts'
import { acquire, release } from '../../core/spin-lock.ts'
import type { AddressSpace } from '../address-space.ts'
import type { PageStructs } from '../page-structs.ts'
import { descriptor, descriptorOf, lockAreas, unlockAreas } from './descriptors.ts'

export class UserPages {
  readonly #pages: PageStructs

  constructor(pages: PageStructs) {
    this.#pages = pages
  }

  /** The 4 KiB page behind an address, held; 0 if there is none to be had. */
  get(port: HartPort, space: AddressSpace, address: number, write: boolean): number {
    const page = this.#quickly(port, space, address, write)
    return page !== 0 ? page : this.#slowly(port, space, address, write)
  }

  /** Without a lock: held first, then looked up again, for it may have gone meanwhile. */
  #quickly(port: HartPort, space: AddressSpace, address: number, write: boolean): number {
    const page = space.usablePageAt(port, address, write)
    if (page === 0) return 0
    const record = this.#pages.at(page)
    this.#pages.holdOne(port, record, 1)
    if (space.usablePageAt(port, address, write) === page) {
      this.#pages.touch(port, record)
      return page
    }
    this.#pages.holdOne(port, record, -1)
    return 0
  }

  /** By its area, which stays meanwhile: somebody may have been given the page since. If not, by a fault, as if the process had touched it; then it is there to be found. */
  #slowly(port: HartPort, space: AddressSpace, address: number, write: boolean): number {
    const owner = descriptorOf(space.number)
    lockAreas(port, owner)
    const within = space.areaFor(port, address, write)
    let page = within === 0 ? 0 : this.#find(port, space, owner, address, write)
    if (within !== 0 && page === 0 && space.faultWithin(port, owner, within, address) !== 0)
      page = this.#find(port, space, owner, address, write)
    unlockAreas(port, owner)
    return page
  }

  /** While nobody changes the tables. */
  #find(port: HartPort, space: AddressSpace, owner: number, address: number, write: boolean): number {
    acquire(port, owner + descriptor.tableLock.at)
    const page = space.usablePageAt(port, address, write)
    if (page !== 0) {
      const record = this.#pages.at(page)
      this.#pages.holdOne(port, record, 1)
      this.#pages.touch(port, record)
    }
    release(port, owner + descriptor.tableLock.at)
    return page
  }

  /** One holder less. */
  letGo(port: HartPort, page: number): void {
    this.#pages.holdOne(port, this.#pages.at(page), -1)
  }
}
