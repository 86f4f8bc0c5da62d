/** Time protection: slots of fixed length, whoever uses them, and nothing of one to be told from the next. */
import { describe, expect, test } from 'vitest'
import { guestImage } from '../../../guests/image.ts'
import { GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import { pricesFor } from '../../../hw/index.ts'
import { hypervised, type VmmRun } from '../machine.ts'

const MIB = 2 ** 20
const PROTECTION = { slot: 400, pad: 60 }
/** In guests' RAM: what they note. */
const NOTES = GUEST_RAM + 4 * MIB
const NOTED = 3000

/** Walks 8 KiB without end, and notes the cycles of each round. */
const WITNESS = `
start:
    li s0, ${NOTES}
    li s1, ${NOTED}
again:
    csrr t0, cycle
    li t1, ${GUEST_RAM + 6 * MIB}
    li t2, 128
1:  ld t3, 0(t1)
    sd t0, 8(t1)
    addi t1, t1, 64
    addi t2, t2, -1
    bnez t2, 1b
    csrr t3, cycle
    sd t0, 0(s0)
    sd t3, 8(s0)
    addi s0, s0, 16
    addi s1, s1, -1
    bnez s1, again
    shutdown
`

const NEIGHBOURS: Readonly<Record<string, string>> = {
  'ends at once': 'start: shutdown',
  sleeps: 'start: wfi\n j start',
  computes: 'start: addi t0, t0, 3\n j start',
  'walks a megabyte and writes there': `start:
    li t0, ${GUEST_RAM + 6 * MIB}
    li t1, 16384
1:  sd t1, 0(t0)
    addi t0, t0, 64
    addi t1, t1, -1
    bnez t1, 1b
    j start`,
  'calls its VMM without end': 'start: sbi 16, 3\n j start',
  'takes all memory it can': `start:
    li t0, ${GUEST_RAM + 6 * MIB}
    li t2, ${2 * MIB}
1:  sd t0, 0(t0)
    add t0, t0, t2
    j 1b`,
  'accesses devices without end': 'start: li t0, 0x10000000\n1: lbu t1, 5(t0)\n sb t1, 7(t0)\n j 1b',
}

function observed(neighbour: string, protection: typeof PROTECTION | undefined): readonly number[] {
  const run: VmmRun = hypervised(
    'native',
    [{ kernel: guestImage(neighbour).bytes }, { kernel: guestImage(WITNESS).bytes }],
    {
      prices: pricesFor({ model: 'cached' }),
      ...(protection && { timeProtection: protection }),
    },
  )
  run.run(400_000_000, () => run.guests[1].record.ended)
  expect(run.guests[1].record.ended).toBe(true)
  const { memory } = run.machine
  const at = memory.toHost(run.guests[1].ram.pages[(NOTES - GUEST_RAM) / (2 * MIB)])
  return Array.from({ length: NOTED * 2 }, (_, index) => Number(memory.view.getBigUint64(at + index * 8, true)))
}

describe('with the caches modelled, a guest that reads its cycle counter', () => {
  const alone = observed(NEIGHBOURS['ends at once'], PROTECTION)

  test.each(Object.keys(NEIGHBOURS))('sees the same cycles if its neighbour %s', name => {
    expect(observed(NEIGHBOURS[name], PROTECTION)).toEqual(alone)
  })

  test('sees its neighbour if time is not protected', () => {
    const [asleep, computing] = ['sleeps', 'computes'].map(name => observed(NEIGHBOURS[name], undefined))
    expect(asleep).not.toEqual(computing)
  })
})

test('slots take turns: what a guest does not use is nobody else’s', () => {
  const cycles = observed(NEIGHBOURS['sleeps'], PROTECTION)
  const absent = cycles.map((now, index) => now - (cycles[index - 1] ?? now)).filter(gap => gap > 100_000)
  expect(absent.length).toBeGreaterThan(4)
  // A slot of the other's and the padding of one's own.
  for (const gap of absent) expect(gap).toBeGreaterThanOrEqual((PROTECTION.slot + PROTECTION.pad) * 1000 - 2000)
})

test('harts without fence.t, and more than one hart, are refused', () => {
  const two = () => hypervised('native', [{ kernel: 'start: wfi' }], { harts: 2, timeProtection: PROTECTION })
  expect(two).toThrow('time protection: slots are kept on one hart, and the machine has 2; give it one')
})
