/**
 * The soft TLB: translations that need no further check, in linear memory, direct-mapped by virtual page. It holds a
 * subset of the hart's modelled TLB, so a hit here is always a hit there, and costs nothing more.
 *
 * There is one set of arrays for each translation class, so that neither a change of privilege nor of SUM flushes:
 *
 *   0 U   1 S   2 S with SUM   3 M   4 VU   5 VS   6 VS with SUM   7 with MPRV in M, or with MXR: never filled
 *
 * A class is 3 arrays (load, store, fetch) of ENTRIES entries. An entry is {tag i64, addend i32, 4 bytes unused}:
 * it serves an aligned access of `size` bytes at va if (va & (-4096 | size - 1)) = tag; then the byte lies at host
 * offset va + addend (mod 2^32), and for `fetch` the record lies at addend + 8 × (va & 4095).
 */
import { PAGE_SHIFT } from '../spec/address.ts'
import { MSTATUS, VSSTATUS } from '../hart/slots.ts'
import { MACHINE, MODE, SUPERVISOR, VIRTUAL } from '../hart/state.ts'
import { STATUS_MPRV, STATUS_MXR, STATUS_SUM } from '../hart/status-bits.ts'
import { SOFT_TLB_BYTES, type Memory } from '../memory/memory.ts'

export const ENTRIES = 256
const ENTRY_BYTES = 16
const ARRAY_BYTES = ENTRIES * ENTRY_BYTES
const CLASSES = 8
export const CLASS_BYTES = SOFT_TLB_BYTES / CLASSES
/** Byte offset of an entry in its array: (va >>> INDEX_SHIFT) & INDEX_MASK. */
export const INDEX_SHIFT = PAGE_SHIFT - Math.log2(ENTRY_BYTES)
export const INDEX_MASK = ARRAY_BYTES - ENTRY_BYTES
/** Byte offsets of a class's arrays. */
export const ARRAYS = { load: 0, store: ARRAY_BYTES, fetch: 2 * ARRAY_BYTES } as const
export type Access = keyof typeof ARRAYS
export const ADDEND = 8

const UNFILLED = 7
/** From a page number to the high half of its address. */
const PAGES_TO_HIGH = 2 ** (PAGE_SHIFT - 32)

/** The translation class in force. */
function translationClass(words: Int32Array): number {
  const mode = words[MODE >> 2]
  const status = words[MSTATUS]
  const own = (mode & VIRTUAL) === 0 ? status : words[VSSTATUS]
  if (((own | status) & STATUS_MXR) !== 0 || (mode === MACHINE && (status & STATUS_MPRV) !== 0)) return UNFILLED
  return (mode & ~VIRTUAL) === SUPERVISOR && (own & STATUS_SUM) !== 0 ? mode + 1 : mode
}

/** One hart's soft TLB. Pages are virtual page numbers, as exact numbers below 2^52. */
export class SoftTlb {
  readonly #words: Int32Array
  readonly #base: number
  readonly #memory: Memory
  /** Classes that may have entries, one bit each. */
  #used = (1 << CLASSES) - 1

  constructor(memory: Memory, hartIndex: number) {
    this.#memory = memory
    this.#words = memory.words
    this.#base = memory.tlbHost + hartIndex * SOFT_TLB_BYTES
    this.flush()
  }

  /** Host offset of the arrays of the class in force. */
  base(): number {
    return this.#base + translationClass(this.#words) * CLASS_BYTES
  }

  /** Enters a page in the class at `base` (see there). `host` is the page's host offset; for `fetch`, that of its first record. */
  fill(base: number, access: Access, page: number, host: number): void {
    const of = (base - this.#base) / CLASS_BYTES
    if (of === UNFILLED) return
    const array = access === 'load' ? ARRAYS.load : access === 'store' ? ARRAYS.store : ARRAYS.fetch
    const at = (base + array + (page & (ENTRIES - 1)) * ENTRY_BYTES) >> 2
    const low = (page | 0) << PAGE_SHIFT
    const words = this.#words
    words[at] = low
    words[at + 1] = Math.floor(page * PAGES_TO_HIGH)
    words[at + 2] = access === 'fetch' ? host : host - low
    this.#used |= 1 << of
  }

  /** Forgets a page in every class. */
  drop(page: number): void {
    const low = (page | 0) << PAGE_SHIFT
    const high = Math.floor(page * PAGES_TO_HIGH) | 0
    const words = this.#words
    const index = (page & (ENTRIES - 1)) * ENTRY_BYTES
    for (let of = 0; of < CLASSES; of++) {
      if ((this.#used & (1 << of)) === 0) continue
      for (let array = 0; array < 3; array++) {
        const at = (this.#base + of * CLASS_BYTES + array * ARRAY_BYTES + index) >> 2
        if (words[at] === low && words[at + 1] === high) words[at] = words[at + 1] = -1
      }
    }
  }

  flush(): void {
    for (let of = 0; of < CLASSES; of++) {
      if ((this.#used & (1 << of)) === 0) continue
      const from = this.#base + of * CLASS_BYTES
      this.#memory.bytes.fill(0xff, from, from + 3 * ARRAY_BYTES)
    }
    this.#used = 0
  }
}

/** Forgets, in the soft TLBs of all harts, every fetch entry (predecoded pages moved). */
export function dropFetches(memory: Memory): void {
  for (let base = memory.tlbHost; base < memory.codeHost; base += CLASS_BYTES) {
    memory.bytes.fill(0xff, base + ARRAYS.fetch, base + ARRAYS.fetch + ARRAY_BYTES)
  }
}

/** Forgets, in the soft TLBs of all harts, every store entry for the page at `host`: it holds code now. */
export function dropStores(memory: Memory, host: number): void {
  const { words } = memory
  for (let base = memory.tlbHost; base < memory.codeHost; base += CLASS_BYTES) {
    const from = (base + ARRAYS.store) >> 2
    for (let at = from; at < from + ARRAY_BYTES / 4; at += 4) {
      if (((words[at] + words[at + 2]) | 0) === (host | 0)) words[at] = words[at + 1] = -1
    }
  }
}
