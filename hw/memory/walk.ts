/**
 * The page-table walker, both stages. It finds a translation or the fault to take, and counts what it did: its memory
 * reads are what a walk costs. Nothing is allocated; results are fields.
 */
import {
  FETCH_ACCESS,
  FETCH_GUEST_PAGE,
  FETCH_PAGE,
  LOAD_ACCESS,
  LOAD_GUEST_PAGE,
  LOAD_PAGE,
  STORE_ACCESS,
  STORE_GUEST_PAGE,
  STORE_PAGE,
} from '../hart/causes.ts'
import { SUPERVISOR, USER } from '../hart/state.ts'
import { BARE, PTE_A, PTE_D, PTE_G, PTE_R, PTE_U, PTE_V, PTE_W, PTE_X, SV39 } from '../spec/layouts/pte.ts'
import { FETCH, LOAD, STORE, type AccessKind } from './access.ts'
import type { Memory } from './memory.ts'
import type { Pmp } from './pmp.ts'
import { PteCache } from './pte-cache.ts'
import type { Regime } from './regime.ts'
import {
  FLAG_ANY_PRIVILEGE,
  FLAG_D,
  FLAG_GUEST_R,
  FLAG_GUEST_W,
  FLAG_GUEST_X,
  FLAG_R,
  FLAG_U,
  FLAG_W,
  FLAG_X,
} from './tlb.ts'

const GUEST_ALL = FLAG_GUEST_R | FLAG_GUEST_W | FLAG_GUEST_X
/** Bits of a leaf that become flags of a TLB entry: A is always set in one. W counts only with D: a store to a clean page walks again. */
const KEPT = PTE_R | PTE_W | PTE_X | PTE_U | PTE_G | PTE_D
/** Bits 63:54 of an entry, in its high word: all zero in one that points on. In a leaf, PBMT and N may be used. */
const RESERVED_HIGH = 0xffc0_0000 | 0
const PBMT_HIGH = 0x6000_0000
const N_HIGH = 0x8000_0000 | 0
/** A range of 64 KiB: the low bits of its PPN say so, and are not translated (Svnapot_valid_encoding). */
const NAPOT_PAGES = 16
const NAPOT_CODE = 8
const PAGE_FAULTS = [FETCH_PAGE, LOAD_PAGE, STORE_PAGE]
const GUEST_PAGE_FAULTS = [FETCH_GUEST_PAGE, LOAD_GUEST_PAGE, STORE_GUEST_PAGE]
const ACCESS_FAULTS = [FETCH_ACCESS, LOAD_ACCESS, STORE_ACCESS]

/** Whether the first stage lets a regime do this to a page with these flags. */
export function firstStageAllows(regime: Regime, kind: AccessKind, flags: number): boolean {
  if ((flags & FLAG_ANY_PRIVILEGE) === 0) {
    if ((flags & FLAG_U) === 0) {
      if (regime.privilege === USER) return false
    } else if (regime.privilege === SUPERVISOR && (kind === FETCH || !regime.sum)) {
      return false
    }
  }
  if (kind === LOAD) {
    if (regime.executable) return (flags & FLAG_X) !== 0
    return (flags & FLAG_R) !== 0 || (regime.mxr && (flags & FLAG_X) !== 0)
  }
  if (kind === STORE) return (flags & (FLAG_W | FLAG_D)) === (FLAG_W | FLAG_D)
  return (flags & FLAG_X) !== 0
}

/** Whether the G-stage does. */
export function guestStageAllows(regime: Regime, kind: AccessKind, flags: number): boolean {
  if (kind === LOAD) {
    if (regime.executable) return (flags & FLAG_GUEST_X) !== 0
    return (flags & FLAG_GUEST_R) !== 0 || (regime.guestMxr && (flags & FLAG_GUEST_X) !== 0)
  }
  return (flags & (kind === STORE ? FLAG_GUEST_W : FLAG_GUEST_X)) !== 0
}

/** Whether the high word of a leaf breaks a rule on reserved bits (Svpbmt_leaf_pte_pbmt_reserved_3_fault, Svnapot_reserved_encoding_fault). */
function isReserved(high: number, low: number, level: number, memoryTypes: boolean): boolean {
  const set = high & RESERVED_HIGH
  if (set === 0) return false
  if ((set & ~(PBMT_HIGH | N_HIGH)) !== 0) return true
  if ((set & PBMT_HIGH) !== 0 && (!memoryTypes || (set & PBMT_HIGH) === PBMT_HIGH)) return true
  return (set & N_HIGH) !== 0 && (level !== 0 || ((low >>> 10) & (NAPOT_PAGES - 1)) !== NAPOT_CODE)
}

export class Walker {
  /** What was found: the physical page of the page asked for, pages that the leaf covers, flags. */
  physical = 0
  span = 1
  flags = 0
  /** The fault to take: its cause; for guest-page faults the guest physical page and offset, and whether the walk itself faulted. */
  cause = 0
  guestPage = 0
  guestOffset = 0
  implicit = false
  /** The walk's own access that faulted was to set A or D. */
  implicitWrite = false
  /** Two stages: the guest physical page that the first has led to, as long as the walk got so far; else -1. */
  guestTarget = -1
  /** Reads of page tables since the start, by stage; and hits in the walker's caches. */
  firstStageReads = 0
  guestStageReads = 0
  cacheHits = 0
  /** Writes to page tables, to set A and D. */
  updates = 0
  /** Those of the last walk. */
  reads = 0
  hits = 0
  /** Told of each access to a table, by host offset. */
  onAccess: ((host: number, write: boolean) => void) | undefined
  readonly cache: PteCache
  readonly guestCache: PteCache
  readonly #memory: Memory
  readonly #pmp: Pick<Pmp, 'allows'>
  /** The entry just read. */
  #low = 0
  #high = 0
  #guestFlags = 0
  #guestSpan = 1

  /** `caches`: it has caches of non-leaf entries. */
  constructor(memory: Memory, pmp: Pick<Pmp, 'allows'>, caches = true) {
    this.#memory = memory
    this.#pmp = pmp
    this.cache = new PteCache(caches)
    this.guestCache = new PteCache(caches)
  }

  /** Translates for a regime that does. False: a fault. `low` and `high` are the address. */
  walk(regime: Regime, kind: AccessKind, low: number, high: number): boolean {
    this.reads = 0
    this.hits = 0
    this.guestTarget = -1
    const done = this.#walk(regime, kind, low, high)
    this.cacheHits += this.hits
    return done
  }

  #walk(regime: Regime, kind: AccessKind, low: number, high: number): boolean {
    if (regime.mode === BARE) {
      const page = (high >>> 0) * 2 ** 20 + (low >>> 12)
      this.guestTarget = page
      if (!this.#guestStage(regime, kind, page, low & 0xfff, false, false)) return false
      this.flags = FLAG_ANY_PRIVILEGE | FLAG_R | FLAG_W | FLAG_X | FLAG_D | this.#guestFlags
      this.span = this.#guestSpan
      return true
    }
    const sv39 = regime.mode === SV39
    const sign = sv39 ? high >> 6 : high >> 15
    if (sign !== 0 && sign !== -1) return this.#fault(PAGE_FAULTS[kind])
    const nested = regime.virtual && regime.guestMode !== BARE
    let table = regime.root
    let global = 0
    for (let level = sv39 ? 2 : 3; level >= 0; level--) {
      const index =
        level === 0
          ? (low >>> 12) & 511
          : level === 1
            ? (low >>> 21) & 511
            : level === 2
              ? ((high << 2) | (low >>> 30)) & 511
              : (high >>> 7) & 511
      if (level > 0) {
        const next = nested
          ? this.guestCache.lookup(table * 4096 + index * 8)
          : this.cache.lookup(table * 4096 + index * 8)
        if (next >= 0) {
          this.hits++
          table = next
          continue
        }
      }
      let at = table
      if (nested) {
        if (!this.#guestStage(regime, kind, table, index * 8, true, false)) return false
        at = this.physical
      }
      const address = at * 4096 + index * 8
      if (!this.#read(address, kind)) return false
      this.firstStageReads++
      let entry = this.#low
      if ((entry & PTE_V) === 0 || (entry & (PTE_R | PTE_W)) === PTE_W) return this.#fault(PAGE_FAULTS[kind])
      let target = (this.#high & ~RESERVED_HIGH) * 2 ** 22 + (entry >>> 10)
      if ((entry & (PTE_R | PTE_X)) === 0) {
        if ((entry & (PTE_D | PTE_A | PTE_U)) !== 0 || (this.#high & RESERVED_HIGH) !== 0)
          return this.#fault(PAGE_FAULTS[kind])
        global |= entry & PTE_G
        // An entry with G makes what it points to global; the caches do not keep that, so they leave it out.
        if (global === 0 && level > 0) (nested ? this.guestCache : this.cache).fill(table * 4096 + index * 8, target)
        table = target
        continue
      }
      const inLevel = level === 0 ? 1 : level === 1 ? 0x200 : level === 2 ? 0x4_0000 : 0x800_0000
      const missing = (kind === STORE ? PTE_A | PTE_D : PTE_A) & ~entry
      if (regime.updates) entry |= missing
      else if (missing !== 0) return this.#fault(PAGE_FAULTS[kind])
      const flags = (entry & KEPT) | global
      if (
        (target & (inLevel - 1)) !== 0 ||
        isReserved(this.#high, entry, level, regime.memoryTypes) ||
        !firstStageAllows(regime, kind, flags)
      )
        return this.#fault(PAGE_FAULTS[kind])
      if (this.#high < 0) target += ((low >>> 12) & (NAPOT_PAGES - 1)) - NAPOT_CODE
      if (missing !== 0) {
        // Setting A and D is a store to the table, in the G-stage too (Svadu_hw_update_a_d_bits).
        if (nested && !this.#guestStage(regime, kind, table, index * 8, true, true)) return false
        if (!this.#update(address, entry, kind)) return false
      }
      const page = target + (((high << 20) | (low >>> 12)) & (inLevel - 1))
      if (nested) {
        this.guestTarget = page
        if (!this.#guestStage(regime, kind, page, low & 0xfff, false, false)) return false
        this.flags = flags | this.#guestFlags
        this.span = inLevel < this.#guestSpan ? inLevel : this.#guestSpan
      } else {
        this.physical = page
        this.flags = flags | GUEST_ALL
        this.span = inLevel
      }
      return true
    }
    return this.#fault(PAGE_FAULTS[kind])
  }

  /** Translates a guest physical page into `physical`. `implicit`: for the first stage's own read, or (`writes`) its update of an entry. */
  #guestStage(
    regime: Regime,
    kind: AccessKind,
    page: number,
    offset: number,
    implicit: boolean,
    writes: boolean,
  ): boolean {
    this.implicitWrite = writes
    const sv39 = regime.guestMode === SV39
    // Sv39x4 takes 41 bits of address, Sv48x4 50; above, a guest-page fault (hgatp_mode_sv39x4, hgatp_mode_sv48x4).
    if (page >= (sv39 ? 2 ** 29 : 2 ** 38)) return this.#guestFault(kind, page, offset, implicit)
    let table = regime.guestRoot
    const upper = Math.floor(page / 0x4_0000)
    for (let level = sv39 ? 2 : 3; level >= 0; level--) {
      const index =
        level === 0
          ? page & 511
          : level === 1
            ? (page >>> 9) & 511
            : level === 2
              ? sv39
                ? upper
                : upper & 511
              : upper >>> 9
      const address = table * 4096 + index * 8
      if (level > 0) {
        const next = this.cache.lookup(address)
        if (next >= 0) {
          this.hits++
          table = next
          continue
        }
      }
      if (!this.#read(address, kind)) return false
      this.guestStageReads++
      let entry = this.#low
      if ((entry & PTE_V) === 0 || (entry & (PTE_R | PTE_W)) === PTE_W)
        return this.#guestFault(kind, page, offset, implicit)
      let target = (this.#high & ~RESERVED_HIGH) * 2 ** 22 + (entry >>> 10)
      if ((entry & (PTE_R | PTE_X)) === 0) {
        if ((entry & (PTE_D | PTE_A | PTE_U)) !== 0 || (this.#high & RESERVED_HIGH) !== 0)
          return this.#guestFault(kind, page, offset, implicit)
        if (level > 0) this.cache.fill(address, target)
        table = target
        continue
      }
      const inLevel = level === 0 ? 1 : level === 1 ? 0x200 : level === 2 ? 0x4_0000 : 0x800_0000
      const stores = writes || (!implicit && kind === STORE)
      const missing = (stores ? PTE_A | PTE_D : PTE_A) & ~entry
      if (regime.guestUpdates) entry |= missing
      else if (missing !== 0) return this.#guestFault(kind, page, offset, implicit)
      // All accesses are as if from U-mode (H_vm_gpapriv); the walk itself only reads.
      const flags =
        (entry & PTE_R ? FLAG_GUEST_R : 0) |
        ((entry & (PTE_W | PTE_D)) === (PTE_W | PTE_D) ? FLAG_GUEST_W : 0) |
        (entry & PTE_X ? FLAG_GUEST_X : 0)
      if (
        (target & (inLevel - 1)) !== 0 ||
        (entry & PTE_U) === 0 ||
        isReserved(this.#high, entry, level, regime.guestMemoryTypes) ||
        !(implicit ? (flags & (writes ? FLAG_GUEST_W : FLAG_GUEST_R)) !== 0 : guestStageAllows(regime, kind, flags))
      )
        return this.#guestFault(kind, page, offset, implicit)
      if (this.#high < 0) target += (page & (NAPOT_PAGES - 1)) - NAPOT_CODE
      if (missing !== 0 && !this.#update(address, entry, kind)) return false
      this.physical = target + (page & (inLevel - 1))
      this.#guestFlags = flags
      this.#guestSpan = inLevel
      return true
    }
    return this.#guestFault(kind, page, offset, implicit)
  }

  /** Reads an entry as S-mode would (pmp_check_pagetable_access). */
  #read(address: number, kind: AccessKind): boolean {
    const host = this.#memory.toHost(address)
    if (host < 0 || !this.#pmp.allows(address, 8, LOAD, false)) return this.#fault(ACCESS_FAULTS[kind])
    this.reads++
    this.onAccess?.(host, false)
    const { words } = this.#memory
    this.#low = words[host >> 2]!
    this.#high = words[(host >> 2) + 1]!
    return true
  }

  /** Sets A, and D, in the entry at `address`. */
  #update(address: number, entry: number, kind: AccessKind): boolean {
    if (!this.#pmp.allows(address, 8, STORE, false)) return this.#fault(ACCESS_FAULTS[kind])
    const memory = this.#memory
    const host = memory.toHost(address)
    this.onAccess?.(host, true)
    memory.words[host >> 2] = entry
    memory.written(host, 8)
    this.reads++
    this.updates++
    return true
  }

  #fault(cause: number): false {
    this.cause = cause
    this.guestPage = 0
    this.guestOffset = 0
    this.implicit = false
    this.implicitWrite = false
    return false
  }

  #guestFault(kind: AccessKind, page: number, offset: number, implicit: boolean): false {
    this.cause = GUEST_PAGE_FAULTS[kind]!
    this.guestPage = page
    this.guestOffset = offset
    this.implicit = implicit
    return false
  }
}
