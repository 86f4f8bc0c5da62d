/**
 * What the kernel answers of a guest's I/O by itself, by guest physical address: doorbells, which add to an event, and windows
 * of chips that the kernel has. A bus is a sorted table in RAM with a copy: a change is made in the one that nobody reads, then
 * published, and is complete when those who read the other have left it (sync/sleepable-readers.ts).
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'
import { beginReading, endReading, haveEnded, turnPhase } from '../sync/sleepable-readers.ts'

const bus = layout(0x400, 'our own', {
  readers: { at: 0x000, bytes: 16 },
  /** Which of the two tables is read. */
  published: { at: 0x220, bytes: 4 },
  counts: { at: 0x224, bytes: 4 },
  tables: { at: 0x230, bytes: 8 },
})
/** A range, the value that a doorbell wants to be written (ANY: all), and who answers. */
const entry = layout(0x18, 'our own', {
  base: { at: 0x00, bytes: 8 },
  bytes: { at: 0x08, bytes: 4 },
  value: { at: 0x0c, bytes: 4 },
  who: { at: 0x10, bytes: 4 },
})
const ROOM = 9
const TABLE_BYTES = ROOM * entry.size
export const ANY = 0xffff_ffff
export const NOBODY = -1
/** Who answers: events from 0 on, or a chip of the kernel's. */
export const KERNEL_CHIP = 0x100

function busAt(vm: number): number {
  return TABLES.buses + vm * bus.size
}

export class IoBuses {
  readonly #harts: number
  readonly #vms: number

  constructor(vms: number, harts: number) {
    this.#vms = vms
    this.#harts = harts
  }

  create(port: HartPort): void {
    port.fill(TABLES.buses, 0, this.#vms * bus.size)
  }

  /** A section of a reader's; returns what `leave` wants. */
  enter(port: HartPort, vm: number): number {
    return beginReading(port, busAt(vm))
  }

  leave(port: HartPort, vm: number, phase: number): void {
    endReading(port, busAt(vm), phase)
  }

  /** Who answers an access of the guest's, within a section: NOBODY, an event, or KERNEL_CHIP. */
  find(port: HartPort, vm: number, address: number, isWrite: boolean, value: number): number {
    const at = busAt(vm)
    const which = port.load32(at + bus.published.at)
    const table = at + bus.tables.at + which * TABLE_BYTES
    let low = 0
    let high = port.load32(at + bus.counts.at + which * 4)
    while (low < high) {
      const middle = (low + high) >> 1
      const row = table + middle * entry.size
      if (port.load64(row + entry.base.at) + port.load32(row + entry.bytes.at) <= address) low = middle + 1
      else high = middle
    }
    // Doorbells of one register, a value each, and the chip behind them follow one another.
    const count = port.load32(at + bus.counts.at + which * 4)
    for (let index = low; index < count; index++) {
      const row = table + index * entry.size
      if (port.load64(row + entry.base.at) > address) return NOBODY
      const wanted = port.load32(row + entry.value.at)
      if (wanted === ANY || (isWrite && wanted === value)) return port.load32(row + entry.who.at)
    }
    return NOBODY
  }

  /** Puts somebody on the bus; returns the phase whose readers may still see it without. NOBODY: there is no room. */
  add(port: HartPort, vm: number, base: number, bytes: number, value: number, who: number): number {
    const at = busAt(vm)
    const old = port.load32(at + bus.published.at)
    const count = port.load32(at + bus.counts.at + old * 4)
    if (count === ROOM) return NOBODY
    const from = at + bus.tables.at + old * TABLE_BYTES
    const to = at + bus.tables.at + (1 - old) * TABLE_BYTES
    let place = 0
    while (place < count && port.load64(from + place * entry.size + entry.base.at) < base) place++
    port.copy(to, from, place * entry.size)
    const row = to + place * entry.size
    port.store64(row + entry.base.at, base)
    port.store32(row + entry.bytes.at, bytes)
    port.store32(row + entry.value.at, value)
    port.store32(row + entry.who.at, who)
    port.copy(row + entry.size, from + place * entry.size, (count - place) * entry.size)
    port.store32(at + bus.counts.at + (1 - old) * 4, count + 1)
    port.fence()
    port.store32(at + bus.published.at, 1 - old)
    return turnPhase(port, at)
  }

  /** True if nobody reads any more what was there before the phase was turned. */
  isComplete(port: HartPort, vm: number, phase: number): boolean {
    return haveEnded(port, busAt(vm), phase, this.#harts)
  }
}
