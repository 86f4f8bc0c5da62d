/**
 * Who pays for memory: groups of processes, each below another, with a limit that is kept. What a group uses, those above
 * it use too. A hart pays for some pages at a time, and has the rest as a stock.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'
import { hartMemory, hartMemoryAt } from './hart-memory.ts'

export const memoryGroup = layout(0x80, 'our own', {
  /** The group above, or NO_GROUP. */
  above: { at: 0x00, bytes: 4 },
  /** Pages of 4 KiB: used, allowed, the most there have been; how often there were not enough, and how many came back for it. */
  used: { at: 0x04, bytes: 4 },
  limit: { at: 0x08, bytes: 4 },
  peak: { at: 0x0c, bytes: 4 },
  refused: { at: 0x10, bytes: 4 },
  reclaimed: { at: 0x14, bytes: 4 },
  /** Faults, pages of anonymous memory and of tables, its own and of those below, as far as was added up (group-counts.ts). */
  faults: { at: 0x18, bytes: 4 },
  anonymous: { at: 0x1c, bytes: 4 },
  /** Of its lists of pages (page-lists.ts). */
  lock: { at: 0x20, bytes: 16 },
  lists: { at: 0x30, bytes: 4 },
  tables: { at: 0x78, bytes: 4 },
})
export const NO_GROUP = 0xffff_ffff
/** All memory; the host's programs; then the VMM processes, one each. */
export const WHOLE_GROUP = 0
export const PROGRAMS_GROUP = 1
/** Policy, as Linux's: pages that a hart pays for at a time. */
const STOCK = 64

/** The group of a VMM process. */
export function groupOfProcess(process: number): number {
  return PROGRAMS_GROUP + 1 + process
}

export function groupAt(group: number): number {
  return TABLES.memoryGroups + group * memoryGroup.size
}

/** Gives a group's pages back if it can: how many. */
export type Reclaims = (port: HartPort, group: number) => number

export class MemoryGroups {
  #reclaim: Reclaims = () => 0
  readonly #harts: number

  constructor(harts: number) {
    this.#harts = harts
  }

  /** Set-up. */
  attach(reclaim: Reclaims): void {
    this.#reclaim = reclaim
  }

  create(port: HartPort, group: number, limit: number): void {
    const at = groupAt(group)
    port.fill(at, 0, memoryGroup.size)
    port.store32(at + memoryGroup.above.at, group === WHOLE_GROUP ? NO_GROUP : WHOLE_GROUP)
    port.store32(at + memoryGroup.limit.at, limit)
  }

  /** A group pays for pages. False if it may not have so many, and has none to give back. */
  charge(port: HartPort, group: number, pages: number): boolean {
    const hart = hartMemoryAt(port.hart)
    const stock = port.load32(hart + hartMemory.stock.at)
    if (stock >= pages && port.load32(hart + hartMemory.stockOf.at) === group) {
      port.store32(hart + hartMemory.stock.at, stock - pages)
      return true
    }
    if (pages < STOCK && this.#pay(port, group, STOCK)) {
      this.#drain(port, hart, port.load32(hart + hartMemory.stockOf.at))
      port.store32(hart + hartMemory.stockOf.at, group)
      port.store32(hart + hartMemory.stock.at, STOCK - pages)
      return true
    }
    if (this.#pay(port, group, pages)) return true
    // What harts have in stock is paid for, and nobody has it.
    for (let other = 0; other < this.#harts; other++) this.#drain(port, hartMemoryAt(other), group)
    while (!this.#pay(port, group, pages)) if (this.#reclaim(port, group) === 0) return false
    return true
  }

  /** A group has given pages back. */
  uncharge(port: HartPort, group: number, pages: number): void {
    let number = group
    while (number !== NO_GROUP) {
      const at = groupAt(number)
      port.add32(at + memoryGroup.used.at, -pages)
      number = port.load32(at + memoryGroup.above.at)
    }
  }

  /** All groups upwards pay, or none. */
  #pay(port: HartPort, group: number, pages: number): boolean {
    let number = group
    while (number !== NO_GROUP) {
      const at = groupAt(number)
      const used = port.add32(at + memoryGroup.used.at, pages) + pages
      if (used > port.load32(at + memoryGroup.limit.at)) return this.#refuse(port, group, number, pages)
      if (used > port.load32(at + memoryGroup.peak.at)) port.store32(at + memoryGroup.peak.at, used)
      number = port.load32(at + memoryGroup.above.at)
    }
    return true
  }

  /** Takes back what the groups up to the one without room have paid. */
  #refuse(port: HartPort, group: number, full: number, pages: number): boolean {
    port.add32(groupAt(full) + memoryGroup.refused.at, 1)
    port.add32(groupAt(full) + memoryGroup.used.at, -pages)
    for (let number = group; number !== full; number = port.load32(groupAt(number) + memoryGroup.above.at))
      port.add32(groupAt(number) + memoryGroup.used.at, -pages)
    return false
  }

  /** What a hart has in stock of a group's goes back to it. */
  #drain(port: HartPort, hart: number, group: number): void {
    const stock = port.load32(hart + hartMemory.stock.at)
    if (stock === 0 || port.load32(hart + hartMemory.stockOf.at) !== group) return
    port.store32(hart + hartMemory.stock.at, 0)
    this.uncharge(port, group, stock)
  }
}
