/**
 * What groups have, counted where it happens: each hart counts for each group by itself, and notes in a list of its own which
 * groups it has counted for since somebody asked. Who asks adds up what is in those lists, upwards from group to group: so
 * counting costs no hart another's line, and asking no more than what has changed.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { acquire, LOCK_BYTES, release } from '../../core/spin-lock.ts'
import { MOST_PROCESSES, TABLES } from '../layout.ts'
import { groupAt, groupOfProcess, memoryGroup, NO_GROUP } from './groups.ts'

/** Of a hart and a group: pages of anonymous memory and of tables, more or less than were told; faults; the number of the next in the hart's list, plus one. */
const share = layout(0x10, 'our own', {
  anonymous: { at: 0x00, bytes: 4 },
  tables: { at: 0x04, bytes: 4 },
  faults: { at: 0x08, bytes: 4 },
  next: { at: 0x0c, bytes: 4 },
})
export const ANONYMOUS_PAGES = share.anonymous.at
export const TABLE_PAGES = share.tables.at
export const FAULTS = share.faults.at
/** Behind a hart's groups: the head of its list. The last of a list leads here. */
const HEAD = groupOfProcess(MOST_PROCESSES)
const HART_BYTES = (HEAD + 1) * share.size

function shareAt(hart: number, group: number): number {
  return TABLES.groupCounts + hart * HART_BYTES + group * share.size
}

/** Nobody has anything. */
export function createGroupCounts(port: HartPort, harts: number): void {
  port.fill(TABLES.groupCounts, 0, harts * HART_BYTES + LOCK_BYTES)
  for (let hart = 0; hart < harts; hart++) port.store32(shareAt(hart, HEAD) + share.next.at, HEAD + 1)
}

/** A group has so many more, or less. */
export function countFor(port: HartPort, group: number, what: number, by: number): void {
  const at = shareAt(port.hart, group)
  port.store32(at + what, port.load32(at + what) + by)
  if (port.load32(at + share.next.at) !== 0) return
  const head = shareAt(port.hart, HEAD) + share.next.at
  port.store32(at + share.next.at, port.load32(head))
  port.store32(head, group + 1)
}

/** Adds up what harts have counted since the last time. */
export function addUp(port: HartPort, harts: number): void {
  const lock = TABLES.groupCounts + harts * HART_BYTES
  acquire(port, lock)
  for (let hart = 0; hart < harts; hart++) {
    const head = shareAt(hart, HEAD) + share.next.at
    let number = port.load32(head) - 1
    port.store32(head, HEAD + 1)
    while (number !== HEAD) {
      const at = shareAt(hart, number)
      for (let group = number; group !== NO_GROUP; group = port.load32(groupAt(group) + memoryGroup.above.at))
        addTo(port, groupAt(group), at)
      number = port.load32(at + share.next.at) - 1
      port.fill(at, 0, share.size)
    }
  }
  release(port, lock)
}

function addTo(port: HartPort, group: number, at: number): void {
  const { anonymous, tables, faults } = memoryGroup
  add(port, group + anonymous.at, at + share.anonymous.at)
  add(port, group + tables.at, at + share.tables.at)
  add(port, group + faults.at, at + share.faults.at)
}

function add(port: HartPort, to: number, from: number): void {
  port.store32(to, port.load32(to) + port.load32(from))
}
