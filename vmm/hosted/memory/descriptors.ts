/** What the kernel keeps of each address space, in RAM, for whoever comes to it: a process, a device, a hypervisor, reclaim. */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'
import { ANONYMOUS_PAGES, countFor, FAULTS, TABLE_PAGES } from './group-counts.ts'
import { count, hartMemory } from './hart-memory.ts'

export const descriptor = layout(0x80, 'our own', {
  /** Readers, so many; whoever changes the areas counts as WRITER. */
  lock: { at: 0x00, bytes: 4 },
  /** How often pages have been taken away, and whether some are just now: what was looked up before may be gone. */
  sequence: { at: 0x04, bytes: 4 },
  taking: { at: 0x08, bytes: 4 },
  /** The group that pays for its memory. */
  group: { at: 0x0c, bytes: 4 },
  /** The page table's root. */
  root: { at: 0x10, bytes: 8 },
  /** The tree's first area, and how many there are. */
  areas: { at: 0x18, bytes: 4 },
  count: { at: 0x1c, bytes: 4 },
  /** Pages of 4 KiB: of memory, the most there have been, of tables; and faults. */
  pages: { at: 0x20, bytes: 4 },
  peak: { at: 0x24, bytes: 4 },
  tables: { at: 0x28, bytes: 4 },
  faults: { at: 0x2c, bytes: 4 },
  /** Of the tables. */
  tableLock: { at: 0x40, bytes: 16 },
})
const WRITER = 0x1_0000

export function descriptorOf(space: number): number {
  return TABLES.spaces + space * descriptor.size
}

/** An address space that pays to a group. */
export function createDescriptor(port: HartPort, space: number, group: number): void {
  const at = descriptorOf(space)
  port.fill(at, 0, descriptor.size)
  port.store32(at + descriptor.group.at, group)
}

/** Its areas stay as they are meanwhile. Entries never overlap, so nobody ever finds the lock taken the other way. */
export function lockAreas(port: HartPort, at: number): void {
  port.add32(at + descriptor.lock.at, 1)
}

export function unlockAreas(port: HartPort, at: number): void {
  port.add32(at + descriptor.lock.at, -1)
}

/** To change its areas. */
export function lockAreasAlone(port: HartPort, at: number): void {
  port.add32(at + descriptor.lock.at, WRITER)
}

export function unlockAreasAlone(port: HartPort, at: number): void {
  port.add32(at + descriptor.lock.at, -WRITER)
}

/** Pages are about to be taken away: whoever has looked some up, and not yet used them, looks again. */
export function beginTaking(port: HartPort, at: number): void {
  port.add32(at + descriptor.taking.at, 1)
  port.add32(at + descriptor.sequence.at, 1)
  port.fence()
}

export function endTaking(port: HartPort, at: number): void {
  port.add32(at + descriptor.taking.at, -1)
}

/** A fault, which the space, its group and the hart count. */
export function countFault(port: HartPort, at: number): void {
  port.store32(at + descriptor.faults.at, port.load32(at + descriptor.faults.at) + 1)
  count(port, hartMemory.faults.at, 1)
  countFor(port, port.load32(at + descriptor.group.at), FAULTS, 1)
}

/** So many tables more, or less. */
export function countTables(port: HartPort, at: number, by: number): void {
  port.store32(at + descriptor.tables.at, port.load32(at + descriptor.tables.at) + by)
  count(port, hartMemory.tables.at, by)
  countFor(port, port.load32(at + descriptor.group.at), TABLE_PAGES, by)
}

/** So many pages more, or less. */
export function countPages(port: HartPort, at: number, by: number): void {
  count(port, hartMemory.anonymous.at, by)
  countFor(port, port.load32(at + descriptor.group.at), ANONYMOUS_PAGES, by)
  const pages = port.load32(at + descriptor.pages.at) + by
  port.store32(at + descriptor.pages.at, pages)
  if (pages > port.load32(at + descriptor.peak.at)) port.store32(at + descriptor.peak.at, pages)
}
