/** Comparison, minimum and maximum, and classification. */
import { isInfinite, isNan, isNegative, isSignaling, isZero, NV, type Exceptions, type Format } from './format.ts'

/** Orders numbers as signed integers do, with -0 just below +0. */
function order(f: Format, bits: bigint): bigint {
  return isNegative(f, bits) ? -(bits & (f.sign - 1n)) - 1n : bits
}

/** 1 if a and b are equal; only a signaling NaN is invalid. */
export function equal(f: Format, exceptions: Exceptions, a: bigint, b: bigint): bigint {
  if (isNan(f, a) || isNan(f, b)) {
    if (isSignaling(f, a) || isSignaling(f, b)) exceptions.flags |= NV
    return 0n
  }
  return a === b || (isZero(f, a) && isZero(f, b)) ? 1n : 0n
}

/** 1 if a is less than b (or equal, if asked for); any NaN is invalid. */
export function less(f: Format, exceptions: Exceptions, a: bigint, b: bigint, orEqual: boolean): bigint {
  if (isNan(f, a) || isNan(f, b)) {
    exceptions.flags |= NV
    return 0n
  }
  if (isZero(f, a) && isZero(f, b)) return orEqual ? 1n : 0n
  return order(f, a) < order(f, b) || (orEqual && a === b) ? 1n : 0n
}

/** minimumNumber and maximumNumber of IEEE 754-2019: a number wins over a NaN, a signaling NaN is invalid, -0 is less than +0. */
export function extreme(f: Format, exceptions: Exceptions, a: bigint, b: bigint, which: 'min' | 'max'): bigint {
  if (isSignaling(f, a) || isSignaling(f, b)) exceptions.flags |= NV
  if (isNan(f, a)) return isNan(f, b) ? f.canonicalNan : b
  if (isNan(f, b)) return a
  return order(f, a) < order(f, b) === (which === 'min') ? a : b
}

/** The one-hot mask of fclass. */
export function classify(f: Format, bits: bigint): bigint {
  if (isNan(f, bits)) return isSignaling(f, bits) ? 1n << 8n : 1n << 9n
  const negative = isNegative(f, bits)
  if (isInfinite(f, bits)) return negative ? 1n << 0n : 1n << 7n
  if (isZero(f, bits)) return negative ? 1n << 3n : 1n << 4n
  const subnormal = (bits & f.infinity) === 0n
  if (subnormal) return negative ? 1n << 2n : 1n << 5n
  return negative ? 1n << 1n : 1n << 6n
}
