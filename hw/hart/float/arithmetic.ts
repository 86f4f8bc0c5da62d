/** Addition, multiplication, fused multiply-add, division and square root: exact in integers, then rounded once. */
import {
  bitLength,
  DZ,
  infinity,
  invalid,
  isInfinite,
  isNan,
  isNegative,
  isSignaling,
  isZero,
  NV,
  pack,
  propagate,
  RDN,
  unpack,
  zero,
  type Exceptions,
  type Finite,
  type Format,
} from './format.ts'

/** An exponent distance from which the smaller operand only decides that the sum is inexact, and on which side. */
const FAR = 256

/** The exact sum; far operands are replaced by others that round alike. `rm` decides the sign of an exact zero. */
function sum(a: Finite, b: Finite, rm: number): Finite {
  if (a.significand === 0n && b.significand === 0n) {
    return { negative: a.negative === b.negative ? a.negative : rm === RDN, significand: 0n, exponent: 0 }
  }
  if (a.significand === 0n) return b
  if (b.significand === 0n) return a
  const [high, low] = a.exponent >= b.exponent ? [a, b] : [b, a]
  const distance = high.exponent - low.exponent
  const shift = Math.min(distance, FAR)
  const lowMagnitude = distance > FAR ? 1n : low.significand
  const highMagnitude = high.significand << BigInt(shift)
  const total = (high.negative ? -highMagnitude : highMagnitude) + (low.negative ? -lowMagnitude : lowMagnitude)
  const exponent = high.exponent - shift
  if (total === 0n) return { negative: rm === RDN, significand: 0n, exponent }
  return total < 0n
    ? { negative: true, significand: -total, exponent }
    : { negative: false, significand: total, exponent }
}

export function add(f: Format, exceptions: Exceptions, a: bigint, b: bigint, rm: number): bigint {
  if (isNan(f, a) || isNan(f, b)) return propagate(f, exceptions, a, b)
  if (isInfinite(f, a)) return isInfinite(f, b) && a !== b ? invalid(f, exceptions) : a
  if (isInfinite(f, b)) return b
  return pack(f, exceptions, sum(unpack(f, a), unpack(f, b), rm), rm)
}

export function multiply(f: Format, exceptions: Exceptions, a: bigint, b: bigint, rm: number): bigint {
  if (isNan(f, a) || isNan(f, b)) return propagate(f, exceptions, a, b)
  const negative = isNegative(f, a) !== isNegative(f, b)
  if (isInfinite(f, a) || isInfinite(f, b)) {
    return isZero(f, a) || isZero(f, b) ? invalid(f, exceptions) : infinity(f, negative)
  }
  return pack(f, exceptions, product(unpack(f, a), unpack(f, b)), rm)
}

function product(a: Finite, b: Finite): Finite {
  return {
    negative: a.negative !== b.negative,
    significand: a.significand * b.significand,
    exponent: a.exponent + b.exponent,
  }
}

/** a × b + c, rounded once. Infinity times zero is invalid even if c is a quiet NaN. */
export function multiplyAdd(f: Format, exceptions: Exceptions, a: bigint, b: bigint, c: bigint, rm: number): bigint {
  const undefinedProduct = (isInfinite(f, a) && isZero(f, b)) || (isZero(f, a) && isInfinite(f, b))
  if (undefinedProduct) return invalid(f, exceptions)
  if (isNan(f, a) || isNan(f, b) || isNan(f, c)) {
    if (isSignaling(f, c)) exceptions.flags |= NV
    return propagate(f, exceptions, a, b)
  }
  const negative = isNegative(f, a) !== isNegative(f, b)
  if (isInfinite(f, a) || isInfinite(f, b)) {
    return isInfinite(f, c) && isNegative(f, c) !== negative ? invalid(f, exceptions) : infinity(f, negative)
  }
  if (isInfinite(f, c)) return c
  return pack(f, exceptions, sum(product(unpack(f, a), unpack(f, b)), unpack(f, c), rm), rm)
}

export function divide(f: Format, exceptions: Exceptions, a: bigint, b: bigint, rm: number): bigint {
  if (isNan(f, a) || isNan(f, b)) return propagate(f, exceptions, a, b)
  const negative = isNegative(f, a) !== isNegative(f, b)
  if (isInfinite(f, a)) return isInfinite(f, b) ? invalid(f, exceptions) : infinity(f, negative)
  if (isInfinite(f, b)) return zero(f, negative)
  if (isZero(f, b)) {
    if (isZero(f, a)) return invalid(f, exceptions)
    exceptions.flags |= DZ
    return infinity(f, negative)
  }
  const dividend = unpack(f, a)
  const divisor = unpack(f, b)
  // Two significands' length and a little more leaves at least precision + 2 bits of quotient, whatever is subnormal.
  const shift = 2 * f.precision + 3
  const numerator = dividend.significand << BigInt(shift)
  const quotient = numerator / divisor.significand
  const sticky = quotient * divisor.significand === numerator ? 0n : 1n
  const exponent = dividend.exponent - divisor.exponent - shift - 1
  return pack(f, exceptions, { negative, significand: (quotient << 1n) | sticky, exponent }, rm)
}

export function squareRoot(f: Format, exceptions: Exceptions, a: bigint, rm: number): bigint {
  if (isNan(f, a)) return propagate(f, exceptions, a, a)
  if (isZero(f, a)) return a
  if (isNegative(f, a)) return invalid(f, exceptions)
  if (isInfinite(f, a)) return a
  const { significand, exponent } = unpack(f, a)
  let shift = 2 * f.precision + 4 - bitLength(significand)
  if ((exponent - shift) % 2 !== 0) shift++
  const radicand = significand << BigInt(shift)
  const root = integerSquareRoot(radicand)
  const sticky = root * root === radicand ? 0n : 1n
  return pack(
    f,
    exceptions,
    { negative: false, significand: (root << 1n) | sticky, exponent: (exponent - shift) / 2 - 1 },
    rm,
  )
}

/** The largest integer whose square does not exceed `n`; n is between 2^40 and 2^120. */
function integerSquareRoot(n: bigint): bigint {
  // The start is good to about 52 bits, so one step of Newton's method is off by one at most.
  let root = BigInt(Math.floor(Math.sqrt(Number(n))))
  root = (root + n / root) >> 1n
  while (root * root > n) root--
  while ((root + 1n) * (root + 1n) <= n) root++
  return root
}
