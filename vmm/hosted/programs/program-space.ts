/**
 * A program's address space: areas in the order of their addresses, pages of 4 KiB given when they are touched, each
 * zeroed and counted.
 */
import { maskOf } from '../../../hw/spec/csr.ts'
import type { HartPort } from '../../../hw/port.ts'
import { sstatus } from '../../../hw/spec/csrs/supervisor.ts'
import { AddressSpace, USER_READ_WRITE_EXECUTE } from '../address-space.ts'
import type { FreeMemory } from '../../core/free-memory.ts'
import { LARGE_PAGE, SMALL_PAGE } from '../../core/g-stage.ts'
import type { SmallPages } from '../small-pages.ts'
import { area, areaAt, memory, memoryAt, MOST_AREAS } from './program-frames.ts'

const SUM = maskOf(sstatus, 'SUM')

export class ProgramSpace {
  readonly pageBytes = SMALL_PAGE
  /** Among the program spaces, and for the kernel's record of what is in satp. */
  readonly index: number
  readonly space: number
  readonly tables: AddressSpace
  readonly #small: SmallPages

  constructor(index: number, space: number, free: FreeMemory, small: SmallPages) {
    this.index = index
    this.space = space
    this.tables = new AddressSpace(free, small, space + 1, 0, LARGE_PAGE)
    this.#small = small
  }

  create(port: HartPort): void {
    port.fill(memoryAt(this.index), 0, memory.size + MOST_AREAS * area.size)
    this.tables.create(port)
  }

  /** A new area, put where it belongs among the others. False if there is no room. */
  addArea(port: HartPort, start: number, bytes: number, flags: number): boolean {
    const count = port.load32(memoryAt(this.index) + memory.areas.at)
    if (count === MOST_AREAS) return false
    let index = count
    while (index > 0 && port.load64(areaAt(this.index, index - 1) + area.start.at) > start) {
      port.copy(areaAt(this.index, index), areaAt(this.index, index - 1), area.size)
      index--
    }
    const at = areaAt(this.index, index)
    port.store64(at + area.start.at, start)
    port.store64(at + area.end.at, start + bytes)
    port.store32(at + area.flags.at, flags)
    port.store32(at + area.lock.at, 0)
    port.store32(memoryAt(this.index) + memory.areas.at, count + 1)
    return true
  }

  /** The area of an address, or 0. */
  #areaOf(port: HartPort, address: number): number {
    let low = 0
    let high = port.load32(memoryAt(this.index) + memory.areas.at) - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const at = areaAt(this.index, middle)
      if (address < port.load64(at + area.start.at)) high = middle - 1
      else if (address >= port.load64(at + area.end.at)) low = middle + 1
      else return at
    }
    return 0
  }

  /** The address behind the last area. */
  top(port: HartPort): number {
    const count = port.load32(memoryAt(this.index) + memory.areas.at)
    return port.load64(areaAt(this.index, count - 1) + area.end.at)
  }

  /** True if a range lies in one area: what the kernel may be asked to read or write. */
  holds(port: HartPort, address: number, bytes: number): boolean {
    const at = this.#areaOf(port, address)
    return at !== 0 && address + bytes <= port.load64(at + area.end.at)
  }

  /** The page behind an address, given now if it is touched for the first time; 0 if there is no area or no memory. */
  populate(port: HartPort, address: number): number {
    const at = this.#areaOf(port, address)
    if (at === 0) return 0
    const mm = memoryAt(this.index)
    // The area stays while its page is being found.
    port.add32(at + area.lock.at, 1)
    let page = this.tables.pageAt(port, address)
    if (page === 0) page = this.#give(port, mm, address)
    port.add32(at + area.lock.at, -1)
    return page
  }

  #give(port: HartPort, mm: number, address: number): number {
    const page = this.#small.take(port, address)
    if (page === 0) return 0
    port.swap32If(mm + memory.tableLock.at, 0, 1)
    this.tables.mapPage(port, address, page, USER_READ_WRITE_EXECUTE)
    port.store32(mm + memory.tableLock.at, 0)
    port.store32(mm + memory.anonymous.at, port.load32(mm + memory.anonymous.at) + 1)
    return page
  }

  /** Between the kernel's memory and the program's, whose address space is in satp. False if it is not the program's. */
  copyIn(port: HartPort, to: number, from: number, bytes: number): boolean {
    if (!this.#touch(port, from, bytes)) return false
    port.set(sstatus, SUM)
    port.copy(to, from, bytes)
    port.clear(sstatus, SUM)
    return true
  }

  copyOut(port: HartPort, to: number, from: number, bytes: number): boolean {
    if (!this.#touch(port, to, bytes)) return false
    port.set(sstatus, SUM)
    port.copy(to, from, bytes)
    port.clear(sstatus, SUM)
    return true
  }

  /** The pages of a range are there. */
  #touch(port: HartPort, address: number, bytes: number): boolean {
    const last = address + bytes - 1
    for (let at = address - (address % SMALL_PAGE); at <= last; at += SMALL_PAGE) {
      if (this.tables.pageAt(port, at) === 0 && this.populate(port, at) === 0) return false
    }
    return true
  }

  /** A copy of another's areas and pages: what `clone` makes of a process. */
  copyOf(port: HartPort, other: ProgramSpace): boolean {
    this.create(port)
    const count = port.load32(memoryAt(other.index) + memory.areas.at)
    for (let index = 0; index < count; index++) {
      const from = areaAt(other.index, index)
      const start = port.load64(from + area.start.at)
      const end = port.load64(from + area.end.at)
      this.addArea(port, start, end - start, port.load32(from + area.flags.at))
      for (let at = start; at < end; at += SMALL_PAGE) {
        const page = other.tables.pageAt(port, at)
        if (page === 0) continue
        const own = this.populate(port, at)
        if (own === 0) return false
        port.copy(own, page, SMALL_PAGE)
      }
    }
    return true
  }
}
