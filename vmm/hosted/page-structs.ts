/** A record for each 4 KiB page of RAM, as a kernel keeps them: how many hold it, so that it is not given away meanwhile. */
import type { HartPort } from '../../hw/port.ts'
import { layout } from '../../hw/spec/layout.ts'
import { TABLES } from './layout.ts'

const PAGE = 4096
/** A page's record: flags, its neighbours in a list, whose it is and where, how often it is mapped and held: what Linux's struct page takes. */
const record = layout(64, 'our own', {
  flags: { at: 0x00, bytes: 4 },
  next: { at: 0x08, bytes: 8 },
  previous: { at: 0x10, bytes: 8 },
  owner: { at: 0x18, bytes: 8 },
  index: { at: 0x20, bytes: 8 },
  mapped: { at: 0x30, bytes: 4 },
  count: { at: 0x34, bytes: 4 },
})
const ANONYMOUS = 1
/** It is in the list of those that could be taken away again. */
const LISTED = 2

/** What a hart keeps for itself, so that it need not ask for what all share: counts, and pages on their way to the list. */
const hartPages = layout(0x100, 'our own', {
  anonymous: { at: 0x00, bytes: 4 },
  mapped: { at: 0x04, bytes: 4 },
  faults: { at: 0x08, bytes: 4 },
  stock: { at: 0x10, bytes: 4 },
  batch: { at: 0x14, bytes: 4 },
  pages: { at: 0x40, bytes: 8 },
})
/** Policy, as Linux's long had it: pages that go to the list together; pages charged together. */
const BATCH = 15
const STOCK = 32
/** Bytes cleared in one entry. */
const PIECE = 0x1_0000

function hartPagesAt(hart: number): number {
  return TABLES.hartPages + hart * hartPages.size
}

function add(port: HartPort, at: number, by: number): void {
  port.store32(at, port.load32(at) + by)
}

/** Bytes of the records for so much RAM. */
export function pageStructBytes(ramBytes: number): number {
  return (ramBytes / PAGE) * record.size
}

export class PageStructs {
  /** Bytes that have been cleared; the first record of the list of pages that could be taken away, and how many it has; pages charged. */
  readonly record = { prepared: 0, first: 0, listed: 0, charged: 0 }
  readonly #base: number
  readonly #ram: number
  readonly #bytes: number

  /** The records lie at `base`, for RAM of `ramBytes` from `ram` on. */
  constructor(base: number, ram: number, ramBytes: number) {
    this.#base = base
    this.#ram = ram
    this.#bytes = pageStructBytes(ramBytes)
  }

  /** Clears what harts keep for themselves. */
  create(port: HartPort, harts: number): void {
    port.fill(TABLES.hartPages, 0, harts * hartPages.size)
  }

  /** Clears a piece of them at boot; false when all are. */
  prepare(port: HartPort): boolean {
    const own = this.record
    if (own.prepared >= this.#bytes) return false
    port.fill(this.#base + own.prepared, 0, Math.min(PIECE, this.#bytes - own.prepared))
    own.prepared += PIECE
    return true
  }

  #at(page: number): number {
    return this.#base + Math.floor((page - this.#ram) / PAGE) * record.size
  }

  /** A page becomes anonymous memory, mapped once, at an address of somebody's: counted, charged, and put on its way to the list. */
  begin(port: HartPort, page: number, address: number): void {
    const at = this.#at(page)
    const hart = hartPagesAt(port.hart)
    port.store32(at + record.count.at, 1)
    port.store32(at + record.mapped.at, 1)
    port.store64(at + record.owner.at, 1)
    port.store64(at + record.index.at, Math.floor(address / PAGE))
    port.store32(at + record.flags.at, ANONYMOUS)
    this.#charge(port, hart)
    add(port, hart + hartPages.anonymous.at, 1)
    add(port, hart + hartPages.mapped.at, 1)
    add(port, hart + hartPages.faults.at, 1)
    const count = port.load32(hart + hartPages.batch.at)
    port.store64(hart + hartPages.pages.at + count * 8, at)
    port.store32(hart + hartPages.batch.at, count + 1)
    if (count + 1 === BATCH) this.#list(port, hart)
  }

  /** Its owner is charged with it, out of a stock that is filled now and then. */
  #charge(port: HartPort, hart: number): void {
    const stock = port.load32(hart + hartPages.stock.at)
    if (stock > 0) return port.store32(hart + hartPages.stock.at, stock - 1)
    this.record.charged += STOCK
    port.store32(hart + hartPages.stock.at, STOCK - 1)
  }

  /** The batch goes to the front of the list. */
  #list(port: HartPort, hart: number): void {
    const own = this.record
    port.store32(hart + hartPages.batch.at, 0)
    for (let index = 0; index < BATCH; index++) {
      const at = port.load64(hart + hartPages.pages.at + index * 8)
      const flags = port.load32(at + record.flags.at)
      // It may have been given back meanwhile.
      if (flags !== ANONYMOUS) continue
      port.store32(at + record.flags.at, ANONYMOUS | LISTED)
      port.store64(at + record.next.at, own.first)
      port.store64(at + record.previous.at, 0)
      if (own.first !== 0) port.store64(own.first + record.previous.at, at)
      own.first = at
      own.listed++
    }
  }

  /** A page is nobody's any more. */
  end(port: HartPort, page: number): void {
    const at = this.#at(page)
    const hart = hartPagesAt(port.hart)
    const flags = port.load32(at + record.flags.at)
    if (flags === 0) return
    port.store32(at + record.flags.at, 0)
    port.store32(at + record.count.at, 0)
    port.store32(at + record.mapped.at, 0)
    add(port, hart + hartPages.anonymous.at, -1)
    add(port, hart + hartPages.mapped.at, -1)
    if ((flags & LISTED) === 0) return
    const next = port.load64(at + record.next.at)
    const previous = port.load64(at + record.previous.at)
    if (next !== 0) port.store64(next + record.previous.at, previous)
    if (previous !== 0) port.store64(previous + record.next.at, next)
    else this.record.first = next
    this.record.listed--
  }

  /** Holds the pages of a range, or (by -1) lets go of them. */
  hold(port: HartPort, address: number, bytes: number, by: number): void {
    const last = this.#at(address + bytes - 1)
    for (let at = this.#at(address); at <= last; at += record.size) port.add32(at + record.count.at, by)
  }

  /** How many hold a page. */
  holders(port: HartPort, address: number): number {
    return port.load32(this.#at(address) + record.count.at)
  }
}
