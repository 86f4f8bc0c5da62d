/** What a hart keeps of memory for itself, so that it need not ask for what all share: counts, paid pages, pages on their way. */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'

export const hartMemory = layout(0x100, 'our own', {
  /** Counts, which a sum over harts makes those of the machine. */
  anonymous: { at: 0x00, bytes: 4 },
  locked: { at: 0x04, bytes: 4 },
  tables: { at: 0x08, bytes: 4 },
  faults: { at: 0x0c, bytes: 4 },
  given: { at: 0x10, bytes: 4 },
  returned: { at: 0x14, bytes: 4 },
  /** Pages paid for in advance, and by whom. */
  stock: { at: 0x20, bytes: 4 },
  stockOf: { at: 0x24, bytes: 4 },
  /** Pages on their way to a list. */
  batch: { at: 0x28, bytes: 4 },
  pages: { at: 0x40, bytes: 8 },
  /** Pages that nobody has: how many, and the first. */
  free: { at: 0xe0, bytes: 4 },
  first: { at: 0xe8, bytes: 8 },
})

export function hartMemoryAt(hart: number): number {
  return TABLES.hartPages + hart * hartMemory.size
}

/** Harts have nothing yet. */
export function createHartMemory(port: HartPort, harts: number): void {
  port.fill(TABLES.hartPages, 0, harts * hartMemory.size)
}

/** Adds to one of this hart's counts. */
export function count(port: HartPort, offset: number, by: number): void {
  const at = hartMemoryAt(port.hart) + offset
  port.store32(at, port.load32(at) + by)
}

/** One count of all harts together: a hart's own may be below zero. */
export function sumOf(port: HartPort, harts: number, offset: number): number {
  let sum = 0
  for (let hart = 0; hart < harts; hart++) sum += port.load32(hartMemoryAt(hart) + offset)
  return sum >>> 0
}
