/** Conversions between the formats, and to and from integers. */
import {
  infinity,
  isInfinite,
  isNan,
  isNegative,
  NV,
  NX,
  pack,
  propagate,
  roundShift,
  unpack,
  type Exceptions,
  type Format,
} from './format.ts'

export function convert(from: Format, to: Format, exceptions: Exceptions, a: bigint, rm: number): bigint {
  if (isNan(from, a)) {
    propagate(from, exceptions, a, a)
    return to.canonicalNan
  }
  if (isInfinite(from, a)) return infinity(to, isNegative(from, a))
  return pack(to, exceptions, unpack(from, a), rm)
}

/** Rounds to an integer of the given kind. What does not fit saturates (NaN as if +infinity), with invalid and without inexact. */
export function toInteger(
  f: Format,
  exceptions: Exceptions,
  a: bigint,
  bits: 32 | 64,
  signed: boolean,
  rm: number,
): bigint {
  const largest = signed ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n
  const smallest = signed ? -(1n << BigInt(bits - 1)) : 0n
  if (isNan(f, a) || isInfinite(f, a)) {
    exceptions.flags |= NV
    return !isNan(f, a) && isNegative(f, a) ? smallest : largest
  }
  const { negative, significand, exponent } = unpack(f, a)
  const rounded = roundShift(significand, -exponent, negative, rm)
  const value = negative ? -rounded.value : rounded.value
  if (value > largest || value < smallest) {
    exceptions.flags |= NV
    return value < 0n ? smallest : largest
  }
  if (!rounded.exact) exceptions.flags |= NX
  return value
}

export function fromInteger(f: Format, exceptions: Exceptions, value: bigint, rm: number): bigint {
  const negative = value < 0n
  return pack(f, exceptions, { negative, significand: negative ? -value : value, exponent: 0 }, rm)
}
