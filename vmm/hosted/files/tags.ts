/** Tags of commands that the disk has: a bit each in a word that harts change at the same time, and whose request each is. */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'

/** Commands at a time. */
export const DISK_DEPTH = 32
export const NO_TAG = -1

const tagMap = layout(0x110, 'our own', {
  taken: { at: 0x00, bytes: 4 },
  free: { at: 0x04, bytes: 4 },
  /** By hart: where it begins to look, so that harts seldom meet. */
  hints: { at: 0x08, bytes: 4 },
  requests: { at: 0x90, bytes: 4 },
})
const MAP = TABLES.tags

export function createTags(port: HartPort): void {
  port.fill(MAP, 0, tagMap.size)
  port.store32(MAP + tagMap.free.at, DISK_DEPTH)
}

/** A tag for a request, or NO_TAG. */
export function takeTag(port: HartPort, request: number): number {
  if (port.load32(MAP + tagMap.free.at) === 0) return NO_TAG
  const hint = MAP + tagMap.hints.at + port.hart * 4
  let tag = port.load32(hint)
  for (let tried = 0; tried < DISK_DEPTH; tried++) {
    const bit = 1 << tag
    const isFree = (port.load32(MAP + tagMap.taken.at) & bit) === 0
    // Another hart may have taken it meanwhile.
    if (isFree && (port.or32(MAP + tagMap.taken.at, bit) & bit) === 0) {
      port.add32(MAP + tagMap.free.at, -1)
      port.store32(hint, (tag + 1) % DISK_DEPTH)
      port.store32(MAP + tagMap.requests.at + tag * 4, request)
      return tag
    }
    tag = (tag + 1) % DISK_DEPTH
  }
  return NO_TAG
}

export function hasTags(port: HartPort): boolean {
  return port.load32(MAP + tagMap.free.at) > 0
}

export function requestOfTag(port: HartPort, tag: number): number {
  return port.load32(MAP + tagMap.requests.at + tag * 4)
}

export function giveTag(port: HartPort, tag: number): void {
  port.and32(MAP + tagMap.taken.at, ~(1 << tag))
  port.add32(MAP + tagMap.free.at, 1)
}
