/**
 * Areas of address spaces: ranges of addresses with what may be done in them. Those of a space are a balanced tree (an AA
 * tree: a node's left child is of the level below, its right one of the same at most once running) in the order of their
 * addresses, which lies in RAM.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'
import { descriptor, descriptorOf, lockAreasAlone, unlockAreasAlone } from './descriptors.ts'

export const area = layout(0x40, 'our own', {
  start: { at: 0x00, bytes: 8 },
  end: { at: 0x08, bytes: 8 },
  flags: { at: 0x10, bytes: 4 },
  space: { at: 0x14, bytes: 4 },
  /** Numbers of the areas below, 0 for none. */
  left: { at: 0x18, bytes: 4 },
  right: { at: 0x1c, bytes: 4 },
  level: { at: 0x20, bytes: 4 },
})
export const MOST_AREAS = 255

/** What may be done. */
export const AREA_READ = 1
export const AREA_WRITE = 2
export const AREA_EXECUTE = 4
/** Its pages are given when they are touched. */
export const AREA_ANONYMOUS = 8
/** Its pages stay: they are never taken back. */
export const AREA_LOCKED = 16
/** Pages of 2 MiB. */
export const AREA_LARGE = 32

export function areaAt(number: number): number {
  return TABLES.areas + number * area.size
}

function levelOf(port: HartPort, number: number): number {
  return number === 0 ? 0 : port.load32(areaAt(number) + area.level.at)
}

export class Areas {
  /** Areas made so far; the first of those that are nobody's any more, which its left child chains, or 0. */
  readonly record = { made: 0, unused: 0 }

  /** A new area of a space. False if there is no room. */
  add(port: HartPort, space: number, start: number, bytes: number, flags: number): boolean {
    const number = this.#take(port)
    if (number === 0) return false
    const at = areaAt(number)
    port.store64(at + area.start.at, start)
    port.store64(at + area.end.at, start + bytes)
    port.store32(at + area.flags.at, flags)
    port.store32(at + area.space.at, space)
    port.store32(at + area.left.at, 0)
    port.store32(at + area.right.at, 0)
    port.store32(at + area.level.at, 1)
    const owner = descriptorOf(space)
    lockAreasAlone(port, owner)
    const root = this.#insert(port, port.load32(owner + descriptor.areas.at), number, start)
    port.store32(owner + descriptor.areas.at, root)
    port.store32(owner + descriptor.count.at, port.load32(owner + descriptor.count.at) + 1)
    unlockAreasAlone(port, owner)
    return true
  }

  #take(port: HartPort): number {
    const { record } = this
    const { unused } = record
    if (unused !== 0) {
      record.unused = port.load32(areaAt(unused) + area.left.at)
      return unused
    }
    if (record.made === MOST_AREAS) return 0
    record.made++
    return record.made
  }

  /** A space has none any more. */
  removeAll(port: HartPort, space: number): void {
    const owner = descriptorOf(space)
    lockAreasAlone(port, owner)
    this.#giveAll(port, port.load32(owner + descriptor.areas.at))
    port.store32(owner + descriptor.areas.at, 0)
    port.store32(owner + descriptor.count.at, 0)
    unlockAreasAlone(port, owner)
  }

  #giveAll(port: HartPort, number: number): void {
    if (number === 0) return
    const at = areaAt(number)
    this.#giveAll(port, port.load32(at + area.right.at))
    this.#giveAll(port, port.load32(at + area.left.at))
    port.store32(at + area.left.at, this.record.unused)
    this.record.unused = number
  }

  #insert(port: HartPort, root: number, number: number, start: number): number {
    if (root === 0) return number
    const at = areaAt(root)
    const child = start < port.load64(at + area.start.at) ? area.left.at : area.right.at
    port.store32(at + child, this.#insert(port, port.load32(at + child), number, start))
    return this.#split(port, this.#skew(port, root))
  }

  /** A left child of the same level: it comes up, and its parent becomes its right child. */
  #skew(port: HartPort, number: number): number {
    const at = areaAt(number)
    const left = port.load32(at + area.left.at)
    if (left === 0 || levelOf(port, left) !== port.load32(at + area.level.at)) return number
    port.store32(at + area.left.at, port.load32(areaAt(left) + area.right.at))
    port.store32(areaAt(left) + area.right.at, number)
    return left
  }

  /** Two right children of the same level running: the first comes up a level. */
  #split(port: HartPort, number: number): number {
    const at = areaAt(number)
    const right = port.load32(at + area.right.at)
    if (right === 0 || levelOf(port, port.load32(areaAt(right) + area.right.at)) !== port.load32(at + area.level.at))
      return number
    port.store32(at + area.right.at, port.load32(areaAt(right) + area.left.at))
    port.store32(areaAt(right) + area.left.at, number)
    port.store32(areaAt(right) + area.level.at, port.load32(areaAt(right) + area.level.at) + 1)
    return right
  }

  /** Where the area of an address lies, or 0. */
  find(port: HartPort, space: number, address: number): number {
    let number = port.load32(descriptorOf(space) + descriptor.areas.at)
    while (number !== 0) {
      const at = areaAt(number)
      if (address < port.load64(at + area.start.at)) number = port.load32(at + area.left.at)
      else if (address >= port.load64(at + area.end.at)) number = port.load32(at + area.right.at)
      else return at
    }
    return 0
  }

  /** Where the first area lies that ends behind an address, or 0. */
  next(port: HartPort, space: number, address: number): number {
    let number = port.load32(descriptorOf(space) + descriptor.areas.at)
    let best = 0
    while (number !== 0) {
      const at = areaAt(number)
      if (address < port.load64(at + area.end.at)) {
        best = at
        number = port.load32(at + area.left.at)
      } else number = port.load32(at + area.right.at)
    }
    return best
  }

  /** The address behind the last area. */
  top(port: HartPort, space: number): number {
    let number = port.load32(descriptorOf(space) + descriptor.areas.at)
    let top = 0
    while (number !== 0) {
      top = port.load64(areaAt(number) + area.end.at)
      number = port.load32(areaAt(number) + area.right.at)
    }
    return top
  }
}
