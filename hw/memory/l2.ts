/**
 * A second-level cache and what it knows of the data caches in front of it, which it includes: it is their directory. One
 * serves all harts, or each hart has one; then an L2 that misses asks the others, and a line that more than one holds is
 * EXCLUSIVE in none.
 */
import type { CacheStructure, MemoryPrices } from '../time/prices-memory.ts'
import { Cache, type CacheState } from './cache.ts'
import type { Dram } from './dram.ts'
import { READABLE, SOLE, WRITABLE } from './line-tables.ts'
import { Occupancy, type OccupancyState } from './occupancy.ts'

/** A hart's data cache: its tags, and its states by line. */
export interface FirstLevel {
  readonly tags: Cache
  readonly states: Uint8Array
}

export interface L2State {
  readonly tags: CacheState
  readonly flags: readonly number[]
  readonly port: OccupancyState
}

const DIRTY = 1
const EXCLUSIVE = 2
const ALL = READABLE | WRITABLE | SOLE
const BEAT_BYTES = 8

/** What another L2 had of a line. */
const HAD = 1
const HAD_MODIFIED = 2

export class L2 {
  accesses = 0
  upgrades = 0
  probes = 0
  /** Cycles that harts waited for the port. */
  waited = 0
  others: readonly L2[] = []
  readonly #firstLevels: readonly FirstLevel[]
  readonly #prices: MemoryPrices
  readonly #dram: Dram
  readonly #tags: Cache
  readonly #flags: Uint8Array
  readonly #port = new Occupancy()
  /** Lines of the first level in one of this, as a shift. */
  readonly #ratio: number
  /** For how long a line of the first level, and one of this, occupies the port. */
  readonly #lineBeats: number
  readonly #blockBeats: number

  constructor(
    firstLevels: readonly FirstLevel[],
    { l2, data }: CacheStructure,
    prices: MemoryPrices,
    dram: Dram,
    phase: number,
  ) {
    if (l2.lineBytes < data.lineBytes)
      throw new RangeError('lines of the L2 must not be shorter than the first level’s')
    this.#firstLevels = firstLevels
    this.#prices = prices
    this.#dram = dram
    this.#ratio = Math.log2(l2.lineBytes / data.lineBytes)
    this.#lineBeats = (data.lineBytes / BEAT_BYTES) * prices.beat
    this.#blockBeats = (l2.lineBytes / BEAT_BYTES) * prices.beat
    this.#tags = new Cache('L2', l2, phase >> this.#ratio)
    this.#flags = new Uint8Array(this.#tags.tags.length)
  }

  /** A first-level cache fetches a line, for itself alone (`own`) or not. `requester` is not asked: none, for instructions. */
  access(requester: FirstLevel | undefined, line: number, now: number, own: boolean): number {
    this.accesses++
    const wait = this.#port.take(now, this.#lineBeats)
    this.waited += wait
    const stall = wait + this.#prices.l2Access
    const block = line >> this.#ratio
    const at = this.#tags.find(block)
    if (at < 0) return stall + this.#miss(block, now + wait, own)
    const asked = (own && this.#claim(at, block, now)) || false
    return stall + this.#asked(this.#ask(requester, at, line, own) || asked)
  }

  /** A data cache that has a line wants to write it. */
  upgrade(requester: FirstLevel, line: number, now: number): number {
    this.upgrades++
    const wait = this.#port.take(now, this.#prices.beat)
    this.waited += wait
    const at = this.#tags.find(line >> this.#ratio)
    const claimed = this.#claim(at, line >> this.#ratio, now)
    return wait + this.#prices.upgrade + this.#asked(this.#ask(requester, at, line, true) || claimed)
  }

  /** A data cache gives a line up. True if it was modified, and so comes here. */
  release({ states }: FirstLevel, line: number, now: number): boolean {
    const modified = (states[line] & WRITABLE) !== 0
    states[line] = states[line] & ~ALL
    if (modified) {
      this.#port.take(now, this.#lineBeats)
      this.#dirty(this.#tags.find(line >> this.#ratio))
    }
    return modified
  }

  /** Whether any other data cache may have a line that this one includes. */
  isShared(requester: FirstLevel, line: number): boolean {
    const at = this.#tags.find(line >> this.#ratio)
    if ((this.#flags[at] & EXCLUSIVE) === 0) return true
    return this.#firstLevels.some(one => one !== requester && (one.states[line] & READABLE) !== 0)
  }

  /** A device's access to a line, all of which it writes if `whole`: it goes through here, and stays. */
  dma(block: number, write: boolean, whole: boolean, now: number): void {
    this.#port.take(now, this.#blockBeats)
    let at = this.#tags.find(block)
    if (at < 0) {
      if (!whole) this.#dram.occupy(block, now)
      at = this.#place(block, now, true)
    } else if (this.#takeBack(block, write)) this.#dirty(at)
    if (write) this.#dirty(at)
  }

  /** Another L2, or a device past this one, reads or writes a line: what this one had of it. */
  yieldTo(block: number, write: boolean, now: number): number {
    const at = this.#tags.find(block)
    if (at < 0) return 0
    const modified = this.#takeBack(block, write) || (this.#flags[at] & DIRTY) !== 0
    if (modified) this.#port.take(now, this.#blockBeats)
    if (write) this.#tags.tags[at] = -1
    else {
      if (modified) this.#dram.occupy(block, now)
      this.#flags[at] = 0
    }
    return modified ? HAD | HAD_MODIFIED : HAD
  }

  /** To memory; and out of every cache, unless it stays. */
  writeBack(line: number, now: number, stays: boolean): void {
    const block = line >> this.#ratio
    const at = this.#tags.find(block)
    if (at < 0) return
    if (this.#takeBack(block, !stays) || (this.#flags[at] & DIRTY) !== 0) this.#dram.occupy(block, now)
    this.#flags[at] = this.#flags[at] & ~DIRTY
    if (!stays) this.#tags.tags[at] = -1
  }

  /** Writes back what is modified, and is empty. For how long that occupies the memory's bus. */
  forget(now: number): number {
    let stall = 0
    for (const [at, block] of this.#tags.tags.entries()) {
      if (block < 0 || (!this.#takeBack(block, true) && (this.#flags[at] & DIRTY) === 0)) continue
      this.#dram.occupy(block, now)
      stall += this.#prices.burst
    }
    this.#tags.forget()
    this.#flags.fill(0)
    return stall
  }

  save(): L2State {
    return { tags: this.#tags.save(), flags: [...this.#flags], port: this.#port.save() }
  }

  restore(state: L2State): void {
    this.#tags.restore(state.tags)
    this.#flags.set(state.flags)
    this.#port.restore(state.port)
  }

  #asked(asked: boolean): number {
    if (!asked) return 0
    this.probes++
    return this.#prices.probe
  }

  /** From another L2 that has it modified, or from DRAM. */
  #miss(block: number, now: number, own: boolean): number {
    let had = 0
    for (const other of this.others) had |= other.yieldTo(block, own, now)
    const stall =
      this.#asked((had & HAD_MODIFIED) !== 0 || (own && had !== 0)) +
      ((had & HAD_MODIFIED) !== 0 ? 0 : this.#dram.read(block, now))
    this.#place(block, now, own || had === 0)
    return stall
  }

  /** Makes room for a line. */
  #place(block: number, now: number, exclusive: boolean): number {
    const { tags } = this.#tags
    const at = this.#tags.victim(block)
    const old = tags[at]
    if (old >= 0 && (this.#takeBack(old, true) || (this.#flags[at] & DIRTY) !== 0)) this.#dram.occupy(old, now)
    tags[at] = block
    this.#flags[at] = exclusive ? EXCLUSIVE : 0
    return at
  }

  /** Takes a line away from the other L2s. True if one was asked. */
  #claim(at: number, block: number, now: number): boolean {
    if ((this.#flags[at] & EXCLUSIVE) !== 0) return false
    this.#flags[at] = this.#flags[at] | EXCLUSIVE
    let asked = false
    for (const other of this.others) if (other.yieldTo(block, true, now) !== 0) asked = true
    return asked
  }

  /** Asks the data caches that may have modified a line, or for `own` all that have it. True if any was asked. */
  #ask(requester: FirstLevel | undefined, at: number, line: number, own: boolean): boolean {
    let asked = false
    for (const one of this.#firstLevels) {
      const state = one.states[line]
      if (one === requester || (state & (own ? READABLE : WRITABLE | SOLE)) === 0) continue
      asked = true
      if ((state & WRITABLE) !== 0) this.#dirty(at)
      this.#reduce(one, line, own)
    }
    return asked
  }

  /** All data caches here give up a line of this L2, or the right to write it. True if any had modified it. */
  #takeBack(block: number, away: boolean): boolean {
    let modified = false
    const first = block << this.#ratio
    for (let line = first; line < first + (1 << this.#ratio); line++) {
      for (const one of this.#firstLevels) {
        if ((one.states[line] & READABLE) === 0) continue
        if ((one.states[line] & WRITABLE) !== 0) modified = true
        this.#reduce(one, line, away)
      }
    }
    return modified
  }

  #reduce({ tags, states }: FirstLevel, line: number, away: boolean): void {
    states[line] = states[line] & ~(away ? ALL : WRITABLE | SOLE)
    if (away) tags.drop(line)
  }

  #dirty(at: number): void {
    this.#flags[at] = this.#flags[at] | DIRTY
  }
}
