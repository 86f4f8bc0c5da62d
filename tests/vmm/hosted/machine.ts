/** A machine with the hosted configuration and guests given as assembly, for tests. */
import { hypervised, type TestGuest, type VmmOptions, type VmmRun } from '../machine.ts'

export type { TestGuest } from '../machine.ts'

export function hosted(guests: readonly TestGuest[], options: VmmOptions = {}): VmmRun {
  return hypervised('hosted', guests, options)
}
