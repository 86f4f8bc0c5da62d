/** A program's address space: areas in which pages of 4 KiB are given when they are touched. */
import { maskOf } from '../../../hw/spec/csr.ts'
import type { HartPort } from '../../../hw/port.ts'
import { sstatus } from '../../../hw/spec/csrs/supervisor.ts'
import { SMALL_PAGE } from '../../core/g-stage.ts'
import { AddressSpace } from '../address-space.ts'
import { area, AREA_ANONYMOUS, AREA_EXECUTE, AREA_READ, AREA_WRITE, type Areas } from '../memory/areas.ts'
import { PROGRAMS_GROUP } from '../memory/groups.ts'
import { descriptorTableAt } from '../objects/descriptor-tables.ts'
import type { DividedMemory } from '../plan-memory.ts'

const SUM = maskOf(sstatus, 'SUM')
const ALLOWED = AREA_READ | AREA_WRITE | AREA_EXECUTE

export const UNUSED = 0
export const USED = 1
export const ENDING = 2

export class ProgramSpace {
  /** Among the program spaces, and among all. */
  readonly index: number
  readonly space: number
  readonly tables: AddressSpace
  /** UNUSED, USED, ENDING: its memory is given back. */
  readonly record: { state: number } = { state: UNUSED }
  /** Where its table of descriptors lies. */
  readonly table: number
  readonly #areas: Areas

  constructor(index: number, space: number, memory: DividedMemory) {
    this.index = index
    this.space = space
    this.tables = new AddressSpace(memory, space, 0, SMALL_PAGE)
    this.#areas = memory.areas
    this.table = descriptorTableAt(space)
  }

  create(port: HartPort): void {
    this.record.state = USED
    this.tables.createFor(port, PROGRAMS_GROUP)
  }

  /** A new area of anonymous memory. False if there is no room. */
  addArea(port: HartPort, start: number, bytes: number, allowed: number): boolean {
    return this.tables.addArea(port, start, bytes, (allowed & ALLOWED) | AREA_ANONYMOUS)
  }

  /** The address behind the last area. */
  top(port: HartPort): number {
    return this.#areas.top(port, this.space)
  }

  /** True if a range lies in one area: what the kernel may be asked to read or write. */
  holds(port: HartPort, address: number, bytes: number): boolean {
    const at = this.#areas.find(port, this.space, address)
    return at !== 0 && address + bytes <= port.load64(at + area.end.at)
  }

  /** The page behind an address, given now if it is touched for the first time; 0 if it cannot be. */
  populate(port: HartPort, address: number): number {
    return this.tables.populate(port, address, true)
  }

  /** Between the kernel's memory and the program's, whose address space is in satp. False if it is not the program's. */
  copyIn(port: HartPort, to: number, from: number, bytes: number): boolean {
    if (!this.tables.populateRange(port, from, bytes, false)) return false
    port.set(sstatus, SUM)
    port.copy(to, from, bytes)
    port.clear(sstatus, SUM)
    return true
  }

  copyOut(port: HartPort, to: number, from: number, bytes: number): boolean {
    if (!this.tables.populateRange(port, to, bytes, true)) return false
    port.set(sstatus, SUM)
    port.copy(to, from, bytes)
    port.clear(sstatus, SUM)
    return true
  }

  /** A copy of another's areas and pages: what `clone` makes of a process. */
  copyOf(port: HartPort, other: ProgramSpace): boolean {
    this.create(port)
    let from = this.#areas.next(port, other.space, 0)
    while (from !== 0) {
      const start = port.load64(from + area.start.at)
      const end = port.load64(from + area.end.at)
      if (!this.addArea(port, start, end - start, port.load32(from + area.flags.at))) return false
      for (let at = start; at < end; at += SMALL_PAGE) {
        const page = other.tables.pageAt(port, at)
        if (page === 0) continue
        const own = this.populate(port, at)
        if (own === 0) return false
        port.copy(own, page, SMALL_PAGE)
      }
      from = this.#areas.next(port, other.space, end)
    }
    return true
  }
}
