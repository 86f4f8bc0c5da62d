/** Programs that drive devices, mostly badly, and come to the same whatever others do meanwhile. */
import fc from 'fast-check'
import { GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import type { Program, Step } from '../scenario.ts'
import { circular } from './absurd-queues.ts'
import { crossedAt, misplaced } from './disk-attacks.ts'
import { PAGES_MEET } from './hostile-virtio.ts'
import { sleep } from './steps.ts'

const LARGE_PAGE = 0x20_0000
/** What guests have that do this. */
export const DEVICED_MIB = 16
/** But for the one that programs are in, and the last, where their device tree is. */
const PAGES: readonly number[] = [0, 2, 3, 4, 5, 6]
const MEETINGS: readonly number[] = [0, 1, 2, 3, 4].map(page => PAGES_MEET + page * LARGE_PAGE)

/** Touches pages for the first time, in any order, with time for others in between: where they come to lie is nobody's affair. */
export const touching: fc.Arbitrary<Program> = fc
  .tuple(fc.shuffledSubarray([...PAGES], { minLength: 1 }), sleep)
  .map(([pages, pause]) =>
    pages.flatMap((page): readonly Step[] => [
      { op: 'store', bytes: 8, address: GUEST_RAM + page * LARGE_PAGE + 0x10_0000, value: page },
      pause,
    ]),
  )

const driving = fc.oneof(
  { weight: 3, arbitrary: crossedAt(fc.constantFrom(...MEETINGS)) },
  { weight: 1, arbitrary: misplaced(DEVICED_MIB) },
  { weight: 1, arbitrary: fc.constantFrom('disk' as const, 'console' as const).chain(circular) },
)

export const deviced: fc.Arbitrary<Program> = fc
  .tuple(touching, fc.array(fc.oneof(driving, touching), { minLength: 1, maxLength: 3 }))
  .map(([first, parts]) => [...first, ...parts.flat()])
