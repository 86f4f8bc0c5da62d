/** A record for each 4 KiB page of RAM, as a kernel keeps them: how many hold it, so that it is not given away meanwhile. */
import type { HartPort } from '../../hw/port.ts'

const PAGE = 4096
/** Bytes of a record: flags, count, mapping, index, list, private: what Linux's struct page takes. */
const RECORD = 64
const FLAGS = 0x00
const NEXT = 0x08
const MAPPING = 0x18
const INDEX = 0x20
const MAPPED = 0x30
const COUNT = 0x34
/** Flags: anonymous, can be taken away again. */
const ANONYMOUS = 0x3
/** Bytes cleared in one entry. */
const PIECE = 0x1_0000

/** Bytes of the records for so much RAM. */
export function pageStructBytes(ramBytes: number): number {
  return (ramBytes / PAGE) * RECORD
}

export class PageStructs {
  /** Bytes that have been cleared; the first page of the list of anonymous pages. */
  readonly record = { prepared: 0, first: 0 }
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

  /** A page becomes anonymous memory, mapped once, where it is. */
  begin(port: HartPort, page: number, address: number): void {
    const { record } = this
    const at = this.#base + ((page - this.#ram) / PAGE) * RECORD
    port.store32(at + COUNT, 1)
    port.store32(at + MAPPED, 1)
    port.store64(at + MAPPING, 1)
    port.store64(at + INDEX, Math.floor(address / PAGE))
    port.store64(at + NEXT, record.first)
    if (record.first !== 0) port.store64(record.first + NEXT + 8, at)
    record.first = at
    port.store32(at + FLAGS, ANONYMOUS)
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
