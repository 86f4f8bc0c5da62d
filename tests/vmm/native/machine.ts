/** A machine with the native VMM and guests given as assembly, for tests. */
import { hypervised, type TestGuest, type VmmOptions, type VmmRun } from '../machine.ts'

export type { TestGuest } from '../machine.ts'

export function native(guests: readonly TestGuest[], options: VmmOptions = {}): VmmRun {
  return hypervised('native', guests, options)
}
