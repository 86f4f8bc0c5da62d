/** The pure part of the instructions' semantics on bigints. Values are 64 bits, kept signed. */
import type { Semantics } from '../spec/isa/semantics.ts'

/** The operations that need nothing but their operands. */
export type Arithmetic = Pick<
  Semantics<bigint>,
  | 'constant'
  | 'add'
  | 'sub'
  | 'mul'
  | 'mulh'
  | 'div'
  | 'rem'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr'
  | 'sar'
  | 'rol'
  | 'ror'
  | 'eq'
  | 'lt'
  | 'ltu'
  | 'select'
  | 'sext'
  | 'zext'
  | 'clz'
  | 'ctz'
  | 'popcount'
>

const signed = (value: bigint): bigint => BigInt.asIntN(64, value)
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value)
const amount = (by: bigint): bigint => by & 63n
const bit = (value: boolean): bigint => (value ? 1n : 0n)

/** The low bits of both operands, read as `sign` says. */
function narrow(sign: 'signed' | 'unsigned', bits: 32 | 64, value: bigint): bigint {
  return sign === 'signed' ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
}

function rotateLeft(a: bigint, by: bigint): bigint {
  const value = unsigned(a)
  return signed((value << amount(by)) | (value >> (64n - amount(by))))
}

/** The low bits as text, most significant first. */
function digits(a: bigint, bits: number): string {
  return BigInt.asUintN(bits, a).toString(2).padStart(bits, '0')
}

export const bigintArithmetic: Arithmetic = {
  constant: signed,
  add: (a, b) => signed(a + b),
  sub: (a, b) => signed(a - b),
  mul: (a, b) => signed(a * b),
  mulh(a, b, signs) {
    const left = signs === 'uu' ? unsigned(a) : signed(a)
    const right = signs === 'ss' ? signed(b) : unsigned(b)
    return signed((left * right) >> 64n)
  },
  /** By zero: all ones. The one signed overflow wraps to itself. */
  div(a, b, sign, bits) {
    const divisor = narrow(sign, bits, b)
    return divisor === 0n ? -1n : BigInt.asIntN(bits, narrow(sign, bits, a) / divisor)
  },
  /** By zero: the dividend. */
  rem(a, b, sign, bits) {
    const divisor = narrow(sign, bits, b)
    const dividend = narrow(sign, bits, a)
    return BigInt.asIntN(bits, divisor === 0n ? dividend : dividend % divisor)
  },
  and: (a, b) => signed(a & b),
  or: (a, b) => signed(a | b),
  xor: (a, b) => signed(a ^ b),
  shl: (a, by) => signed(a << amount(by)),
  shr: (a, by) => signed(unsigned(a) >> amount(by)),
  sar: (a, by) => signed(a) >> amount(by),
  rol: rotateLeft,
  ror: (a, by) => rotateLeft(a, 64n - amount(by)),
  eq: (a, b) => bit(unsigned(a) === unsigned(b)),
  lt: (a, b) => bit(signed(a) < signed(b)),
  ltu: (a, b) => bit(unsigned(a) < unsigned(b)),
  select: (condition, then, otherwise) => (condition !== 0n ? then : otherwise),
  sext: (a, bits) => BigInt.asIntN(bits, a),
  zext: (a, bits) => signed(BigInt.asUintN(bits, a)),
  clz: (a, bits) => BigInt(`${digits(a, bits)}1`.indexOf('1')),
  ctz: (a, bits) => BigInt(bits - `1${digits(a, bits)}`.lastIndexOf('1')),
  popcount: (a, bits) => BigInt(digits(a, bits).replaceAll('0', '').length),
}
