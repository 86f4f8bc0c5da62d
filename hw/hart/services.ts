/**
 * The seam between executors and the hart. An executor computes; whatever touches more than registers, the budget
 * and memory already known to be plain RAM goes through here. Operands and results wider than 32 bits pass through
 * the mailbox (ADDRESS, VALUE, OPERANDS in state.ts), so that no bigint crosses from wasm. Before any call the
 * executor has stored PC and BUDGET; after it, it reloads BUDGET (the hart may have stalled).
 */
import type { Activity } from '../spec/ledger.ts'
import type { Action, AmoOperation, FloatFormat, FloatOperation } from '../spec/isa/semantics.ts'

/** The instruction is done, go on with the next. */
export const DONE = 0
/** A trap was taken: PC, MODE and CSRs are the handler's; the instruction did not retire. */
export const TRAPPED = 1
/** Done, but PC, MODE, mapping or pending interrupts may have changed: retire the instruction, go on at PC through the run loop. */
export const RELOAD = 2
export type Outcome = typeof DONE | typeof TRAPPED | typeof RELOAD

/** The caches of the `cached` model: tier 0 asks here when a line table says no. Hits cost nothing, misses stall. */
export interface LineCaches {
  /** Cycles that misses have stalled the hart so far. */
  readonly stalled: number
  /** [host, host + bytes) is read or written; charged to another activity of whoever runs, if given. */
  data(host: number, bytes: number, write: boolean, activity?: Activity): void
  /** The instruction at `host` is fetched. */
  code(host: number): void
  /** As many bytes of the text of TypeScript software are fetched (hw/hart/port/text.ts). */
  text(offset: number, bytes: number): void
}

export type CsrOperation = 'write' | 'set' | 'clear'
export type CacheBlockOperation = 'zero' | 'clean' | 'flush' | 'inval'

export interface HartServices {
  /** Translates PC for fetching. DONE: `fetchedPage` is set; TRAPPED: instruction page fault or access fault taken. */
  fetch(): Outcome
  /** The physical page number that `fetch` found, and its byte offset in linear memory, or -1 if it is not RAM. */
  readonly fetchedPage: number
  readonly fetchedHost: number
  /** Present in the cached model. `fetch`, loads, stores and atomics below use them by themselves. */
  readonly caches?: LineCaches | undefined
  /** Reads the 2 bytes at virtual address PC + 2 (an instruction that straddles pages): TRAPPED, or DONE with VALUE. */
  fetchSecondHalf(): Outcome

  /** ADDRESS → VALUE, any alignment, RAM or device, with every check. Fills the soft TLB where it may. */
  load(bytes: number, signed: boolean): Outcome
  /** ADDRESS, VALUE → memory. */
  store(bytes: number): Outcome
  amo(bytes: number, operation: AmoOperation): Outcome
  loadReserved(bytes: number): Outcome
  storeConditional(bytes: number): Outcome
  guestLoad(bytes: number, signed: boolean, fetch: boolean): Outcome
  guestStore(bytes: number): Outcome
  cacheBlock(operation: CacheBlockOperation): Outcome

  /** OPERANDS[0] is the value, `instruction` the word (for tval); old value → VALUE. */
  csr(number: number, operation: CsrOperation, reads: boolean, writes: boolean, instruction: number): Outcome
  /** OPERANDS[0], OPERANDS[1]. Sets PC for what jumps (xret, traps); otherwise leaves PC to the executor, but RELOAD asks it to store nextPc first and return. */
  perform(action: Action, instruction: number): Outcome
  /** OPERANDS[0..2] → VALUE. */
  float(operation: FloatOperation, format: FloatFormat, rm: number, instruction: number): Outcome
  /** Takes an illegal-instruction exception (or virtual-instruction where the manual says so). */
  illegal(instruction: number): typeof TRAPPED
  /** Instruction-address-misaligned cannot happen with C; kept out. Breakpoints of a debugger are not architectural. */
}

/** What the hart tells an executor that caches translations. Pages are 4 KiB; `host` is an offset in linear memory. */
export interface TranslationCache {
  /**
   * A page may now be read/written (never both a store entry and predecoded code), in the translation class in force.
   * `writable`, with 'load': it may be stored to as well, which an executor may act on as long as it has no code there.
   */
  fill(access: 'load' | 'store' | 'fetch', virtualPage: number, host: number, writable?: boolean): void
  /** The modelled TLB dropped this page. */
  drop(virtualPage: number): void
  /** Every translation is void (address space, MPRV, SUM, MXR, PMP or V changed in a way not separated by class). */
  flush(): void
  /** RAM in [host, host + bytes) was written by something other than the fast path: forget predecoded code there. */
  written(host: number, bytes: number): void
  /** The line of code at `host` is no longer in the hart's instruction cache. */
  lineGone?(host: number): void
  /** fence.i: code may have changed in any page that could be written. */
  fenceI(): void
}

/** Runs instructions from PC until the budget is used up, or a service returned RELOAD. Tier 0 and the evaluator are two of these. */
export interface Executor extends TranslationCache {
  run(): void
}
