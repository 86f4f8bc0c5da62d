/** Lists of a group's pages in the order in which they could be taken back: by neighbours in the pages' own records. */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { pageRecord } from '../page-structs.ts'
import { groupAt, memoryGroup } from './groups.ts'

/** Pages that were touched lately; those that are next to be looked at; those that stay. */
export const ACTIVE = 0
export const INACTIVE = 1
export const STAYING = 2

/** A list: where its first page's record lies and its last one's, or 0; how many. */
const list = layout(0x18, 'our own', {
  first: { at: 0x00, bytes: 8 },
  last: { at: 0x08, bytes: 8 },
  count: { at: 0x10, bytes: 4 },
})

function listAt(group: number, which: number): number {
  return groupAt(group) + memoryGroup.lists.at + which * list.size
}

/** Puts a page in front. */
export function addFirst(port: HartPort, group: number, which: number, page: number): void {
  const at = listAt(group, which)
  const first = port.load64(at + list.first.at)
  port.store64(page + pageRecord.next.at, first)
  port.store64(page + pageRecord.previous.at, 0)
  if (first !== 0) port.store64(first + pageRecord.previous.at, page)
  else port.store64(at + list.last.at, page)
  port.store64(at + list.first.at, page)
  port.store32(at + list.count.at, port.load32(at + list.count.at) + 1)
}

/** Takes a page out. */
export function takeOut(port: HartPort, group: number, which: number, page: number): void {
  const at = listAt(group, which)
  const next = port.load64(page + pageRecord.next.at)
  const previous = port.load64(page + pageRecord.previous.at)
  if (next !== 0) port.store64(next + pageRecord.previous.at, previous)
  else port.store64(at + list.last.at, previous)
  if (previous !== 0) port.store64(previous + pageRecord.next.at, next)
  else port.store64(at + list.first.at, next)
  port.store32(at + list.count.at, port.load32(at + list.count.at) - 1)
}

/** The last page's record, or 0. */
export function lastOf(port: HartPort, group: number, which: number): number {
  return port.load64(listAt(group, which) + list.last.at)
}

export function lengthOf(port: HartPort, group: number, which: number): number {
  return port.load32(listAt(group, which) + list.count.at)
}
