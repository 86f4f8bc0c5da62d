/** What a handler is emitted for: where it is embedded, and which variant of its instruction it serves. */
import type { Runtime } from './runtime.ts'
import type { Code } from './wasm-code.ts'

/** How a handler is embedded. */
export interface Frame {
  readonly code: Code
  /** The local that holds the record's address. */
  readonly slot: number
  readonly runtime: Runtime
  /** Pushes the budget; pushes the base of the soft TLB in force. */
  budget(): void
  tlb(): void
  /** Of the cached model: pushes where the byte of line 0 of memory would be. */
  lines(): void
  /** Follows every service: takes over the budget that it left. */
  afterService(): void
  /** Leaves because a trap was taken; `depth` blocks of the handler's own are open. */
  trapped(depth: number): void
  /** Subtracts the cost and goes on at the local `slot`; `depth` as above. */
  next(cost: number, depth: number): void
  /** Subtracts the cost and goes on at the address on the stack; `depth` as above. */
  jump(cost: number, depth: number): void
  /** Subtracts the cost and goes on at PC, which the hart has set. */
  resume(cost: number): void
}

/** What a variant of a handler is for. */
export interface Variant {
  readonly length: 2 | 4
  /** The direct target lies in the same page: the record's imm is a distance in record bytes. */
  readonly near: boolean
  /** The record says where the CSR lies: see plain-csr.ts. */
  readonly plainCsr: boolean
}
