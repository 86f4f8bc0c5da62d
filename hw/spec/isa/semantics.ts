/**
 * What an instruction may say. Each instruction's meaning is written once against this interface; `V` is a 64-bit
 * value: a bigint for the evaluator, a wasm local for the translators. Operations happen in the order in which they
 * are called; `load`, `store`, `amo`, `csr` and `perform` may trap, and then nothing after them happens.
 */

/** A register number as decoded: opaque to the meaning (a number, or a field of a predecoded record). */
export type Operand = { readonly operand: 'register' }

export type FloatFormat = 's' | 'd'
export type FloatOperation =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'sqrt'
  | 'fmadd'
  | 'fmsub'
  | 'fnmadd'
  | 'fnmsub'
  | 'min'
  | 'max'
  | 'eq'
  | 'lt'
  | 'le'
  | 'classify'
  | 'to-s'
  | 'to-d'
  | 'to-w'
  | 'to-wu'
  | 'to-l'
  | 'to-lu'
  | 'from-w'
  | 'from-wu'
  | 'from-l'
  | 'from-lu'

export type AmoOperation = 'swap' | 'add' | 'xor' | 'and' | 'or' | 'min' | 'max' | 'minu' | 'maxu'

/** What only the hart can do: it changes privilege, translation or the flow of time. */
export type Action =
  | 'ecall'
  | 'ebreak'
  | 'mret'
  | 'sret'
  | 'wfi'
  | 'illegal'
  | 'fence'
  | 'fence.i'
  | 'sfence.vma'
  | 'sinval.vma'
  | 'sfence.w.inval'
  | 'sfence.inval.ir'
  | 'hfence.vvma'
  | 'hfence.gvma'
  | 'hinval.vvma'
  | 'hinval.gvma'
  | 'temporal-fence'
  | 'entry'
  | 'mark'

export interface Semantics<V> {
  constant(value: bigint): V
  x(register: Operand): V
  setX(register: Operand, value: V): void
  /** The raw 64 bits of a floating-point register. */
  f(register: Operand): V
  setF(register: Operand, value: V): void
  /** Address of this instruction, and of the one after it. */
  pc(): V
  nextPc(): V

  add(a: V, b: V): V
  sub(a: V, b: V): V
  mul(a: V, b: V): V
  /** High 64 bits of the 128-bit product. */
  mulh(a: V, b: V, signs: 'ss' | 'uu' | 'su'): V
  /** RISC-V division: by zero and overflow as the manual's table says. */
  div(a: V, b: V, sign: 'signed' | 'unsigned', bits: 32 | 64): V
  rem(a: V, b: V, sign: 'signed' | 'unsigned', bits: 32 | 64): V
  and(a: V, b: V): V
  or(a: V, b: V): V
  xor(a: V, b: V): V
  /** Shifts and rotations by the low 6 bits of `by`. */
  shl(a: V, by: V): V
  shr(a: V, by: V): V
  sar(a: V, by: V): V
  rol(a: V, by: V): V
  ror(a: V, by: V): V
  /** 1 or 0. */
  eq(a: V, b: V): V
  lt(a: V, b: V): V
  ltu(a: V, b: V): V
  /** `then` if `condition` is not zero. Both are evaluated. */
  select(condition: V, then: V, otherwise: V): V
  /** The low `bits` bits, sign- or zero-extended to 64. */
  sext(a: V, bits: number): V
  zext(a: V, bits: number): V
  clz(a: V, bits: 32 | 64): V
  ctz(a: V, bits: 32 | 64): V
  popcount(a: V, bits: 32 | 64): V

  /** Reads memory at the current privilege, extended to 64 bits. */
  load(address: V, bytes: 1 | 2 | 4 | 8, sign: 'signed' | 'unsigned'): V
  store(address: V, bytes: 1 | 2 | 4 | 8, value: V): void
  /** Atomic read-modify-write: faults as a store, never as a load. Returns the old value, sign-extended. */
  amo(address: V, bytes: 4 | 8, operation: AmoOperation, value: V): V
  loadReserved(address: V, bytes: 4 | 8): V
  /** 0 if stored, 1 if the reservation was lost. */
  storeConditional(address: V, bytes: 4 | 8, value: V): V
  /** As the hypervisor's load and store instructions: two-stage translation, at hstatus.SPVP's privilege. */
  guestLoad(address: V, bytes: 1 | 2 | 4 | 8, sign: 'signed' | 'unsigned', fetch: boolean): V
  guestStore(address: V, bytes: 1 | 2 | 4 | 8, value: V): void
  /** Cache-block operation on the block that contains `address`: `zero` stores, the others only check. */
  cacheBlock(address: V, operation: 'zero' | 'clean' | 'flush' | 'inval'): void

  jump(target: V): void
  /** Jumps if `condition` is not zero. */
  branch(condition: V, target: V): void

  /** CSR access. `reads` false: the CSR is not read; `writes` false: not written. Returns the old value. */
  csr(number: V, operation: 'write' | 'set' | 'clear', value: V, reads: V, writes: V): V
  /** `a` and `b` are the action's operands (sfence.vma's address and ASID), zero if it has none. */
  perform(action: Action, a: V, b: V): void

  /**
   * A floating-point operation on raw register values: operands of format `s` are unboxed (an improper box counts as
   * the canonical NaN), results are boxed; conversions to integers return the sign-extended integer. Sets fflags,
   * marks FS dirty. `rm` is the instruction's rounding-mode field (7: dynamic); reserved modes are illegal.
   */
  float(operation: FloatOperation, format: FloatFormat, a: V, b: V, c: V, rm: V): V
  /** Illegal-instruction exception unless the FPU is on (mstatus.FS, and vsstatus.FS when V=1). Call it first. */
  requireFloat(): void
}
