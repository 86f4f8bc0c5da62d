/**
 * Predecoded pages, shared by the interpreters of all harts: which RAM pages have records, and decoding into them. A
 * page is decoded an instruction at a time, when first executed. No soft TLB has a store entry for such a page, so
 * every store to it is told of, and forgets the records of the instructions that it may have changed.
 */
import { CODE_BYTES, SOFT_TLB_BYTES, type Memory } from '../memory/memory.ts'
import { PAGE_BYTES, PAGE_SHIFT } from '../spec/address.ts'
import { decode, type Decoded } from '../spec/isa/index.ts'
import { F, X, X_SINK } from '../hart/state.ts'
import {
  beginsPair,
  handlerOf,
  ILLEGAL,
  isDirect,
  PAGE_END,
  pairOf,
  plainCsrHandler,
  STRADDLES,
  UNDECODED,
} from './handlers.ts'
import { plainCsr } from './plain-csr.ts'
import { PAGE_RECORD_BYTES, PARCELS, RECORD, RECORD_BYTES, RECORD_SCALE, STRADDLING } from './record.ts'
import { dropFetches, dropStores } from './soft-tlb.ts'

const NONE = -1
/** Bytes by which a record may begin before what it depends on: a first of 4 bytes and half of the second. */
const REACH = 6
/** A page that is written so often holds data by now: it gives up its records. */
const WRITES_UNTIL_DATA = 64

export interface CodeStatistics {
  readonly pages: number
  readonly evictions: number
  readonly instructions: number
}

export class CodePages {
  readonly memory: Memory
  /** By host page: index of its records, or NONE. */
  readonly #indexOf: Int32Array
  /** By index: host page, or NONE; and the stores that hit it. */
  readonly #hostOf: Int32Array
  readonly #writes: Uint8Array
  readonly #harts: number
  #cursor = 0
  #pages = 0
  #evictions = 0
  #instructions = 0

  /** At most `capacity` pages are kept: as many as fit. */
  constructor(memory: Memory, capacity = Math.floor(CODE_BYTES / PAGE_RECORD_BYTES)) {
    this.memory = memory
    this.#indexOf = new Int32Array(memory.bytes.length >>> PAGE_SHIFT).fill(NONE)
    this.#hostOf = new Int32Array(capacity).fill(NONE)
    this.#writes = new Uint8Array(capacity)
    this.#harts = (memory.codeHost - memory.tlbHost) / SOFT_TLB_BYTES
    memory.onWritten((host, bytes) => this.written(host, bytes))
  }

  /** True if the page at a host offset has records. */
  holds(host: number): boolean {
    return this.#indexOf[host >>> PAGE_SHIFT] !== NONE
  }

  /** The address of the first record of the page at a host offset; makes room for it if there is none. */
  records(host: number): number {
    const known = this.#indexOf[host >>> PAGE_SHIFT]
    return this.#base(known === NONE ? this.#claim(host) : known)
  }

  /** Host offset of the instruction that a record of a page (not its STRADDLING one) stands for. */
  hostOf(record: number): number {
    const offset = record - this.memory.codeHost
    const index = Math.floor(offset / PAGE_RECORD_BYTES)
    return this.#hostOf[index] * PAGE_BYTES + Math.floor((offset - index * PAGE_RECORD_BYTES) / RECORD_SCALE)
  }

  /** The position of a record in its page. */
  parcelOf(record: number): number {
    return ((record - this.memory.codeHost) % PAGE_RECORD_BYTES) / RECORD_BYTES
  }

  /** Decodes the instruction of a record, and the one after it if they may be done together. */
  decode(record: number): void {
    const { view } = this.memory
    const parcel = this.parcelOf(record)
    const host = this.hostOf(record)
    this.#instructions++
    const first = this.#decodeOne(record, parcel, host)
    if (!beginsPair(first)) return
    const length = (view.getUint8(host) & 3) === 3 ? 4 : 2
    const next = parcel + length / 2
    if (next >= PARCELS || this.#inOtherLines(parcel, next)) return
    const after = record + length * RECORD_SCALE
    const second = this.#decodeOne(after, next, host + length)
    view.setUint16(record + RECORD.handler, pairOf(first, second), true)
  }

  /** In the cached model a pair must lie in one line: where a line begins, the cache is asked. */
  #inOtherLines(parcel: number, next: number): boolean {
    const { lines } = this.memory
    return (
      lines !== undefined && Math.floor((parcel * 2) / lines.lineBytes) !== Math.floor((next * 2) / lines.lineBytes)
    )
  }

  /** Decodes into one record; returns its handler. */
  #decodeOne(record: number, parcel: number, host: number): number {
    const { view } = this.memory
    const low = view.getUint16(host, true)
    if ((low & 3) !== 3) return this.#write(record, decode(low), parcel)
    if (parcel < PARCELS - 1) return this.#write(record, decode(view.getUint32(host, true)), parcel)
    view.setUint16(record + RECORD.handler, STRADDLES, true)
    return STRADDLES
  }

  /** Decodes a word that straddles the end of the page of `record`; returns the address of its record. */
  decodeStraddling(record: number, word: number): number {
    const place = record + (STRADDLING - (PARCELS - 1)) * RECORD_BYTES
    this.#write(place, decode(word), STRADDLING)
    return place
  }

  /** Memory changed: instructions there, whose second half is there, or that are paired with one of those, are decoded anew. */
  written(host: number, bytes: number): void {
    const { view } = this.memory
    const last = (host + bytes - 1) >>> PAGE_SHIFT
    for (let page = host >>> PAGE_SHIFT; page <= last; page++) {
      const index = this.#indexOf[page]
      if (index === NONE) continue
      const start = page * PAGE_BYTES
      const from = Math.max(host - REACH - start, 0) & ~1
      const to = Math.min(host + bytes - start, PAGE_BYTES)
      const base = this.#base(index)
      // Operands stay: an untouched instruction may be the second of a pair that begins further back.
      for (let at = from; at < to; at += 2) view.setUint16(base + at * RECORD_SCALE + RECORD.handler, UNDECODED, true)
      if (this.#writes[index] < WRITES_UNTIL_DATA) this.#writes[index]++
    }
  }

  /** Gives up the records of a page that has become data, unless they are those in use, at `running`. */
  retire(host: number, running: number): void {
    const index = this.#indexOf[host >>> PAGE_SHIFT]
    if (index === NONE || this.#writes[index] < WRITES_UNTIL_DATA) return
    const base = this.#base(index)
    if (running >= base && running < base + PAGE_RECORD_BYTES) return
    this.#indexOf[host >>> PAGE_SHIFT] = NONE
    this.#hostOf[index] = NONE
    dropFetches(this.memory)
  }

  statistics(): CodeStatistics {
    return { pages: this.#pages, evictions: this.#evictions, instructions: this.#instructions }
  }

  #base(index: number): number {
    return this.memory.codeHost + index * PAGE_RECORD_BYTES
  }

  /** The instruction cache of a hart has the line of a record. */
  lineCame(hart: number, record: number): void {
    this.memory.bytes[this.memory.lines!.codeByteOf(hart, record)] = 1
  }

  /** The line of code at `host` has left the instruction cache of a hart. */
  lineGone(hart: number, host: number): void {
    const index = this.#indexOf[host >>> PAGE_SHIFT]
    if (index === NONE) return
    const record = this.#base(index) + (host & (PAGE_BYTES - 1)) * RECORD_SCALE
    this.memory.bytes[this.memory.lines!.codeByteOf(hart, record)] = 0
  }

  /** Takes the next place in turn for the page at `host`. */
  #claim(host: number): number {
    const { memory } = this
    const index = this.#cursor
    this.#cursor = (index + 1) % this.#hostOf.length
    const evicted = this.#hostOf[index]
    if (evicted !== NONE) {
      this.#indexOf[evicted] = NONE
      this.#evictions++
      dropFetches(memory)
    }
    this.#indexOf[host >>> PAGE_SHIFT] = index
    this.#hostOf[index] = host >>> PAGE_SHIFT
    this.#writes[index] = 0
    this.#pages++
    dropStores(memory, (host >>> PAGE_SHIFT) * PAGE_BYTES)
    const base = this.#base(index)
    memory.bytes.fill(0, base, base + PAGE_RECORD_BYTES)
    const { lines } = memory
    if (lines)
      for (let hart = 0; hart < this.#harts; hart++)
        memory.bytes.fill(0, lines.codeByteOf(hart, base), lines.codeByteOf(hart, base + PAGE_RECORD_BYTES))
    for (let parcel = PARCELS; parcel < PARCELS + 16; parcel++) {
      memory.view.setUint16(base + parcel * RECORD_BYTES + RECORD.handler, PAGE_END, true)
    }
    return index
  }

  #write(record: number, decoded: Decoded | undefined, parcel: number): number {
    const { view } = this.memory
    if (!decoded) {
      view.setUint16(record + RECORD.handler, ILLEGAL, true)
      return ILLEGAL
    }
    const { instruction, rd, rs1, rs2, rs3, imm, rm, csr } = decoded
    const target = parcel + imm / 2
    const near = isDirect(instruction) && parcel < PARCELS && target >= 0 && target < PARCELS
    const files = filesOf(instruction)
    view.setUint16(record + RECORD.rd, files.rd === F ? F + rd * 8 : rd === 0 ? X_SINK : X + rd * 8, true)
    view.setUint16(record + RECORD.rs1, files.rs1 + rs1 * 8, true)
    view.setUint16(record + RECORD.rs2, files.rs2 + rs2 * 8, true)
    view.setUint16(record + RECORD.rs3, F + rs3 * 8, true)
    view.setInt32(record + RECORD.imm, near ? imm * RECORD_SCALE : imm, true)
    view.setUint16(record + RECORD.extra, rm | csr, true)
    let handler = handlerOf(decoded, near)
    const plain = plainCsrHandler(instruction) < 0 ? undefined : plainCsr(csr)
    if (plain) {
      handler = plainCsrHandler(instruction)
      view.setUint16(record + RECORD.rs2, plain.at, true)
      view.setUint16(record + RECORD.rs3, plain.virtualAt, true)
      view.setInt32(record + RECORD.imm, plain.mask, true)
    }
    view.setUint16(record + RECORD.handler, handler, true)
    return handler
  }
}

type Files = Readonly<Record<'rd' | 'rs1' | 'rs2', number>>
const known = new Map<Decoded['instruction'], Files>()

/** Where in the window the registers that an instruction's fields name begin. */
function filesOf(instruction: Decoded['instruction']): Files {
  let files = known.get(instruction)
  if (!files) {
    const file = (field: string): number =>
      instruction.kinds.some(kind => kind.field === field && kind.notation === 'f') ? F : X
    files = { rd: file('rd'), rs1: file('rs1'), rs2: file('rs2') }
    known.set(instruction, files)
  }
  return files
}
