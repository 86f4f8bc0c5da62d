/**
 * The caches of all harts, the L2 behind them and DRAM: what an access costs beyond the cycle in which it retires.
 *
 * Each hart has an instruction cache and a write-back, write-allocate data cache, kept coherent at their line size: a line
 * is modified in one data cache (WRITABLE), or alone and clean there (SOLE), or in any number of them. Instruction caches
 * are not told of stores: fence.i empties them, as in Rocket and CVA6. An L2 includes the data caches in front of it; what
 * leaves it leaves them. Every change happens on a miss, so a hit is a look at a byte.
 */
import type { CacheStructure, MemoryPrices } from '../time/prices-memory.ts'
import { Cache, type CacheState } from './cache.ts'
import { Dram, type DramState } from './dram.ts'
import { L2, type FirstLevel, type L2State } from './l2.ts'
import { FETCHABLE, READABLE, SOLE, WRITABLE } from './line-tables.ts'
import type { Memory } from './memory.ts'

/** What was counted since reset. Stalls are `counts × prices + waited`. */
export interface CacheCounts {
  readonly fetchMisses: number
  readonly loadMisses: number
  readonly storeMisses: number
  readonly l2Access: number
  readonly upgrade: number
  readonly probe: number
  readonly victim: number
  readonly rowHit: number
  readonly rowClosed: number
  readonly rowConflict: number
  /** Cycles that harts waited for what others occupied. */
  readonly waited: number
}

export interface HierarchyState {
  readonly instructions: readonly CacheState[]
  readonly data: readonly { readonly tags: CacheState; readonly states: readonly number[] }[]
  readonly l2: readonly L2State[]
  readonly dram: DramState
}

/** Told when a line of memory leaves a hart's instruction cache. */
export type CodeListener = (hart: number, host: number) => void

export class Hierarchy {
  onCodeGone: CodeListener = () => {}
  readonly #memory: Memory
  readonly #prices: MemoryPrices
  readonly #structure: CacheStructure
  readonly #instructions: readonly Cache[]
  readonly #data: readonly FirstLevel[]
  /** Of each hart; and each once. */
  readonly #l2Of: readonly L2[]
  readonly #l2: readonly L2[]
  readonly #dram: Dram
  /** Where text begins: its lines are no memory. */
  readonly #textLine: number
  #fetchMisses = 0
  #loadMisses = 0
  #storeMisses = 0
  #victims = 0

  /** `memory` must have line tables for `harts`, of the first level's line size. */
  constructor(memory: Memory, harts: number, structure: CacheStructure, prices: MemoryPrices) {
    const { lines } = memory
    if (!lines || structure.data.lineBytes !== lines.lineBytes || structure.instructions.lineBytes !== lines.lineBytes)
      throw new RangeError('first-level caches and the tables of memory must have lines of one size')
    this.#memory = memory
    this.#prices = prices
    this.#structure = structure
    this.#textLine = lines.textLine
    // RAM begins with the first set of every cache, wherever it lies in linear memory.
    const phase = -lines.lineOf(memory.ram.host)
    const each = <T>(make: (hart: number) => T): T[] => Array.from({ length: harts }, (_, hart) => make(hart))
    this.#instructions = each(() => new Cache('instruction cache', structure.instructions, phase))
    this.#data = each(hart => ({
      tags: new Cache('data cache', structure.data, phase),
      states: memory.bytes.subarray(lines.tableOf(hart), lines.tableOf(hart) + lines.lines),
    }))
    this.#dram = new Dram(structure, prices)
    const groups = structure.sharing === 'shared' ? [this.#data] : this.#data.map(one => [one])
    this.#l2 = groups.map(group => new L2(group, structure, prices, this.#dram, phase))
    for (const one of this.#l2) one.others = this.#l2.filter(other => other !== one)
    this.#l2Of = each(hart => this.#l2[hart] ?? this.#l2[0])
  }

  /** Stalls of a load at a line; 0 if it hits. */
  load(hart: number, line: number, now: number): number {
    if ((this.#data[hart].states[line] & READABLE) !== 0) return 0
    this.#loadMisses++
    return this.#fill(hart, line, now, false)
  }

  store(hart: number, line: number, now: number): number {
    const data = this.#data[hart]
    const state = data.states[line]
    if ((state & WRITABLE) !== 0) return 0
    if ((state & READABLE) === 0) {
      this.#storeMisses++
      return this.#fill(hart, line, now, true)
    }
    const stall = (state & SOLE) !== 0 ? 0 : this.#l2Of[hart].upgrade(data, line, now)
    data.states[line] = (data.states[line] & ~SOLE) | WRITABLE
    return stall
  }

  fetch(hart: number, line: number, now: number): number {
    const { states } = this.#data[hart]
    if ((states[line] & FETCHABLE) !== 0) return 0
    this.#fetchMisses++
    const cache = this.#instructions[hart]
    const at = cache.victim(line)
    this.#codeGone(hart, cache.tags[at])
    cache.tags[at] = line
    const stall = this.#l2Of[hart].access(undefined, line, now, false)
    states[line] = states[line] | FETCHABLE
    return stall
  }

  /** fence.i: the instruction cache is emptied, and the data cache where the core does that. */
  fence(hart: number, now: number): void {
    const cache = this.#instructions[hart]
    for (const line of cache.tags) this.#codeGone(hart, line)
    cache.tags.fill(-1)
    if (!this.#structure.fenceWritesBack) return
    const data = this.#data[hart]
    for (const line of data.tags.tags) if (line >= 0) this.#l2Of[hart].release(data, line, now)
    data.tags.tags.fill(-1)
  }

  /** fence.t: this hart's caches, and an L2 that serves it alone, are written back and empty. What has to be written is waited for. */
  forget(hart: number, now: number): number {
    const instructions = this.#instructions[hart]
    for (const line of instructions.tags) this.#codeGone(hart, line)
    instructions.forget()
    const data = this.#data[hart]
    const l2 = this.#l2Of[hart]
    let stall = 0
    for (const line of data.tags.tags) {
      if (line < 0 || !l2.release(data, line, now)) continue
      this.#victims++
      stall += this.#prices.victim
    }
    data.tags.forget()
    return this.#data.length === 1 || this.#l2.length > 1 ? stall + l2.forget(now) : stall
  }

  /** cbo.clean, cbo.flush, cbo.inval: to memory, and (unless it stays) out of every cache. */
  writeBack(line: number, now: number, stays: boolean): void {
    for (const l2 of this.#l2) l2.writeBack(line, now, stays)
  }

  /** A device reads or writes memory: through the shared L2, or past private ones. */
  dma(host: number, bytes: number, write: boolean, now: number): void {
    const { lineBytes } = this.#structure.l2
    const lines = this.#memory.lines!
    const ratio = lineBytes / lines.lineBytes
    const first = Math.floor(lines.lineOf(host) / ratio)
    const last = Math.floor(lines.lineOf(host + bytes - 1) / ratio)
    const [shared] = this.#l2.length === 1 ? this.#l2 : []
    for (let line = first; line <= last; line++) {
      const start = lines.hostOf(line * ratio)
      const whole = write && start >= host && start + lineBytes <= host + bytes
      if (shared) shared.dma(line, write, whole, now)
      else {
        for (const l2 of this.#l2) l2.yieldTo(line, write, now)
        this.#dram.occupy(line, now)
      }
    }
  }

  counts(): CacheCounts {
    const sum = (of: (one: L2) => number): number => this.#l2.reduce((total, one) => total + of(one), 0)
    return {
      fetchMisses: this.#fetchMisses,
      loadMisses: this.#loadMisses,
      storeMisses: this.#storeMisses,
      l2Access: sum(one => one.accesses),
      upgrade: sum(one => one.upgrades),
      probe: sum(one => one.probes),
      victim: this.#victims,
      rowHit: this.#dram.rowHits,
      rowClosed: this.#dram.rowsClosed,
      rowConflict: this.#dram.rowConflicts,
      waited: sum(one => one.waited) + this.#dram.waited,
    }
  }

  save(): HierarchyState {
    return {
      instructions: this.#instructions.map(cache => cache.save()),
      data: this.#data.map(({ tags, states }) => {
        const saved = tags.save()
        return { tags: saved, states: saved.tags.map(line => (line < 0 ? 0 : states[line] & ~FETCHABLE)) }
      }),
      l2: this.#l2.map(one => one.save()),
      dram: this.#dram.save(),
    }
  }

  /** Takes the state of a hierarchy built alike. */
  restore(state: HierarchyState): void {
    const { bytes, lines } = this.#memory
    for (const [hart, data] of this.#data.entries()) {
      bytes.fill(0, lines!.tableOf(hart), lines!.tableOf(hart) + lines!.bytes)
      const { tags, states } = state.data[hart]
      data.tags.restore(tags)
      for (const [at, line] of tags.tags.entries()) if (line >= 0) data.states[line] = states[at]!
      const fetched = state.instructions[hart]
      this.#instructions[hart].restore(fetched)
      for (const line of fetched.tags) if (line >= 0) data.states[line] = data.states[line] | FETCHABLE
    }
    for (const [at, one] of this.#l2.entries()) one.restore(state.l2[at])
    this.#dram.restore(state.dram)
  }

  #fill(hart: number, line: number, now: number, own: boolean): number {
    const data = this.#data[hart]
    const l2 = this.#l2Of[hart]
    const { tags } = data.tags
    const at = data.tags.victim(line)
    const old = tags[at]
    let stall = 0
    if (old >= 0) {
      tags[at] = -1
      if (l2.release(data, old, now)) {
        this.#victims++
        stall += this.#prices.victim
      }
    }
    stall += l2.access(data, line, now, own)
    // What left the L2 for it may have left this set too; the place that was chosen is still free.
    tags[at] = line
    data.states[line] = data.states[line] | READABLE | (own ? WRITABLE : l2.isShared(data, line) ? 0 : SOLE)
    return stall
  }

  #codeGone(hart: number, line: number): void {
    if (line < 0) return
    const { states } = this.#data[hart]
    states[line] = states[line] & ~FETCHABLE
    if (line < this.#textLine) this.onCodeGone(hart, this.#memory.lines!.hostOf(line))
  }
}
