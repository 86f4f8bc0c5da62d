import { expect, test } from 'vitest'
import { guestImage } from '../../guests/image.ts'
import { hostile } from '../../guests/workloads/hostile.ts'
import { paging } from '../../guests/paging.ts'
import { SBI_DBCN } from '../../hw/spec/sbi.ts'
import type { Configuration } from '../../lab/system.ts'
import { sweep, twoGuests } from '../isolation/two-guests.ts'

/** Walks over a megabyte of 4 KiB pages again and again, and prints a digit of what it sums up now and then. */
const QUIET = guestImage(`
start:
    call paging_on
    li s1, 88172645463325252
    li s4, 20
rounds:
    ${sweep(60)}
    andi a0, s1, 15
    addi a0, a0, 65
    sbi ${SBI_DBCN}, 2
    addi s4, s4, -1
    bnez s4, rounds
    li a0, 10
    sbi ${SBI_DBCN}, 2
    shutdown
${paging(256)}
`)
const IDLE = guestImage('start: shutdown')

/** What the quiet guest printed, and whether both came to a regular end. */
function observe(configuration: Configuration, neighbour: Uint8Array, shared: boolean) {
  const { machine, guests, printed } = twoGuests(
    configuration,
    { label: 'quiet', kernel: QUIET.bytes, hart: shared ? 0 : 1 },
    neighbour,
  )
  const over = () => guests.every(({ record }) => record.ended)
  for (let turn = 0; turn < 40 && !over(); turn++) machine.run({ untilCycle: machine.now() + 10_000_000, until: over })
  // The serial line takes 87 µs a byte.
  machine.run({ untilCycle: machine.now() + 20_000_000 })
  return {
    seen: printed(),
    ends: guests.map(({ record: { ended, crashed, exitCode } }) => ({ ended, crashed, exitCode })),
  }
}

test.each<[Configuration, string, boolean]>([
  ['native', 'on a hart of its own', false],
  ['native', 'on the same hart', true],
  ['hosted', 'on the same hart', true],
])(
  '%s: a hostile guest survives, and its neighbour %s sees the same as without it',
  (configuration, _where, shared) => {
    const regular = { ended: true, crashed: false, exitCode: 0 }
    const alone = observe(configuration, IDLE.bytes, shared)
    expect(alone.ends).toEqual([regular, regular])
    expect(alone.seen).toMatch(/^[A-P]{20}$/)
    expect(observe(configuration, hostile.image().bytes, shared)).toEqual(alone)
  },
)
