/**
 * The 2 MiB pages that belong to nobody. A page comes back dirty and is scrubbed, a piece at a time, before it can be
 * given away: no guest waits for zeroing, and none sees what another left behind.
 */
import type { HartPort } from '../../hw/port.ts'
import { LARGE_PAGE } from './g-stage.ts'

/** Bytes scrubbed in one entry. */
const PIECE = 0x1_0000
const WORD = 8

/** Addresses from `from` up to but not including `to`. */
export interface Range {
  readonly from: number
  readonly to: number
}

export interface FreeRecord {
  [field: string]: number | boolean
  clean: number
  dirty: number
  /** Bytes of the first dirty page, or of what lies behind an image, that are zero already. */
  scrubbed: number
  /** How many of the rests behind images are clean. */
  rests: number
  /** The next unused table page. */
  nextTable: number
}

export class FreeMemory {
  /** Stacks of page addresses. */
  readonly clean: Float64Array
  readonly dirty: Float64Array
  readonly record: FreeRecord
  readonly #tableEnd: number
  readonly #rests: readonly Range[]

  /** `pages` are dirty at first, and so are the `rests` of pages that have owners; table pages lie in [tables, tableEnd). */
  constructor(pages: readonly number[], tables: number, tableEnd: number, total: number, rests: readonly Range[] = []) {
    this.clean = new Float64Array(total)
    this.dirty = new Float64Array(total)
    this.dirty.set(pages)
    this.record = { clean: 0, dirty: pages.length, scrubbed: 0, rests: 0, nextTable: tables }
    this.#tableEnd = tableEnd
    this.#rests = rests
  }

  /** A zeroed 2 MiB page, or 0. */
  takePage(): number {
    const { record } = this
    if (record.clean === 0) return 0
    record.clean--
    return this.clean[record.clean]
  }

  /** A page that nobody may see any more. */
  givePage(page: number): void {
    const { record } = this
    this.dirty[record.dirty] = page
    record.dirty++
  }

  /** A zeroed 4 KiB page for tables, or 0. */
  takeTable(port: HartPort): number {
    const { record } = this
    if (record.nextTable >= this.#tableEnd) return 0
    const table = record.nextTable
    record.nextTable += 4096
    port.fill(table, 0, 4096)
    return table
  }

  /** Scrubs one piece; false if there was nothing to scrub. */
  scrub(port: HartPort): boolean {
    const { record } = this
    if (record.rests < this.#rests.length) return this.#scrubRest(port)
    if (record.dirty === 0) return false
    const page = this.dirty[record.dirty - 1]
    port.fill(page + record.scrubbed, 0, PIECE)
    record.scrubbed += PIECE
    if (record.scrubbed === LARGE_PAGE) {
      record.scrubbed = 0
      record.dirty--
      this.clean[record.clean] = page
      record.clean++
    }
    return true
  }

  #scrubRest(port: HartPort): boolean {
    const { record } = this
    const { from, to } = this.#rests[record.rests]
    let at = from + record.scrubbed
    for (; at % WORD !== 0; at++) port.store8(at, 0)
    const end = Math.min(to, at + PIECE)
    port.fill(at, 0, end - at)
    record.scrubbed = end - from
    if (end === to) {
      record.scrubbed = 0
      record.rests++
    }
    return true
  }
}
