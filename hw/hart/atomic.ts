/** The arithmetic of AMOs on two 32-bit halves, without bigint. */
import type { AmoOperation } from '../spec/isa/semantics.ts'

/** Result of the last call. */
export const result = { low: 0, high: 0 }

/** A 64-bit operation; 32-bit ones come sign-extended (min, max) or zero-extended (minu, maxu): only `low` counts then. */
export function combine(operation: AmoOperation, oldLow: number, oldHigh: number, low: number, high: number): void {
  switch (operation) {
    case 'swap':
      return put(low, high)
    case 'add': {
      const sum = (oldLow >>> 0) + (low >>> 0)
      return put(sum | 0, (oldHigh + high + (sum >= 2 ** 32 ? 1 : 0)) | 0)
    }
    case 'xor':
      return put(oldLow ^ low, oldHigh ^ high)
    case 'and':
      return put(oldLow & low, oldHigh & high)
    case 'or':
      return put(oldLow | low, oldHigh | high)
    case 'min':
      return choose(less(oldLow, oldHigh, low, high), oldLow, oldHigh, low, high)
    case 'max':
      return choose(!less(oldLow, oldHigh, low, high), oldLow, oldHigh, low, high)
    case 'minu':
      return choose(lessUnsigned(oldLow, oldHigh, low, high), oldLow, oldHigh, low, high)
    case 'maxu':
      return choose(!lessUnsigned(oldLow, oldHigh, low, high), oldLow, oldHigh, low, high)
  }
}

function put(low: number, high: number): void {
  result.low = low
  result.high = high
}

function choose(old: boolean, oldLow: number, oldHigh: number, low: number, high: number): void {
  if (old) put(oldLow, oldHigh)
  else put(low, high)
}

function less(aLow: number, aHigh: number, bLow: number, bHigh: number): boolean {
  return aHigh < bHigh || (aHigh === bHigh && aLow >>> 0 < bLow >>> 0)
}

function lessUnsigned(aLow: number, aHigh: number, bLow: number, bHigh: number): boolean {
  return aHigh >>> 0 < bHigh >>> 0 || (aHigh === bHigh && aLow >>> 0 < bLow >>> 0)
}
