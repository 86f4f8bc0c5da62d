import { CSR_RULES } from '../../../hw/hart/csr-rules.ts'
import { SoftFloat } from '../../../hw/hart/float/soft-float.ts'
import { FCSR } from '../../../hw/hart/slots.ts'
import {
  DONE,
  RELOAD,
  TRAPPED,
  type HartServices,
  type Outcome,
  type TranslationCache,
} from '../../../hw/hart/services.ts'
import { ADDRESS, BUDGET, FLOAT, OPERANDS, PC, RESERVATION, STALLS, VALUE } from '../../../hw/hart/state.ts'
import { HartCaches } from '../../../hw/hart/caches.ts'
import { Core } from '../../../hw/hart/core.ts'
import { Hierarchy } from '../../../hw/memory/hierarchy.ts'
import { Memory } from '../../../hw/memory/memory.ts'
import { Ledger } from '../../../hw/time/ledger.ts'
import { type Prices, rocketFlat } from '../../../hw/time/prices.ts'
import type { Action, AmoOperation, FloatFormat, FloatOperation } from '../../../hw/spec/isa/semantics.ts'

export const RAM_BASE = 0x8000_0000
export const RAM_PAGES = 64
const PAGE = 4096
/** Entries of each modelled TLB: few, so that pages leave all the time. */
const ENTRIES = 4
const MISS = 7
const TRAP = 3

/**
 * A hart for comparing executors: pages from RAM_BASE on are mapped in reverse order, through modelled TLBs that cost
 * cycles to fill; each trap goes to another place in the first pages.
 */
export class PagedHart implements HartServices {
  readonly memory: Memory
  /** In the cached model. */
  readonly hierarchy: Hierarchy | undefined
  readonly caches: HartCaches | undefined
  readonly traps = new Map<string, number>()
  cache: TranslationCache | undefined
  fetchedPage = 0
  fetchedHost = -1
  #trapped = 0
  readonly #float = new SoftFloat()
  readonly #fetches: number[] = []
  readonly #data: number[] = []

  constructor(prices: Prices = rocketFlat) {
    const lineBytes = prices.caches?.data.lineBytes
    this.memory = new Memory([{ base: RAM_BASE, bytes: RAM_PAGES * PAGE, writable: true }], 1, lineBytes)
    const { memory } = this
    if (!prices.caches || !prices.memory || !memory.lines) return
    this.hierarchy = new Hierarchy(memory, 1, prices.caches, prices.memory)
    this.hierarchy.onCodeGone = (_, host) => this.cache?.lineGone?.(host)
    const core = new Core(0, memory, prices, new Ledger('guest', 'running', 'computing'))
    this.caches = new HartCaches(core, this.hierarchy, memory.lines)
  }

  /** Host offset of a virtual address that is mapped. */
  hostOf(address: number): number {
    const page = RAM_PAGES - 1 - Math.floor((address - RAM_BASE) / PAGE)
    return this.memory.ram.host + page * PAGE + (address % PAGE)
  }

  /** Copies to virtual addresses; may span pages. */
  put(address: number, from: Uint8Array): void {
    for (const [index, byte] of from.entries()) {
      const host = this.hostOf(address + index)
      this.memory.bytes[host] = byte
      this.memory.written(host, 1)
    }
  }

  fetch(): Outcome {
    const pc = this.#number(PC)
    if (!this.#translate(this.#fetches, pc)) return this.#trap('fetch')
    this.fetchedHost = this.hostOf(pc) - (pc % PAGE)
    this.caches?.code(this.hostOf(pc))
    // As of a page that PMP covers in part.
    if (Math.floor(pc / PAGE) % 4 !== 3) this.cache?.fill('fetch', Math.floor(pc / PAGE), this.fetchedHost)
    return DONE
  }

  fetchSecondHalf(): Outcome {
    const address = this.#number(PC) + 2
    if (!this.#translate(this.#fetches, address)) return this.#trap('fetch')
    this.memory.longs[VALUE >> 3] = BigInt(this.memory.view.getUint16(this.hostOf(address), true))
    return DONE
  }

  load(bytes: number, signed: boolean): Outcome {
    const address = this.#number(ADDRESS)
    if (!this.#translate(this.#data, address, bytes)) return this.#trap('load')
    if (address % bytes !== 0) this.#stall(rocketFlat.misaligned)
    if ((address % PAGE) + bytes <= PAGE)
      this.cache?.fill('load', Math.floor(address / PAGE), this.hostOf(address) - (address % PAGE))
    this.#touch(address, bytes, false)
    let value = 0n
    for (let at = bytes - 1; at >= 0; at--) value = (value << 8n) | BigInt(this.memory.bytes[this.hostOf(address + at)])
    this.memory.longs[VALUE >> 3] = signed ? BigInt.asIntN(8 * bytes, value) : value
    return DONE
  }

  store(bytes: number): Outcome {
    const address = this.#number(ADDRESS)
    if (!this.#translate(this.#data, address, bytes)) return this.#trap('store')
    if (address % bytes !== 0) this.#stall(rocketFlat.misaligned)
    this.#touch(address, bytes, true)
    const value = this.memory.longs[VALUE >> 3]
    for (let at = 0; at < bytes; at++) {
      this.memory.bytes[this.hostOf(address + at)] = Number((value >> BigInt(8 * at)) & 0xffn)
      this.memory.written(this.hostOf(address + at), 1)
    }
    if ((address % PAGE) + bytes <= PAGE)
      this.cache?.fill('store', Math.floor(address / PAGE), this.hostOf(address) - (address % PAGE))
    return DONE
  }

  amo(bytes: number, operation: AmoOperation): Outcome {
    const { longs } = this.memory
    const address = this.#number(ADDRESS)
    if (address % bytes !== 0) return this.#trap('misaligned')
    const given = longs[VALUE >> 3]
    // An atomic is one access, a store: filling the line is done once.
    if (!this.#translate(this.#data, address)) return this.#trap('load')
    this.#touch(address, bytes, true)
    if (this.load(bytes, true) === TRAPPED) return TRAPPED
    const old = longs[VALUE >> 3]
    const [a, b] = [BigInt.asUintN(8 * bytes, old), BigInt.asUintN(8 * bytes, given)]
    const signed = BigInt.asIntN(8 * bytes, given)
    longs[VALUE >> 3] = {
      swap: given,
      add: old + given,
      xor: old ^ given,
      and: old & given,
      or: old | given,
      min: old < signed ? old : signed,
      max: old > signed ? old : signed,
      minu: a < b ? a : b,
      maxu: a > b ? a : b,
    }[operation]
    this.store(bytes)
    longs[VALUE >> 3] = old
    return DONE
  }

  loadReserved(bytes: number): Outcome {
    const address = this.#number(ADDRESS)
    if (address % bytes !== 0) return this.#trap('misaligned')
    if (this.load(bytes, true) === TRAPPED) return TRAPPED
    this.memory.words[RESERVATION >> 2] = this.hostOf(address)
    return DONE
  }

  storeConditional(bytes: number): Outcome {
    const { longs, words } = this.memory
    const address = this.#number(ADDRESS)
    if (address % bytes !== 0) return this.#trap('misaligned')
    if (!this.#translate(this.#data, address)) return this.#trap('store')
    this.#touch(address, bytes, true)
    const reserved = words[RESERVATION >> 2] === this.hostOf(address)
    words[RESERVATION >> 2] = -1
    if (reserved) this.store(bytes)
    longs[VALUE >> 3] = reserved ? 0n : 1n
    return DONE
  }

  guestLoad(bytes: number, signed: boolean, fetch: boolean): Outcome {
    this.memory.longs[VALUE >> 3] =
      this.memory.longs[ADDRESS >> 3] ^ BigInt(bytes + 16 * Number(signed) + 32 * Number(fetch))
    return DONE
  }

  guestStore(): Outcome {
    return this.#trap('guest store')
  }

  cacheBlock(): Outcome {
    return DONE
  }

  /** Odd CSRs ask for the run loop, as one that may let an interrupt through. */
  csr(number: number, operation: string, reads: boolean, writes: boolean, instruction: number): Outcome {
    const { longs } = this.memory
    const rules = CSR_RULES[number]
    if ((number & 0xcfc) === 0x40 && number >> 8 !== 2 && rules) {
      const at = rules.slot >> 1
      const old = longs[at]
      const given = longs[OPERANDS >> 3]
      const mask = (BigInt(rules.high) << 32n) | BigInt(rules.low >>> 0)
      if (writes)
        longs[at] = BigInt.asIntN(
          64,
          (operation === 'write' ? given : operation === 'set' ? old | given : old & ~given) & mask,
        )
      longs[VALUE >> 3] = old
      return DONE
    }
    if (number % 7 === 3) return this.illegal(instruction)
    longs[VALUE >> 3] =
      longs[OPERANDS >> 3] ^
      BigInt(number * 64 + operation.length * 4 + Number(reads) * 2 + Number(writes) + (instruction >>> 7))
    this.#stall(number & 3)
    return (number & 1) === 0 ? DONE : RELOAD
  }

  perform(action: Action, instruction: number): Outcome {
    if (action === 'fence') return DONE
    if (action === 'fence.i') {
      this.#stall(5)
      this.caches?.fence()
      this.cache?.fenceI()
      // As of a hart: the line that is being executed has to be fetched again.
      return this.caches ? RELOAD : DONE
    }
    if (action === 'sfence.vma') {
      this.#fetches.length = this.#data.length = 0
      this.cache?.flush()
      return DONE
    }
    if (action === 'sret') {
      this.memory.longs[PC >> 3] += 8n
      return RELOAD
    }
    return this.#trap(`${action} ${instruction}`)
  }

  float(operation: FloatOperation, format: FloatFormat, rm: number, instruction: number): Outcome {
    const { longs, words } = this.memory
    const mode = rm === 7 ? (words[FCSR] >> 5) & 7 : rm
    if (mode > 4) return this.illegal(instruction)
    const at = OPERANDS >> 3
    longs[VALUE >> 3] = this.#float.execute(operation, format, longs[at], longs[at + 1], longs[at + 2], mode)
    if (this.#float.flags !== 0) {
      words[FCSR] |= this.#float.flags
      words[FLOAT >> 2] = 2
    }
    return DONE
  }

  illegal(instruction: number): typeof TRAPPED {
    return this.#trap(`illegal ${instruction.toString(16)}`)
  }

  /** The pages of an access that crosses their boundary do not lie side by side. */
  #touch(address: number, bytes: number, write: boolean): void {
    const first = Math.min(bytes, PAGE - (address % PAGE))
    this.caches?.data(this.hostOf(address), first, write)
    if (first < bytes) this.caches?.data(this.hostOf(address + first), bytes - first, write)
  }

  #number(at: number): number {
    return Number(BigInt.asUintN(64, this.memory.longs[at >> 3]))
  }

  #stall(cycles: number): void {
    this.memory.words[BUDGET >> 2] -= cycles
    this.memory.doubles[STALLS >> 3] += cycles
  }

  #trap(what: string): typeof TRAPPED {
    this.traps.set(what, (this.traps.get(what) ?? 0) + 1)
    this.memory.longs[PC >> 3] = BigInt(RAM_BASE + ((this.#trapped++ * 74) % 14_000))
    this.#stall(TRAP)
    return TRAPPED
  }

  #translate(tlb: number[], address: number, bytes = 1): boolean {
    if (address < RAM_BASE || address + bytes > RAM_BASE + RAM_PAGES * PAGE) return false
    for (const page of new Set([Math.floor(address / PAGE), Math.floor((address + bytes - 1) / PAGE)])) {
      if (tlb.includes(page)) continue
      this.#stall(MISS)
      tlb.push(page)
      const dropped = tlb.length > ENTRIES ? tlb.shift() : undefined
      if (dropped !== undefined) this.cache?.drop(dropped)
    }
    return true
  }
}
