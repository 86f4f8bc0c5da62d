/**
 * The modelled TLBs: the first-level ones, fully associative with FIFO replacement (32 entries of 4 KiB pages and 4 of
 * superpages: HellaCache.scala and ICache.scala, nTLBWays and nTLBSuperpages), and the direct-mapped second level that
 * both share. Their state changes only on fills and fences, so the executors' soft TLBs may hold any subset.
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

const BASE = 32
const SUPER = 4
const ALL = BASE + SUPER
const HINTS = 256
/** Pages of one superpage entry that a soft TLB can be told to drop one by one; beyond, it is flushed. */
const TRACKED = 64

export interface TlbState {
  readonly page: readonly number[]
  readonly span: readonly number[]
  readonly physical: readonly number[]
  readonly context: readonly number[]
  readonly flags: readonly number[]
  readonly next: readonly number[]
}

/** Told of pages that leave. */
export interface TlbListener {
  drop(virtualPage: number): void
  flush(): void
}

export class Tlb {
  /** First virtual page, pages covered (0: empty), first physical page, context and flags of each entry. */
  readonly page = new Float64Array(ALL)
  readonly span = new Float64Array(ALL)
  readonly physical = new Float64Array(ALL)
  readonly context = new Int32Array(ALL)
  readonly flags = new Int32Array(ALL)
  readonly #listener: TlbListener
  readonly #hint = new Uint8Array(HINTS)
  /** Base entries whose page has this hash. */
  readonly #hashed = new Uint8Array(HINTS)
  #nextBase = 0
  #nextSuper = 0
  #supers = 0
  readonly #tracked = new Float64Array(SUPER * TRACKED)
  readonly #trackedCount = new Int32Array(SUPER)

  constructor(listener: TlbListener) {
    this.#listener = listener
  }

  /** The entry that holds a page in a context, or -1. */
  lookup(page: number, context: number): number {
    const hash = page & (HINTS - 1)
    if (this.#hashed[hash] !== 0) {
      const hint = this.#hint[hash]!
      if (this.page[hint] === page && this.span[hint] === 1 && this.#inContext(hint, context)) return hint
      for (let at = 0; at < BASE; at++) {
        if (this.page[at] === page && this.span[at] === 1 && this.#inContext(at, context)) return at
      }
    }
    if (this.#supers !== 0) {
      for (let at = BASE; at < ALL; at++) {
        const offset = page - this.page[at]!
        if (offset >= 0 && offset < this.span[at]! && this.#inContext(at, context)) return at
      }
    }
    return -1
  }

  /** Enters a translation of `span` pages (a power of 512, `page` and `physical` aligned to it), in place of one for the same page. */
  fill(page: number, span: number, physical: number, context: number, flags: number): number {
    const old = this.lookup(page, context)
    if (old >= 0) this.remove(old)
    let at: number
    if (span === 1) {
      at = this.#nextBase
      this.#nextBase = at + 1 === BASE ? 0 : at + 1
    } else {
      at = BASE + this.#nextSuper
      this.#nextSuper = this.#nextSuper + 1 === SUPER ? 0 : this.#nextSuper + 1
    }
    if (this.span[at] !== 0) this.remove(at)
    this.page[at] = page
    this.span[at] = span
    this.physical[at] = physical
    this.context[at] = context
    this.flags[at] = flags
    if (span === 1) {
      const hash = page & (HINTS - 1)
      this.#hint[hash] = at
      this.#hashed[hash]!++
    } else {
      this.#supers++
    }
    return at
  }

  /** The soft TLB took over a page of this entry. */
  track(at: number, page: number): void {
    if (at < BASE) return
    const entry = at - BASE
    const count = this.#trackedCount[entry]!
    if (count < TRACKED) this.#tracked[entry * TRACKED + count] = page
    this.#trackedCount[entry] = count + 1
  }

  remove(at: number): void {
    if (at < BASE) {
      const page = this.page[at]!
      this.#hashed[page & (HINTS - 1)]!--
      this.#listener.drop(page)
    } else {
      this.#supers--
      const entry = at - BASE
      const count = this.#trackedCount[entry]!
      if (count > TRACKED) this.#listener.flush()
      else for (let n = 0; n < count; n++) this.#listener.drop(this.#tracked[entry * TRACKED + n]!)
      this.#trackedCount[entry] = 0
    }
    this.span[at] = 0
  }

  /** Removes what matches: contexts equal under `mask`; a page, unless it is -1; global entries only if `globals` (a fence that names no ASID). */
  fence(page: number, context: number, mask: number, globals: boolean): void {
    for (let at = 0; at < ALL; at++) {
      if (this.span[at] === 0) continue
      if (((this.context[at]! ^ context) & mask) !== 0) continue
      if (!globals && this.#isGlobal(at)) continue
      if (page >= 0 && (page < this.page[at]! || page >= this.page[at]! + this.span[at]!)) continue
      this.remove(at)
    }
  }

  save(): TlbState {
    const { page, span, physical, context, flags } = this
    return {
      page: [...page], span: [...span], physical: [...physical], context: [...context], flags: [...flags],
      next: [this.#nextBase, this.#nextSuper],
    }
  }

  /** The soft TLB must be empty. */
  restore(state: TlbState): void {
    this.page.set(state.page)
    this.span.set(state.span)
    this.physical.set(state.physical)
    this.context.set(state.context)
    this.flags.set(state.flags)
    this.#nextBase = state.next[0]!
    this.#nextSuper = state.next[1]!
    this.#hashed.fill(0)
    this.#trackedCount.fill(0)
    this.#supers = 0
    for (let at = 0; at < ALL; at++) {
      if (this.span[at] === 0) continue
      if (at >= BASE) {
        this.#supers++
      } else {
        const hash = this.page[at]! & (HINTS - 1)
        this.#hashed[hash]!++
        this.#hint[hash] = at
      }
    }
  }

  #inContext(at: number, context: number): boolean {
    const difference = this.context[at]! ^ context
    return difference === 0 || ((difference & ~CONTEXT_ASID) === 0 && (this.flags[at]! & FLAG_GLOBAL) !== 0)
  }

  #isGlobal(at: number): boolean {
    return (this.flags[at]! & FLAG_GLOBAL) !== 0
  }
}

/** Masks for `fence`: which parts of a context must be equal. */
export const MATCH_V = CONTEXT_VIRTUAL
export const MATCH_ASID = CONTEXT_VIRTUAL | CONTEXT_ASID
export const MATCH_VMID = CONTEXT_VIRTUAL | CONTEXT_VMID
export const MATCH_VMID_ASID = CONTEXT_VIRTUAL | CONTEXT_VMID | CONTEXT_ASID
