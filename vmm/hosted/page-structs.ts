/** A record for each 4 KiB page of RAM, as a kernel keeps them: how many hold it, so that it is not given away meanwhile. */
import type { HartPort } from '../../hw/port.ts'

const PAGE = 4096
/** Bytes of a record: flags, count, mapping, index, list, private: what Linux's struct page takes. */
const RECORD = 64
const COUNT = 0x34
/** Bytes cleared in one entry. */
const PIECE = 0x1_0000

/** Bytes of the records for so much RAM. */
export function pageStructBytes(ramBytes: number): number {
  return (ramBytes / PAGE) * RECORD
}

export class PageStructs {
  /** Bytes that have been cleared. */
  readonly record = { prepared: 0 }
  readonly #base: number
  readonly #ram: number
  readonly #bytes: number

  /** The records lie at `base`, for RAM of `ramBytes` from `ram` on. */
  constructor(base: number, ram: number, ramBytes: number) {
    this.#base = base
    this.#ram = ram
    this.#bytes = pageStructBytes(ramBytes)
  }

  /** Clears a piece of them at boot; false when all are. */
  prepare(port: HartPort): boolean {
    const { record } = this
    if (record.prepared >= this.#bytes) return false
    port.fill(this.#base + record.prepared, 0, Math.min(PIECE, this.#bytes - record.prepared))
    record.prepared += PIECE
    return true
  }

  /** Holds the pages of a range, or (by -1) lets go of them. */
  hold(port: HartPort, address: number, bytes: number, by: number): void {
    const last = Math.floor((address + bytes - 1 - this.#ram) / PAGE)
    for (let page = Math.floor((address - this.#ram) / PAGE); page <= last; page++) {
      port.add32(this.#base + page * RECORD + COUNT, by)
    }
  }

  /** How many hold a page. */
  holders(port: HartPort, address: number): number {
    return port.load32(this.#base + Math.floor((address - this.#ram) / PAGE) * RECORD + COUNT)
  }
}
