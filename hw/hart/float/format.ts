/** The binary interchange formats of IEEE 754-2019, their special values, and rounding: every inexact result passes here. */
import type { FloatFormat } from '../../spec/isa/semantics.ts'

export interface Format {
  /** Bits of the significand, the implied one included. */
  readonly precision: number
  /** Exponent of the smallest and of the largest normal number. */
  readonly minimum: number
  readonly maximum: number
  readonly sign: bigint
  readonly infinity: bigint
  readonly canonicalNan: bigint
  readonly quiet: bigint
  /** Trailing significand field. */
  readonly fraction: bigint
  readonly fractionBits: bigint
}

function format(precision: number, exponentBits: number): Format {
  const fractionBits = BigInt(precision - 1)
  const maximum = (1 << (exponentBits - 1)) - 1
  const infinity = ((1n << BigInt(exponentBits)) - 1n) << fractionBits
  const quiet = 1n << (fractionBits - 1n)
  return {
    precision,
    minimum: 1 - maximum,
    maximum,
    sign: 1n << (fractionBits + BigInt(exponentBits)),
    infinity,
    canonicalNan: infinity | quiet,
    quiet,
    fraction: (1n << fractionBits) - 1n,
    fractionBits,
  }
}

export const FORMATS: Readonly<Record<FloatFormat, Format>> = { s: format(24, 8), d: format(53, 11) }

/** Bits of fflags. */
export const NX = 1
export const UF = 2
export const OF = 4
export const DZ = 8
export const NV = 16

/** Rounding modes as in frm. */
export const RNE = 0
export const RTZ = 1
export const RDN = 2
export const RUP = 3
export const RMM = 4

/** Collects the exceptions that an operation raises. */
export interface Exceptions {
  flags: number
}

/** A finite number: (negative ? -1 : 1) × significand × 2^exponent. */
export interface Finite {
  readonly negative: boolean
  readonly significand: bigint
  readonly exponent: number
}

export function isNan(f: Format, bits: bigint): boolean {
  return (bits & (f.sign - 1n)) > f.infinity
}

export function isSignaling(f: Format, bits: bigint): boolean {
  return isNan(f, bits) && (bits & f.quiet) === 0n
}

export function isInfinite(f: Format, bits: bigint): boolean {
  return (bits & (f.sign - 1n)) === f.infinity
}

export function isZero(f: Format, bits: bigint): boolean {
  return (bits & (f.sign - 1n)) === 0n
}

export function isNegative(f: Format, bits: bigint): boolean {
  return (bits & f.sign) !== 0n
}

/** Takes bits that are neither NaN nor infinity apart. */
export function unpack(f: Format, bits: bigint): Finite {
  const biased = Number((bits & f.infinity) >> f.fractionBits)
  const fraction = bits & f.fraction
  const quantum = f.minimum - f.precision + 1
  return biased === 0
    ? { negative: isNegative(f, bits), significand: fraction, exponent: quantum }
    : { negative: isNegative(f, bits), significand: fraction | (f.fraction + 1n), exponent: quantum + biased - 1 }
}

/** The canonical NaN, with the invalid-operation exception. */
export function invalid(f: Format, exceptions: Exceptions): bigint {
  exceptions.flags |= NV
  return f.canonicalNan
}

/** A NaN operand's result: canonical always, invalid if an operand signals. */
export function propagate(f: Format, exceptions: Exceptions, a: bigint, b: bigint): bigint {
  if (isSignaling(f, a) || isSignaling(f, b)) exceptions.flags |= NV
  return f.canonicalNan
}

export function zero(f: Format, negative: boolean): bigint {
  return negative ? f.sign : 0n
}

export function infinity(f: Format, negative: boolean): bigint {
  return negative ? f.sign | f.infinity : f.infinity
}

export function bitLength(value: bigint): number {
  const digits = value.toString(16)
  return digits.length * 4 - (Math.clz32(Number.parseInt(digits.charAt(0), 16)) - 28)
}

/** Drops the low `bits` bits of a magnitude (adds zeros if `bits` is negative), rounded to an integer in the given mode. */
export function roundShift(
  magnitude: bigint,
  bits: number,
  negative: boolean,
  rm: number,
): { value: bigint; exact: boolean } {
  if (bits <= 0) return { value: magnitude << BigInt(-bits), exact: true }
  const by = BigInt(bits)
  const kept = magnitude >> by
  const rest = magnitude - (kept << by)
  if (rest === 0n) return { value: kept, exact: true }
  const half = 1n << (by - 1n)
  let up: boolean
  switch (rm) {
    case RNE:
      up = rest > half || (rest === half && (kept & 1n) === 1n)
      break
    case RTZ:
      up = false
      break
    case RDN:
      up = negative
      break
    case RUP:
      up = !negative
      break
    default:
      up = rest >= half
  }
  return { value: up ? kept + 1n : kept, exact: false }
}

/** Bits of the number nearest to an exact finite value in the given mode, with overflow, underflow (tininess is detected after rounding) and inexact. */
export function pack(f: Format, exceptions: Exceptions, value: Finite, rm: number): bigint {
  const { negative, significand, exponent } = value
  const sign = negative ? f.sign : 0n
  if (significand === 0n) return sign
  const length = bitLength(significand)
  const leading = exponent + length - 1
  const quantum = Math.max(leading, f.minimum) - f.precision + 1
  const rounded = roundShift(significand, quantum - exponent, negative, rm)
  // A carry out of the significand moves into the exponent field, where it belongs.
  const biased = BigInt(quantum - (f.minimum - f.precision + 1))
  const bits = (biased << f.fractionBits) + rounded.value
  if (bits >= f.infinity) {
    exceptions.flags |= OF | NX
    const away = rm === RNE || rm === RMM || (rm === RUP && !negative) || (rm === RDN && negative)
    return sign | (away ? f.infinity : f.infinity - 1n)
  }
  if (!rounded.exact) {
    exceptions.flags |= NX
    if (leading < f.minimum) {
      const unbounded = roundShift(significand, length - f.precision, negative, rm)
      const reaches = leading === f.minimum - 1 && unbounded.value > f.fraction * 2n + 1n
      if (!reaches) exceptions.flags |= UF
    }
  }
  return sign | bits
}
