/** What a guest counts on across a turn of somebody else's, and what it must not find when it starts. */
import { describe, expect, test } from 'vitest'
import { countUntil, END_WITH_A1 } from './assembly.ts'
import { hypervised } from './machine.ts'

const TURNS = 400_000
const CYCLES = 100
const FS = 0x6000
const FS_CLEAN_FROM_DIRTY = 0x2000

describe.each(['native', 'hosted'] as const)('a guest, %s', configuration => {
  test('vsstatus_fs_op: finds in f registers what it left there, though it calls them clean', () => {
    const keeper = `
  li t0, ${FS}
  csrs sstatus, t0
  li t1, 0x1234
  fmv.d.x f9, t1
  li t0, ${FS_CLEAN_FROM_DIRTY}
  csrc sstatus, t0
  li t3, ${TURNS}
1:  rdtime t0
  bltu t0, t3, 1b
  fmv.x.d a1, f9
  ${END_WITH_A1}`
    const other = `
  li t0, ${FS}
  csrs sstatus, t0
  li t1, 0x5678
  fmv.d.x f9, t1
  ${countUntil(TURNS)}`
    const run = hypervised(configuration, [
      { kernel: keeper, harts: [0] },
      { kernel: other, harts: [0] },
    ])
    run.run(TURNS * CYCLES * 4)
    expect(run.guests.map(({ record }) => record.ended)).toEqual([true, true])
    expect(run.guests[0].record.exitCode).toBe(0x1234)
  })

  test('finds zeros behind its image, whatever RAM held when the machine was switched on', () => {
    const reader = `
  la t0, end
  addi t0, t0, 7
  andi t0, t0, -8
  li t1, 0x80400000
  li a1, 0
1:  ld t2, 0(t0)
  or a1, a1, t2
  addi t0, t0, 8
  bltu t0, t1, 1b
  snez a1, a1
  ${END_WITH_A1}
end:`
    const run = hypervised(configuration, [{ kernel: reader, harts: [0] }])
    const { memory } = run.machine
    const IMAGES = 0x8400_0000
    const host = memory.toHost(IMAGES)
    const words = memory.words.subarray(host >> 2, (host + 0x20_0000) >> 2)
    const used = words.findLastIndex(word => word !== 0)
    expect(used).toBeGreaterThan(0)
    words.fill(0xdead_beef, used + 4)
    memory.written(host, 0x20_0000)
    run.run(400_000_000)
    expect(run.guests[0].record.ended).toBe(true)
    expect(run.guests[0].record.exitCode).toBe(0)
  })
})

describe('memory of a guest that has ended, native', () => {
  /** Fills `mib` MiB of its own with ones from 4 MiB on, having found zeros there, then ends; 1 if something was there. */
  const filling = (mib: number, after: number): string => `
  li t3, ${after}
3:  rdtime t0
  bltu t0, t3, 3b
  li t0, 0x80400000
  li t1, ${0x8040_0000 + mib * 0x10_0000}
  li t4, -1
  li t5, 0x1000
  li a1, 0
1:  ld t2, 8(t0)
  or a1, a1, t2
  sd t4, 8(t0)
  add t0, t0, t5
  bltu t0, t1, 1b
  snez a1, a1
  ${END_WITH_A1}`
  const LATER = 200_000

  test.each([1, 2])('goes to those who need it, and is zeros (harts: %d)', harts => {
    const run = hypervised(
      'native',
      [
        { kernel: filling(56, 0), harts: [0], memoryBytes: 64 * 2 ** 20 },
        { kernel: filling(56, LATER), harts: [harts - 1], memoryBytes: 64 * 2 ** 20 },
      ],
      { ramBytes: 112 * 2 ** 20, harts },
    )
    run.run(LATER * CYCLES * 4)
    const first = run.guests[0].record
    const second = run.guests[1].record
    expect([first.ended, first.crashed, first.exitCode]).toEqual([true, false, 0])
    expect([second.ended, second.crashed, second.exitCode]).toEqual([true, false, 0])
    expect(first.removals).toBeGreaterThan(0)
  })

  test('is not enough if nobody has ended: whoever asks for more than there is crashes alone', () => {
    const run = hypervised(
      'native',
      [
        { kernel: `${filling(56, 0).split('snez')[0]} j .`, harts: [0], memoryBytes: 64 * 2 ** 20 },
        { kernel: filling(56, LATER), harts: [0], memoryBytes: 64 * 2 ** 20 },
      ],
      { ramBytes: 112 * 2 ** 20 },
    )
    run.run(LATER * CYCLES * 4, () => run.guests[1].record.ended)
    expect(run.guests.map(({ record }) => record.crashed)).toEqual([false, true])
  })
})
