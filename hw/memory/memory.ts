/**
 * The one linear memory in which everything fast lies: the running hart's window, the soft TLBs, predecoded code,
 * ROM and RAM. Offsets into it are called `host`.
 */
import { PAGE_BYTES, PAGE_SHIFT } from '../spec/address.ts'
import { WINDOW_BYTES } from '../hart/state.ts'
import { LineTables } from './line-tables.ts'

/** Bytes reserved for each hart's soft TLBs, and for tier 0's predecoded pages. */
export const SOFT_TLB_BYTES = 0x20000
export const CODE_BYTES = 0x0800_0000
/** Tier 0's own scratch, between window and soft TLBs. */
export const SCRATCH_BYTES = 0xf000

export interface MemoryRegion {
  readonly base: number
  readonly bytes: number
  readonly writable: boolean
}

interface Placed extends MemoryRegion {
  readonly host: number
}

/** Of {@link Memory.touched}. */
export const TOUCHED = 1
export const TOUCHED_LATELY = 2

/** Told of every write that did not go through an executor's fast path. */
export type WriteListener = (host: number, bytes: number) => void

export class Memory {
  readonly wasm: WebAssembly.Memory
  readonly bytes: Uint8Array
  readonly words: Int32Array
  readonly longs: BigInt64Array
  readonly doubles: Float64Array
  readonly view: DataView
  readonly regions: readonly Placed[]
  readonly scratchHost = WINDOW_BYTES
  readonly tlbHost: number
  readonly codeHost: number
  /** RAM is the first writable region. */
  readonly ram: Placed
  /** Physical pages whose stores must take the slow path, with who wants to know (HTIF). */
  readonly watched = new Map<number, (address: number) => void>()
  /** Which lines the caches hold, if the model has caches. */
  readonly lines: LineTables | undefined
  /**
   * By page of `bytes` (host offset / 4096): 0 if nothing has been written there since the machine was made (it is zero),
   * else TOUCHED, with TOUCHED_LATELY if something may have been since somebody last cleared that.
   */
  readonly touched: Uint8Array
  /** Told of what devices read and write by themselves. */
  onDma: ((host: number, bytes: number, write: boolean) => void) | undefined
  #listeners: WriteListener[] = []

  /**
   * `regions` are page-aligned and do not overlap; `lineBytes` are those of the harts' caches, if they have any. Throws
   * RangeError if it exceeds what 32 bits can address.
   */
  constructor(regions: readonly MemoryRegion[], harts: number, lineBytes?: number) {
    this.tlbHost = WINDOW_BYTES + SCRATCH_BYTES
    this.codeHost = this.tlbHost + harts * SOFT_TLB_BYTES
    let host = this.codeHost + CODE_BYTES
    this.regions = regions.map(region => {
      const placed = { ...region, host }
      host += Math.ceil(region.bytes / PAGE_BYTES) * PAGE_BYTES
      return placed
    })
    if (lineBytes !== undefined) {
      this.lines = new LineTables(lineBytes, this.codeHost + CODE_BYTES, host, this.codeHost, CODE_BYTES)
      host += harts * this.lines.bytes
    }
    const pages = Math.ceil(host / 65536)
    if (pages > 65536) throw new RangeError(`memory of ${host} bytes does not fit in 4 GiB`)
    this.wasm = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const { buffer } = this.wasm
    this.bytes = new Uint8Array(buffer)
    this.words = new Int32Array(buffer)
    this.longs = new BigInt64Array(buffer)
    this.doubles = new Float64Array(buffer)
    this.view = new DataView(buffer)
    this.touched = new Uint8Array(buffer.byteLength / PAGE_BYTES)
    const ram = this.regions.find(region => region.writable)
    if (!ram) throw new Error('a machine needs RAM')
    this.ram = ram
  }

  /** Host offset of a physical address, or -1 if no memory is there. */
  toHost(address: number): number {
    const { ram } = this
    const inRam = address - ram.base
    if (inRam >= 0 && inRam < ram.bytes) return ram.host + inRam
    for (const region of this.regions) {
      const offset = address - region.base
      if (offset >= 0 && offset < region.bytes) return region.host + offset
    }
    return -1
  }

  /** Physical address of a host offset within a region. */
  toPhysical(host: number): number {
    for (const region of this.regions) {
      const offset = host - region.host
      if (offset >= 0 && offset < region.bytes) return region.base + offset
    }
    throw new Error(`host offset 0x${host.toString(16)} lies in no region`)
  }

  /** True if [address, address + bytes) lies in one region (writable, if asked). */
  contains(address: number, bytes: number, forWriting = false): boolean {
    return this.regions.some(
      region =>
        (region.writable || !forWriting) && address >= region.base && address + bytes <= region.base + region.bytes,
    )
  }

  onWritten(listener: WriteListener): void {
    this.#listeners.push(listener)
  }

  /** Must follow every write to `bytes` and its other views that did not go through an executor's fast path. */
  written(host: number, bytes: number): void {
    const last = (host + bytes - 1) >>> PAGE_SHIFT
    for (let page = host >>> PAGE_SHIFT; page <= last; page++) this.touched[page] = TOUCHED | TOUCHED_LATELY
    this.#tell(host, bytes)
  }

  /** Must precede a fast path's writes to the page at `host`. */
  touch(host: number): void {
    this.touched[host >>> PAGE_SHIFT] = TOUCHED | TOUCHED_LATELY
  }

  /** Makes the page at `host` zero. One that has never been written is, and costs its owner no memory until then. */
  clearPage(host: number): void {
    if (this.touched[host >>> PAGE_SHIFT] === 0) return this.#tell(host, PAGE_BYTES)
    this.bytes.fill(0, host, host + PAGE_BYTES)
    this.written(host, PAGE_BYTES)
  }

  /** Copies into a physical range known to be memory (ROM too: this is the loader's and DMA's way). */
  write(address: number, from: Uint8Array): void {
    const host = this.toHost(address)
    if (host < 0 || !this.contains(address, from.length))
      throw new Error(`no memory at 0x${address.toString(16)}+${from.length}`)
    this.bytes.set(from, host)
    this.written(host, from.length)
  }

  /** A copy of a physical range known to be memory. */
  read(address: number, bytes: number): Uint8Array {
    const host = this.toHost(address)
    if (host < 0 || !this.contains(address, bytes)) throw new Error(`no memory at 0x${address.toString(16)}+${bytes}`)
    return this.bytes.slice(host, host + bytes)
  }

  #tell(host: number, bytes: number): void {
    for (const listener of this.#listeners) listener(host, bytes)
  }
}
