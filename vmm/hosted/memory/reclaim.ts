/**
 * Takes pages back from a group that has reached its limit. There is no disk to put them on, so what can be had is pages
 * that hold nothing but zeros, which would come back the same; the others are put in front again. Only groups whose processes
 * run on one hart: nobody else has their pages in a TLB.
 */
import type { HartPort } from '../../../hw/port.ts'
import { acquire, release } from '../../core/spin-lock.ts'
import type { AddressSpace } from '../address-space.ts'
import { pageRecord, type PageStructs } from '../page-structs.ts'
import type { AnonymousMemory } from './anonymous.ts'
import { area } from './areas.ts'
import { beginTaking, descriptorOf, endTaking } from './descriptors.ts'
import { groupAt, memoryGroup, PROGRAMS_GROUP } from './groups.ts'
import { ACTIVE, INACTIVE, lastOf, lengthOf } from './page-lists.ts'

const PAGE = 4096
/** Pages looked at, and taken, in one go: an entry has to be short. */
const SCANNED = 16
const ENOUGH = 8

export class Reclaim {
  readonly #pages: PageStructs
  readonly #anonymous: AnonymousMemory
  readonly #spaceOf: (number: number) => AddressSpace

  constructor(pages: PageStructs, anonymous: AnonymousMemory, spaceOf: (number: number) => AddressSpace) {
    this.#pages = pages
    this.#anonymous = anonymous
    this.#spaceOf = spaceOf
  }

  /** How many pages the group has given back. */
  attempt(port: HartPort, group: number): number {
    if (group !== PROGRAMS_GROUP) return 0
    port.account('host kernel', 'reclaim', 'emulation')
    this.#pages.listBatch(port)
    const lock = groupAt(group) + memoryGroup.lock.at
    let taken = 0
    for (let scanned = 0; scanned < SCANNED && taken < ENOUGH; scanned++) {
      acquire(port, lock)
      this.#balance(port, group)
      const record = lastOf(port, group, INACTIVE)
      const isTouched = record !== 0 && this.#pages.forgetTouch(port, record)
      const isNeeded = isTouched || (record !== 0 && !this.#isIdle(port, record))
      if (isNeeded) this.#pages.move(port, record, group, !isTouched)
      release(port, lock)
      if (record === 0) break
      if (isNeeded) continue
      this.#takeAway(port, record)
      taken++
    }
    const at = groupAt(group) + memoryGroup.reclaimed.at
    port.store32(at, port.load32(at) + taken)
    return taken
  }

  /** Where more are in front than are looked at next, the last of them is. */
  #balance(port: HartPort, group: number): void {
    if (lengthOf(port, group, INACTIVE) >= lengthOf(port, group, ACTIVE)) return
    this.#pages.move(port, lastOf(port, group, ACTIVE), group, false)
  }

  /** True if nobody but its owner holds the page, and nothing is lost with it. */
  #isIdle(port: HartPort, record: number): boolean {
    if (port.load32(record + pageRecord.held.at) !== 1 || port.load32(record + pageRecord.mapped.at) !== 1) return false
    const page = this.#pages.pageOf(record)
    for (let at = page; at < page + PAGE; at += 8) if (port.load64(at) !== 0) return false
    return true
  }

  /** By way of its area to its space's tables. */
  #takeAway(port: HartPort, record: number): void {
    const number = port.load32(port.load64(record + pageRecord.area.at) + area.space.at)
    const address = port.load64(record + pageRecord.index.at) * PAGE
    const owner = descriptorOf(number)
    beginTaking(port, owner)
    this.#spaceOf(number).unmapPage(port, address)
    port.sfenceVma(address)
    endTaking(port, owner)
    this.#anonymous.take(port, owner, this.#pages.pageOf(record), false, false)
  }
}
