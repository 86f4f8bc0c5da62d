/** What guests could tell of each other by time, and must not: found by the promise `time`. */
import { expect, test } from 'vitest'
import { diskProgram } from '../../lab/isolation/disk-requests.ts'
import { time } from '../../lab/isolation/promises/time.ts'
import type { Program, Step } from '../../lab/isolation/scenario.ts'
import { DISK_SECTORS, slotTopologies } from '../../lab/isolation/topologies-io.ts'

const CYCLES = 8_000_000
const counted: Step = { op: 'read', csr: 0xc00 }
const retired: Step = { op: 'read', csr: 0xc02 }
const forever = (...steps: readonly Step[]): Program => [{ op: 'repeat', times: 1_000_000, steps }]
const printed = (character: number): Step => ({ op: 'call', extension: 1, function: 0, arguments: [character] })
const walked: Step = { op: 'walk', address: 0x8040_0000, stride: 64, times: 500, write: false }
const LONG: Step = { op: 'compute', times: 60_000 }
const reads = diskProgram(
  [[{ write: false, where: 'inside', offset: 0, sectors: 16, place: { kind: 'page', at: 0 }, stamp: 1 }]],
  DISK_SECTORS,
)

const RULES: readonly (readonly [rule: string, first: Program, other: Program])[] = [
  [
    'how many instructions others have retired on the hart is not to be read',
    [LONG, LONG, LONG, retired],
    forever({ op: 'compute', times: 1000 }),
  ],
  [
    'a guest whose timer has gone off in another’s slot goes on when its own begins, to the cycle',
    [{ op: 'wait', ticks: 1986 }, counted],
    [{ op: 'compute', times: 1 }],
  ],
  [
    'devices do not reach into memory for others in a guest’s slot',
    Array.from({ length: 24 }, () => [walked, LONG, counted]).flat(),
    forever(...reads),
  ],
  [
    'printing takes as long as ever, whoever else prints',
    [{ op: 'wait', ticks: 9000 }, counted, printed(65), counted, printed(66), counted],
    forever({ op: 'call', extension: 0x4442_434e, function: 2, arguments: [0x41] }),
  ],
]

test.each(RULES)('%s', (_, first, other) => {
  const [topology] = slotTopologies()
  const guests = [first, other].map(program => ({ programs: [program] }))
  expect(time.check({ topology, guests, actions: [], cycles: CYCLES })?.what).toBeUndefined()
})
