import { expect, test } from 'vitest'
import { guestImage } from '../../guests/image.ts'
import { hostile } from '../../guests/workloads/hostile.ts'
import { paging, WINDOW } from '../../guests/paging.ts'
import { SBI_DBCN } from '../../hw/spec/sbi.ts'
import { buildSystem, type Configuration } from '../../lab/system.ts'

const MIB = 2 ** 20
const LABEL = '[quiet] '

/** Walks over a megabyte of 4 KiB pages again and again, and prints a digit of what it sums up now and then. */
const QUIET = guestImage(`
start:
    call paging_on
    li s1, 88172645463325252
    li s4, 20
rounds:
    li s3, 60
sweeps:
    li s0, ${WINDOW}
    li s2, 256
1:  slli t0, s1, 13
    xor s1, s1, t0
    srli t0, s1, 7
    xor s1, s1, t0
    ld t1, 0(s0)
    add s1, s1, t1
    sd s1, 0(s0)
    li t0, 4096
    add s0, s0, t0
    addi s2, s2, -1
    bnez s2, 1b
    addi s3, s3, -1
    bnez s3, sweeps
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
  const printed: number[] = []
  const guest = (label: string, kernel: Uint8Array, hart: number) => ({
    label,
    kernel,
    memoryBytes: 32 * MIB,
    vcpus: 1,
    harts: [hart],
    weight: 256,
    cap: 0,
    bootargs: '',
  })
  const { machine, guests } = buildSystem({
    configuration,
    harts: 2,
    ramBytes: 128 * MIB,
    guests: [guest('quiet', QUIET.bytes, shared ? 0 : 1), guest('neighbour', neighbour, 0)],
    output: bytes => void printed.push(...bytes),
  })
  const over = () => guests.every(({ record }) => record.ended)
  for (let turn = 0; turn < 40 && !over(); turn++) machine.run({ untilCycle: machine.now() + 10_000_000, until: over })
  machine.run({ untilCycle: machine.now() + 2_000_000 })
  const text = String.fromCharCode(...printed)
  return {
    // The two take turns on the serial line, so what one prints may come in pieces.
    seen: text
      .split('\n')
      .filter(line => line.startsWith(LABEL))
      .map(line => line.slice(LABEL.length).trimEnd())
      .join(''),
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
