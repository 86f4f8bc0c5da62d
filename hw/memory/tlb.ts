/**
 * The modelled TLBs: the first-level ones, fully associative with 32 entries (HellaCache.scala and ICache.scala, nTLBWays) or
 * fewer, as the core has, of any page size and FIFO replacement, and the direct-mapped second level that both share. Rocket keeps superpages
 * apart in 4 entries and replaces by pseudo-LRU; so few entries would thrash under FIFO, so ours share. State changes
 * only on fills and fences: the executors' soft TLBs may hold any subset.
 *
 * A virtual page is its number's low 32 bits and its upper 20, as two integers: numbers beyond 2^31 would be boxed.
 *
 * A context says whose translation it is: bit 31 VS-stage bare, bit 30 V, 29:16 VMID, 15:0 ASID. Flags are the bits of
 * the leaf PTE (R 2, W 4, X 8, U 16, G 32, D 128) and those of the G-stage beside them.
 */

export const FLAG_R = 0x02
export const FLAG_W = 0x04
export const FLAG_X = 0x08
export const FLAG_U = 0x10
export const FLAG_GLOBAL = 0x20
export const FLAG_D = 0x80
export const FLAG_GUEST_R = 0x100
/** W and D of the G-stage's leaf. */
export const FLAG_GUEST_W = 0x200
export const FLAG_GUEST_X = 0x400
/** No first stage: its user bit is not looked at. */
export const FLAG_ANY_PRIVILEGE = 0x800

export const CONTEXT_BARE = 0x8000_0000 | 0
export const CONTEXT_VIRTUAL = 0x4000_0000
const CONTEXT_ASID = 0xffff
const CONTEXT_VMID = 0x3fff_0000

/** At most. */
const ENTRIES = 32
const HINTS = 256
/** Pages of one superpage entry that a soft TLB can be told to drop one by one; beyond, it is flushed. */
const TRACKED = 64

export interface TlbState {
  readonly page: readonly number[]
  readonly upper: readonly number[]
  readonly span: readonly number[]
  readonly physical: readonly number[]
  readonly context: readonly number[]
  readonly flags: readonly number[]
  readonly next: number
  /** In which order entries are found, where more than one matches. */
  readonly hints: readonly number[]
  readonly supers: readonly number[]
}

/** Told of pages that leave. */
export interface TlbListener {
  drop(virtualPage: number): void
  flush(): void
}

export class Tlb {
  /** First virtual page, pages covered (0: empty), first physical page, context and flags of each entry. */
  readonly page = new Int32Array(ENTRIES)
  readonly upper = new Int32Array(ENTRIES)
  readonly span = new Int32Array(ENTRIES)
  readonly physical = new Float64Array(ENTRIES)
  readonly context = new Int32Array(ENTRIES)
  readonly flags = new Int32Array(ENTRIES)
  readonly #listener: TlbListener
  readonly #entries: number
  /** Of 4 KiB entries: which was entered last with a page of this hash, and how many have one. */
  readonly #hint = new Uint8Array(HINTS)
  readonly #hashed = new Uint8Array(HINTS)
  /** The superpage entries, in no order. */
  readonly #supers = new Uint8Array(ENTRIES)
  #superCount = 0
  #next = 0
  /** Pages of each superpage entry that a soft TLB holds. */
  readonly #tracked = new Int32Array(ENTRIES * TRACKED)
  readonly #trackedCount = new Int32Array(ENTRIES)

  constructor(listener: TlbListener, entries = ENTRIES) {
    if (entries < 1 || entries > ENTRIES) throw new RangeError(`a TLB of ${entries} entries: 1 to ${ENTRIES}`)
    this.#listener = listener
    this.#entries = entries
  }

  /** The entry that holds a page in a context, or -1. */
  lookup(page: number, upper: number, context: number): number {
    const hash = page & (HINTS - 1)
    if (this.#hashed[hash] !== 0) {
      const hint = this.#hint[hash]
      if (
        this.page[hint] === page &&
        this.upper[hint] === upper &&
        this.span[hint] === 1 &&
        this.#inContext(hint, context)
      )
        return hint
      for (let at = 0; at < ENTRIES; at++) {
        if (this.page[at] === page && this.upper[at] === upper && this.span[at] === 1 && this.#inContext(at, context))
          return at
      }
    }
    for (let n = 0; n < this.#superCount; n++) {
      const at = this.#supers[n]
      if ((page & -this.span[at]) === this.page[at] && this.upper[at] === upper && this.#inContext(at, context)) {
        // Found again soon: the next lookup sees it first.
        this.#supers[n] = this.#supers[0]!
        this.#supers[0] = at
        return at
      }
    }
    return -1
  }

  /** Enters a translation of `span` pages (a power of 512, `page` and `physical` aligned to it), in place of one for the same page. */
  fill(page: number, upper: number, span: number, physical: number, context: number, flags: number): number {
    const old = this.lookup(page, upper, context)
    if (old >= 0) this.remove(old)
    const at = this.#next
    this.#next = at + 1 === this.#entries ? 0 : at + 1
    if (this.span[at] !== 0) this.remove(at)
    this.page[at] = page
    this.upper[at] = upper
    this.span[at] = span
    this.physical[at] = physical
    this.context[at] = context
    this.flags[at] = flags
    this.#index(at)
    return at
  }

  /** The soft TLB took over a page of this entry. */
  track(at: number, page: number): void {
    if (this.span[at] === 1) return
    const count = this.#trackedCount[at]
    if (count < TRACKED) this.#tracked[at * TRACKED + count] = page
    this.#trackedCount[at] = count + 1
  }

  remove(at: number): void {
    if (this.span[at] === 1) {
      const page = this.page[at]
      this.#hashed[page & (HINTS - 1)]--
      this.#listener.drop(number(page, this.upper[at]))
    } else {
      this.#supers[this.#supers.indexOf(at)] = this.#supers[--this.#superCount]!
      const count = this.#trackedCount[at]
      if (count > TRACKED) this.#listener.flush()
      else for (let n = 0; n < count; n++) this.#listener.drop(number(this.#tracked[at * TRACKED + n], this.upper[at]))
      this.#trackedCount[at] = 0
    }
    this.span[at] = 0
  }

  /** Removes what matches: contexts equal under `mask`; a page, unless `upper` is -1; global entries only if `globals` (a fence that names no ASID). */
  fence(page: number, upper: number, context: number, mask: number, globals: boolean): void {
    for (let at = 0; at < ENTRIES; at++) {
      if (this.span[at] === 0) continue
      if (((this.context[at] ^ context) & mask) !== 0) continue
      if (!globals && this.#isGlobal(at)) continue
      if (upper >= 0 && ((page & -this.span[at]) !== this.page[at] || upper !== this.upper[at])) continue
      this.remove(at)
    }
  }

  save(): TlbState {
    const { page, upper, span, physical, context, flags } = this
    return {
      page: [...page],
      upper: [...upper],
      span: [...span],
      physical: [...physical],
      context: [...context],
      flags: [...flags],
      next: this.#next,
      hints: [...this.#hint],
      supers: [...this.#supers.subarray(0, this.#superCount)],
    }
  }

  /** The soft TLB must be empty. */
  restore(state: TlbState): void {
    this.page.set(state.page)
    this.upper.set(state.upper)
    this.span.set(state.span)
    this.physical.set(state.physical)
    this.context.set(state.context)
    this.flags.set(state.flags)
    this.#next = state.next
    this.#hashed.fill(0)
    this.#trackedCount.fill(0)
    this.#superCount = 0
    for (let at = 0; at < ENTRIES; at++) if (this.span[at] !== 0) this.#index(at)
    this.#hint.set(state.hints)
    this.#supers.set(state.supers)
  }

  #index(at: number): void {
    if (this.span[at] !== 1) {
      this.#supers[this.#superCount++] = at
      return
    }
    const hash = this.page[at] & (HINTS - 1)
    this.#hint[hash] = at
    this.#hashed[hash]++
  }

  #inContext(at: number, context: number): boolean {
    const difference = this.context[at] ^ context
    return difference === 0 || ((difference & ~CONTEXT_ASID) === 0 && (this.flags[at] & FLAG_GLOBAL) !== 0)
  }

  #isGlobal(at: number): boolean {
    return (this.flags[at] & FLAG_GLOBAL) !== 0
  }
}

/** A virtual page as one exact number. */
function number(page: number, upper: number): number {
  return upper * 2 ** 32 + (page >>> 0)
}

/** Masks for `fence`: which parts of a context must be equal. */
export const MATCH_V = CONTEXT_VIRTUAL
export const MATCH_ASID = CONTEXT_VIRTUAL | CONTEXT_ASID
export const MATCH_VMID = CONTEXT_VIRTUAL | CONTEXT_VMID
export const MATCH_VMID_ASID = CONTEXT_VIRTUAL | CONTEXT_VMID | CONTEXT_ASID
