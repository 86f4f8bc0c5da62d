/** Pure operations as WebAssembly instructions; operands are on the stack. */
import type { BinaryOperation, Node } from './meaning-graph.ts'
import type { Code, Opcode } from './wasm-code.ts'

const BINARY: Readonly<Record<BinaryOperation, Opcode>> = {
  add: 'i64Add',
  sub: 'i64Sub',
  mul: 'i64Mul',
  and: 'i64And',
  or: 'i64Or',
  xor: 'i64Xor',
  shl: 'i64Shl',
  shr: 'i64ShrU',
  sar: 'i64ShrS',
  rol: 'i64Rotl',
  ror: 'i64Rotr',
  eq: 'i64Eq',
  lt: 'i64LtS',
  ltu: 'i64LtU',
}
const COMPARISONS: readonly BinaryOperation[] = ['eq', 'lt', 'ltu']

export function emitBinary(code: Code, operation: BinaryOperation): void {
  code.op(BINARY[operation])
  if (COMPARISONS.includes(operation)) code.op('i64ExtendI32U')
}

/** True for `comparison xor 1`: the opposite comparison. */
export function isInverted({ operation, from }: Node): boolean {
  if (operation.kind !== 'binary' || operation.operation !== 'xor') return false
  const [compared, one] = [from[0].operation, from[1].operation]
  return (
    compared.kind === 'binary' &&
    COMPARISONS.includes(compared.operation) &&
    one.kind === 'constant' &&
    one.value === 1n
  )
}

/** Keeps the low `bits` bits and extends them to 64. */
export function emitExtend(code: Code, sign: 'signed' | 'unsigned', bits: number): void {
  if (bits === 64) return
  if (sign === 'unsigned') {
    code.i64((1n << BigInt(bits)) - 1n).op('i64And')
  } else if (bits === 8 || bits === 16 || bits === 32) {
    code.op(bits === 8 ? 'i64Extend8S' : bits === 16 ? 'i64Extend16S' : 'i64Extend32S')
  } else {
    const unused = BigInt(64 - bits)
    code.i64(unused).op('i64Shl').i64(unused).op('i64ShrS')
  }
}

export function emitCount(code: Code, what: 'clz' | 'ctz' | 'popcount', bits: 32 | 64): void {
  if (bits === 32 && what === 'ctz') code.i64(1n << 32n).op('i64Or')
  else emitExtend(code, 'unsigned', bits)
  code.op(what === 'clz' ? 'i64Clz' : what === 'ctz' ? 'i64Ctz' : 'i64Popcnt')
  if (bits === 32 && what === 'clz') code.i64(32n).op('i64Sub')
}
