/** Translation and protection of one hart: modelled TLBs in front of the walker, and the fences. */
import { HGATP } from '../hart/slots.ts'
import { FETCH, STORE, type AccessKind } from './access.ts'
import { L2Tlb, type L2TlbState } from './l2-tlb.ts'
import type { Translation } from '../time/prices.ts'
import type { Memory } from './memory.ts'
import { Pmp } from './pmp.ts'
import type { PteCacheState } from './pte-cache.ts'
import type { Regime } from './regime.ts'
import {
  CONTEXT_VIRTUAL,
  MATCH_ASID,
  MATCH_V,
  MATCH_VMID,
  MATCH_VMID_ASID,
  Tlb,
  type TlbListener,
  type TlbState,
} from './tlb.ts'
import { firstStageAllows, guestStageAllows, Walker } from './walk.ts'

export interface MmuState {
  readonly fetches: TlbState
  readonly data: TlbState
  readonly l2: L2TlbState
  readonly cache: PteCacheState
  readonly guestCache: PteCacheState
  readonly counts: readonly number[]
}

/** What was counted since reset. */
export interface MmuCounts {
  readonly l1Misses: number
  readonly l2Hits: number
  readonly walks: number
  readonly firstStageReads: number
  readonly guestStageReads: number
  readonly pteCacheHits: number
}

/** Whoever pays for a miss. */
export interface MissPayer {
  missed(l2Hit: boolean, reads: number, cacheHits: number): void
}

export class Mmu {
  /** The physical page that `translate` found. */
  page = 0
  /** Whether it may be stored to as well. */
  writable = false
  readonly pmp: Pmp
  readonly walker: Walker
  readonly fetches: Tlb
  readonly data: Tlb
  readonly l2: L2Tlb
  /** Told of every entry that comes into a first-level TLB: which one, and where. */
  filled: ((tlb: Tlb, at: number) => void) | undefined
  readonly #payer: MissPayer
  readonly #words: Int32Array
  #l1Misses = 0
  #l2Hits = 0
  #walks = 0

  constructor(memory: Memory, listener: TlbListener, payer: MissPayer, translation: Translation) {
    const { entries, secondLevel, pteCaches } = translation
    this.#payer = payer
    this.#words = memory.words
    this.pmp = new Pmp(memory.words)
    this.walker = new Walker(memory, this.pmp, pteCaches)
    this.fetches = new Tlb(listener, entries)
    this.data = new Tlb(listener, entries)
    this.l2 = new L2Tlb(secondLevel)
  }

  /** Translates a page for an access, for a regime that does translate. False: `walker` has the fault. `tracked` says that a soft TLB will take it. */
  translate(regime: Regime, kind: AccessKind, low: number, high: number): boolean {
    const page = (high << 20) | (low >>> 12)
    const upper = high >>> 12
    const { context } = regime
    const tlb = kind === FETCH ? this.fetches : this.data
    let at = tlb.lookup(page, upper, context)
    if (at < 0 || !this.#allows(regime, kind, tlb.flags[at])) {
      this.#l1Misses++
      const second = at < 0 ? this.l2.lookup(page, upper, context) : -1
      if (second >= 0 && this.#allows(regime, kind, this.l2.flags[second])) {
        this.#l2Hits++
        this.#payer.missed(true, 0, 0)
        at = tlb.fill(page, upper, 1, this.l2.physical[second], context, this.l2.flags[second])
      } else {
        const { walker } = this
        this.#walks++
        const found = walker.walk(regime, kind, low, high)
        this.#payer.missed(false, walker.reads, walker.hits)
        if (!found) return false
        const { span, flags } = walker
        if (span === 1) {
          this.l2.fill(page, upper, walker.physical, context, flags)
          at = tlb.fill(page, upper, 1, walker.physical, context, flags)
        } else {
          const offset = page & (span - 1)
          at = tlb.fill(page - offset, upper, span, walker.physical - offset, context, flags)
        }
      }
      this.filled?.(tlb, at)
    }
    this.page = tlb.physical[at] + (page - tlb.page[at])
    this.writable = this.#allows(regime, STORE, tlb.flags[at])
    tlb.track(at, page)
    return true
  }

  /** Translates without cost, fills or counts: for looking at the instruction that trapped. The physical page, or -1. */
  peek(regime: Regime, kind: AccessKind, low: number, high: number): number {
    const page = (high << 20) | (low >>> 12)
    const at = this.fetches.lookup(page, high >>> 12, regime.context)
    return at < 0 || !this.#allows(regime, kind, this.fetches.flags[at])
      ? -1
      : this.fetches.physical[at] + (page - this.fetches.page[at])
  }

  /** sfence.vma with V=0: of the page at an address, or of all pages; `asid` −1: of all address spaces. */
  fenceSupervisor(one: boolean, low: number, high: number, asid: number): void {
    this.#fence(
      (high << 20) | (low >>> 12),
      one ? high >>> 12 : -1,
      asid < 0 ? 0 : asid,
      asid < 0 ? MATCH_V : MATCH_ASID,
      asid < 0,
    )
  }

  /** hfence.vvma, and sfence.vma with V=1: for the VMID in hgatp. */
  fenceVirtual(one: boolean, low: number, high: number, asid: number): void {
    const context = CONTEXT_VIRTUAL | (((this.#words[HGATP + 1] >>> 12) & 0x3fff) << 16)
    this.#fence(
      (high << 20) | (low >>> 12),
      one ? high >>> 12 : -1,
      asid < 0 ? context : context | asid,
      asid < 0 ? MATCH_VMID : MATCH_VMID_ASID,
      asid < 0,
    )
  }

  /** hfence.gvma. Entries do not keep the guest physical address, so an address fences all of its VMID. */
  fenceGuest(vmid: number): void {
    this.#fence(
      0,
      -1,
      vmid < 0 ? CONTEXT_VIRTUAL : CONTEXT_VIRTUAL | (vmid << 16),
      vmid < 0 ? MATCH_V : MATCH_VMID,
      true,
    )
  }

  counts(): MmuCounts {
    const { firstStageReads, guestStageReads, cacheHits: pteCacheHits } = this.walker
    return {
      l1Misses: this.#l1Misses,
      l2Hits: this.#l2Hits,
      walks: this.#walks,
      firstStageReads,
      guestStageReads,
      pteCacheHits,
    }
  }

  save(): MmuState {
    const { walker } = this
    return {
      fetches: this.fetches.save(),
      data: this.data.save(),
      l2: this.l2.save(),
      cache: walker.cache.save(),
      guestCache: walker.guestCache.save(),
      counts: [
        this.#l1Misses,
        this.#l2Hits,
        this.#walks,
        walker.firstStageReads,
        walker.guestStageReads,
        walker.cacheHits,
      ],
    }
  }

  restore(state: MmuState): void {
    const { walker } = this
    this.fetches.restore(state.fetches)
    this.data.restore(state.data)
    this.l2.restore(state.l2)
    walker.cache.restore(state.cache)
    walker.guestCache.restore(state.guestCache)
    const [l1Misses = 0, l2Hits = 0, walks = 0, first = 0, guest = 0, hits = 0] = state.counts
    this.#l1Misses = l1Misses
    this.#l2Hits = l2Hits
    this.#walks = walks
    walker.firstStageReads = first
    walker.guestStageReads = guest
    walker.cacheHits = hits
  }

  /** fence.t. */
  forget(): void {
    this.#fence(0, -1, 0, 0, true)
  }

  #fence(page: number, upper: number, context: number, mask: number, globals: boolean): void {
    this.fetches.fence(page, upper, context, mask, globals)
    this.data.fence(page, upper, context, mask, globals)
    this.l2.fence(page, upper, context, mask, globals)
    this.walker.cache.clear()
    this.walker.guestCache.clear()
  }

  #allows(regime: Regime, kind: AccessKind, flags: number): boolean {
    return firstStageAllows(regime, kind, flags) && guestStageAllows(regime, kind, flags)
  }
}
