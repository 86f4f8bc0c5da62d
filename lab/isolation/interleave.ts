/** When other harts run in the midst of an entry. */
import { randomWords } from '../../hw/spec/random.ts'
import type { Interleaving } from './scenario.ts'

/** For `Machine.interleave`: before which port operations, and for how many cycles. */
export function interleavingOf({ seed, every, cycles }: Interleaving): (operation: number) => number {
  const random = randomWords(seed)
  return () => (random() % Math.max(1, every) === 0 ? 1 + (random() % Math.max(1, cycles)) : 0)
}
