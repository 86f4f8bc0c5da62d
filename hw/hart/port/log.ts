/** What the port calls of an entry returned, in order: with it, the entry can be brought back to where it was. */
import { TOO_BIG } from '../../port.ts'

/** What was called, to notice an entry that does something else the second time. */
export const CALLS = [
  'load8',
  'load16',
  'load32',
  'load64',
  'load64Signed',
  'store8',
  'store16',
  'store32',
  'store64',
  'copy',
  'fill',
  'swap32',
  'add32',
  'and32',
  'or32',
  'swap32If',
  'lock',
  'unlock',
  'guestLoad32',
  'guestFetch16',
  'read',
  'readLow',
  'readHigh',
  'write',
  'set',
  'clear',
  'x',
  'setX',
  'fence',
  'fenceI',
  'sfenceVma',
  'hfenceVvma',
  'hfenceGvma',
  'fenceT',
  'end',
] as const
export type Call = (typeof CALLS)[number]

/** A call's number. */
export const CALL = Object.fromEntries(CALLS.map((name, index) => [name, index])) as { readonly [C in Call]: number }

/** Two words as a number, saturating either way: what `load64Signed` returns. */
export function signedNumber(words: Int32Array, at: number): number {
  return Math.max(-TOO_BIG, Math.min(words[at + 1] * 0x1_0000_0000 + (words[at] >>> 0), TOO_BIG))
}

export class Log {
  calls = new Uint8Array(64)
  results = new Float64Array(64)
  length = 0

  append(call: number, result: number): void {
    const at = this.length
    if (at === this.calls.length) this.#grow()
    this.calls[at] = call
    this.results[at] = result
    this.length = at + 1
  }

  /** Begins with what was kept. */
  load(calls: Uint8Array, results: Float64Array): void {
    while (this.calls.length < calls.length) this.#grow()
    this.calls.set(calls)
    this.results.set(results)
    this.length = calls.length
  }

  #grow(): void {
    const { calls, results } = this
    this.calls = new Uint8Array(calls.length * 2)
    this.calls.set(calls)
    this.results = new Float64Array(results.length * 2)
    this.results.set(results)
  }
}
