/** Tier 0: runs a hart by the WebAssembly interpreter, and answers its requests with the hart's services. */
import { DONE, RELOAD, TRAPPED, type Executor, type HartServices, type Outcome } from '../hart/services.ts'
import { BUDGET, DEADLINE, PC, VALUE } from '../hart/state.ts'
import type { Memory } from '../memory/memory.ts'
import { PAGE_BYTES } from '../spec/address.ts'
import { instructionCycles, type Prices, rocketFlat } from '../time/prices.ts'
import { CodePages, type CodeStatistics } from './code-pages.ts'
import { ENTRANCE } from './handlers.ts'
import { encodeInterpreter, type Costs } from './interpreter.ts'
import { LINES, PARCELS, PC_BASE, RECORD, RECORD_BYTES, SLOT, STRADDLING, TLB_BASE } from './record.ts'
import {
  ACTIONS,
  AMO_OPERATIONS,
  CACHE_BLOCK_OPERATIONS,
  CSR_OPERATIONS,
  FLOAT_OPERATIONS,
  type Service,
} from './runtime.ts'
import { SoftTlb, type Access } from './soft-tlb.ts'

/** A budget that makes the interpreter leave after the current instruction. */
const FORCED = -0x4000_0000
const BUDGET_WORD = BUDGET >> 2
const PC_LOW = PC >> 2
const PC_HIGH = PC_LOW + 1
const DEADLINE_DOUBLE = DEADLINE >> 3
const SLOT_WORD = SLOT >> 2
const TLB_BASE_WORD = TLB_BASE >> 2
const LINES_WORD = LINES >> 2

export interface Tier0Statistics extends CodeStatistics {
  /** Requests that left WebAssembly. */
  readonly loads: number
  readonly stores: number
  readonly fetches: number
  readonly others: number
}

/** Makes the executors of a machine's harts. */
export function tier0(): (memory: Memory, hart: HartServices, hartIndex: number, prices: Prices) => Tier0 {
  let code: Tier0Code | undefined
  return (memory, hart, hartIndex, prices) => {
    if (code?.pages.memory !== memory) code = new Tier0Code(memory, undefined, prices)
    return new Tier0(memory, hart, hartIndex, code)
  }
}

/** Compiled interpreters, by all that they depend on: machines that are built alike share one. The last few are kept. */
const compiled = new Map<string, WebAssembly.Module>()
const KEPT = 4

function interpreterFor({ bytes, scratchHost, lines }: Memory, prices: Prices): WebAssembly.Module {
  const memoryPages = bytes.length / 65536
  const key = JSON.stringify([memoryPages, scratchHost, lines, prices.instructions, prices.misaligned])
  const known = compiled.get(key)
  if (known) return known
  const costs: Costs = {
    instruction: instruction => instructionCycles(instruction, prices),
    misaligned: prices.misaligned,
  }
  const made = new WebAssembly.Module(encodeInterpreter({ memoryPages, entrance: scratchHost, lines }, costs))
  compiled.set(key, made)
  const [oldest] = compiled.keys()
  if (compiled.size > KEPT && oldest !== undefined) compiled.delete(oldest)
  return made
}

/** What the interpreters of one machine's harts share: compiled code and predecoded pages. */
export class Tier0Code {
  readonly pages: CodePages
  readonly module: WebAssembly.Module

  constructor(memory: Memory, pages = new CodePages(memory), prices: Prices = rocketFlat) {
    this.pages = pages
    memory.view.setUint16(memory.scratchHost + RECORD.handler, ENTRANCE, true)
    this.module = interpreterFor(memory, prices)
  }
}

export class Tier0 implements Executor {
  readonly #memory: Memory
  readonly #hart: HartServices
  readonly #pages: CodePages
  readonly #tlb: SoftTlb
  readonly #interpret: () => void
  /** Cycles to give back to BUDGET, if it was FORCED. */
  #owed = 0
  #forced = false
  /** A service asked for the run loop. */
  #reload = false
  /** The page that is being executed is no longer translated. */
  #lost = false
  #straddlingWord = 0
  /** The hart entered the page just fetched in the soft TLB; else only one instruction may run before the next fetch. */
  #entered = false
  /** Cycles by which DEADLINE was drawn in to run a single instruction, and where it is then. */
  #drawn = 0
  #drawnDeadline = 0
  #loads = 0
  #stores = 0
  #fetches = 0
  #others = 0
  readonly #index: number
  /** In the cached model: see LINES. */
  readonly #lines: number

  constructor(memory: Memory, hart: HartServices, hartIndex: number, code: Tier0Code = new Tier0Code(memory)) {
    this.#memory = memory
    this.#hart = hart
    this.#pages = code.pages
    this.#index = hartIndex
    const { lines } = memory
    this.#lines = lines ? lines.tableOf(hartIndex) - (lines.firstHost >>> lines.shift) : 0
    this.#tlb = new SoftTlb(memory, hartIndex)
    const env = { memory: memory.wasm, ...this.#services() }
    const { run } = new WebAssembly.Instance(code.module, { env }).exports
    this.#interpret = run as () => void
  }

  run(): void {
    const { words } = this.#memory
    this.#reload = false
    // An error in software may have ended the last run in its midst.
    this.#forced = false
    this.#drawn = 0
    words[LINES_WORD] = this.#lines
    while (words[BUDGET_WORD] > 0 && !this.#reload) {
      words[TLB_BASE_WORD] = this.#tlb.base()
      this.#lost = false
      this.#interpret()
      if (this.#forced) {
        this.#forced = false
        words[BUDGET_WORD] += this.#owed
      }
      if (this.#drawn !== 0) this.#extend()
    }
  }

  fill(access: Access, virtualPage: number, host: number, writable = false): void {
    const { words } = this.#memory
    const base = words[TLB_BASE_WORD]
    const pages = this.#pages
    if (access === 'fetch') {
      this.#entered = true
      this.#tlb.fill(base, 'fetch', virtualPage, pages.records(host))
    } else {
      if (access === 'store' && pages.holds(host)) {
        pages.retire(host, words[SLOT_WORD])
        if (pages.holds(host)) return
      }
      const storable = access === 'store' || (writable && !pages.holds(host))
      if (storable) this.#memory.touch(host)
      this.#tlb.fill(base, access, virtualPage, host)
      if (storable && access !== 'store') this.#tlb.fill(base, 'store', virtualPage, host)
    }
  }

  drop(virtualPage: number): void {
    this.#tlb.drop(virtualPage)
    const { words } = this.#memory
    if (virtualPage === (words[PC_HIGH] >>> 0) * 2 ** 20 + (words[PC_LOW] >>> 12)) this.#lost = true
  }

  flush(): void {
    this.#tlb.flush()
    this.#lost = true
  }

  /** The predecoded pages are told by the memory itself, once for all harts. */
  written(): void {}

  lineGone(host: number): void {
    this.#pages.lineGone(this.#index, host)
  }

  /** Records of what was written are forgotten at once: nothing is stale. */
  fenceI(): void {}

  statistics(): Tier0Statistics {
    return {
      ...this.#pages.statistics(),
      loads: this.#loads,
      stores: this.#stores,
      fetches: this.#fetches,
      others: this.#others,
    }
  }

  /** How a service ended, for the interpreter: 1 if a trap was taken. */
  #ended(outcome: Outcome): number {
    if (outcome === TRAPPED) return 1
    if (outcome === RELOAD) this.#reload = true
    if (outcome === RELOAD || this.#lost) this.#force()
    return 0
  }

  #force(): void {
    const { words } = this.#memory
    this.#forced = true
    this.#owed = words[BUDGET_WORD] - FORCED
    words[BUDGET_WORD] = FORCED
  }

  /** Draws DEADLINE in so that one instruction runs; the clock stays right, since BUDGET goes with it. */
  #single(): void {
    const { words, doubles } = this.#memory
    this.#drawn = Math.max(words[BUDGET_WORD] - 1, 0)
    words[BUDGET_WORD] -= this.#drawn
    doubles[DEADLINE_DOUBLE] -= this.#drawn
    this.#drawnDeadline = doubles[DEADLINE_DOUBLE]!
  }

  /** Undoes `single`, unless the hart has set another deadline meanwhile. */
  #extend(): void {
    const { words, doubles } = this.#memory
    if (doubles[DEADLINE_DOUBLE] === this.#drawnDeadline) {
      words[BUDGET_WORD] += this.#drawn
      doubles[DEADLINE_DOUBLE] += this.#drawn
    }
    this.#drawn = 0
  }

  /** The word of the instruction that asks for a service. */
  #instruction(): number {
    const { view, words } = this.#memory
    const record = words[SLOT_WORD]
    const parcel = this.#pages.parcelOf(record)
    if (parcel === STRADDLING) return this.#straddlingWord
    const host = this.#pages.hostOf(record)
    const low = view.getUint16(host, true)
    return (low & 3) === 3 ? view.getUint32(host, true) : low
  }

  #straddle(): number {
    const { view, words, longs } = this.#memory
    const record = words[SLOT_WORD]
    const low = view.getUint16(this.#pages.hostOf(record), true)
    if (this.#hart.fetchSecondHalf() === TRAPPED) return 1
    this.#straddlingWord = (low | (view.getUint16(VALUE, true) << 16)) >>> 0
    words[SLOT_WORD] = this.#pages.decodeStraddling(record, this.#straddlingWord)
    longs[PC_BASE >> 3] = longs[PC >> 3] - BigInt(words[SLOT_WORD] >>> 3)
    return 0
  }

  #fetch(): number {
    const hart = this.#hart
    this.#fetches++
    this.#entered = false
    if (hart.fetch() === TRAPPED) return 0
    this.#lost = false
    if (!this.#entered && this.#drawn === 0) this.#single()
    const { fetchedHost } = hart
    return this.#pages.records(fetchedHost) + ((this.#memory.words[PC_LOW] & (PAGE_BYTES - 2)) >>> 1) * RECORD_BYTES
  }

  /** Where a page's instructions end, there is no code; nor does one that straddles the end begin there. */
  #codeMissed(record: number): Outcome {
    const pages = this.#pages
    if (pages.parcelOf(record) >= PARCELS) return DONE
    this.#hart.caches?.code(pages.hostOf(record))
    pages.lineCame(this.#index, record)
    return DONE
  }

  #services(): Readonly<Record<Service, (...parameters: number[]) => number>> {
    const hart = this.#hart
    const { words } = this.#memory
    const ended = (outcome: Outcome): number => this.#ended(outcome)
    /** As `ended`, of a service after which another translation class may be in force. */
    const switched = (outcome: Outcome): number => {
      words[TLB_BASE_WORD] = this.#tlb.base()
      return this.#ended(outcome)
    }
    const other = (): HartServices => {
      this.#others++
      return hart
    }
    return {
      load: (bytes: number) => {
        this.#loads++
        return ended(bytes < 0 ? hart.load(-bytes, true) : hart.load(bytes, false))
      },
      store: (bytes: number) => {
        this.#stores++
        return ended(hart.store(bytes))
      },
      amo: (bytes: number, operation: number) => ended(other().amo(bytes, AMO_OPERATIONS[operation])),
      loadReserved: (bytes: number) => ended(other().loadReserved(bytes)),
      storeConditional: (bytes: number) => ended(other().storeConditional(bytes)),
      guestLoad: (bytes: number, signed: number, fetch: number) =>
        ended(other().guestLoad(bytes, signed !== 0, fetch !== 0)),
      guestStore: (bytes: number) => ended(other().guestStore(bytes)),
      cacheBlock: (operation: number) => ended(other().cacheBlock(CACHE_BLOCK_OPERATIONS[operation])),
      csr: (number: number, operation: number, reads: number, writes: number) =>
        switched(other().csr(number, CSR_OPERATIONS[operation], reads !== 0, writes !== 0, this.#instruction())),
      perform: (action: number) => switched(other().perform(ACTIONS[action], this.#instruction())),
      float: (operation: number, double: number, rm: number) =>
        ended(other().float(FLOAT_OPERATIONS[operation], double !== 0 ? 'd' : 's', rm, this.#instruction())),
      illegal: () => ended(hart.illegal(this.#instruction())),
      decode: () => {
        this.#pages.decode(words[SLOT_WORD])
        return DONE
      },
      straddle: () => this.#straddle(),
      fetch: () => this.#fetch(),
      dataMissed: (host: number, write: number) => {
        hart.caches?.data(host >>> 0, 1, write !== 0)
        return DONE
      },
      codeMissed: (record: number) => this.#codeMissed(record >>> 0),
    }
  }
}
