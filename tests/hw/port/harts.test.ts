import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { cycle } from '../../../hw/spec/csrs/counters.ts'
import { locker } from './software/locker.ts'
import { pair } from './software/pair.ts'
import { reader } from './software/reader.ts'
import { testBed, type TestBed } from './test-bed.ts'

function pairBed(slice?: number): TestBed {
  return testBed(
    `
      csrr t0, mhartid
      bnez t0, second
      enter ask
    poll:
      enter wait
    acknowledged:
      li t0, FINISHER
      li t1, 0x5555
      sw t1, 0(t0)
      j acknowledged
    second:
      la t0, answering
      csrw mtvec, t0
      csrsi mie, 8           # MSIE
      csrsi mstatus, 8       # MIE
    1: wfi
      j 1b
      .balign 4
    answering:
      enter answer
    back:
      mret
      .balign 8
    flag: .dword 0
    polls: .dword 0
    `,
    address =>
      pair({
        flag: address('flag'),
        polls: address('polls'),
        poll: address('poll'),
        acknowledged: address('acknowledged'),
        back: address('back'),
      }),
    2,
    slice,
  )
}

test('one hart waits for another to acknowledge an inter-processor interrupt: entries that queue themselves again, no spin', () => {
  for (const slice of [50, 200, 2000]) {
    const bed = pairBed(slice)
    expect(bed.run({ untilCycle: 100_000 })).toMatchObject({ kind: 'stopped', reason: 'pass' })
    expect(bed.at('flag')).toBe(1)
    expect(bed.at('polls')).toBeGreaterThan(0)
  }
})

test('a save between two entries goes on in a machine built anew, to the same trace hash', () => {
  for (const cycle of [30, 60, 120]) {
    const bed = pairBed(200)
    bed.run({ untilCycle: cycle })
    const restored = pairBed(200)
    restored.machine.restore(structuredClone(bed.machine.save()))
    for (const { run } of [bed, restored]) run({ untilCycle: 100_000 })
    expect(restored.at('flag')).toBe(1)
    expect(restored.machine.traceHash()).toBe(bed.machine.traceHash())
  }
})

/** Hart 1 counts a descriptor up, without end. */
function readerBed(): TestBed {
  return testBed(
    `
      csrr t0, mhartid
      bnez t0, second
      enter read
    after:
      li t0, FINISHER
      li t1, 0x5555
      sw t1, 0(t0)
      j after
    second:
      la t0, descriptor
    1: lw t1, 0(t0)
      addi t1, t1, 1
      sw t1, 0(t0)
      j 1b
      .balign 8
    descriptor: .dword 0
    seen: .zero 16
    `,
    address => reader({ descriptor: address('descriptor'), seen: address('seen'), after: address('after') }),
    2,
  )
}

test('another hart changes a descriptor between two reads of it, if the schedule says so, and only then', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 4, maxLength: 4 }), schedule => {
      const bed = readerBed()
      bed.machine.interleave(operation => schedule[operation] ?? 0)
      bed.run({ untilCycle: 10_000 })
      const between = bed.at('seen', 1) - bed.at('seen')
      // Four instructions a turn; where the turn stands is not known.
      expect(between).toBeGreaterThanOrEqual(Math.floor(schedule[1] / 4) - 1)
      expect(between).toBeLessThanOrEqual(Math.ceil(schedule[1] / 4) + 1)
      if (schedule[1] === 0) expect(between).toBe(0)
    }),
    { numRuns: 12 },
  )
})

/** Hart 1 comes to the lock `delay` cycles late. */
function lockerBed(delay: number): TestBed {
  return testBed(
    `
      csrr t0, mhartid
      beqz t0, again
      li t0, ${Math.floor(delay / 2)}
    1: addi t0, t0, -1
      bgtz t0, 1b
    again:
      enter work
    after:
      la t0, done
      li t1, 1
      amoadd.w t1, t1, (t0)
    1: lw t1, 0(t0)
      li t2, 2
      bne t1, t2, 1b
      li t0, FINISHER
      li t1, 0x5555
      sw t1, 0(t0)
      j 1b
      .balign 16
    lock: .zero 16
    log: .zero 32
    scratch: .dword 0
    done: .dword 0
    `,
    address =>
      locker(
        {
          lock: address('lock'),
          log: address('log'),
          scratch: address('scratch'),
          again: address('again'),
          after: address('after'),
        },
        cycle,
      ),
    2,
  )
}

test('a lock is held by one hart at a time, by the clock, however harts take turns; who comes earlier pays the wait', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 600 }),
      fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 20 }),
      (delay, schedule) => {
        const bed = lockerBed(delay)
        bed.machine.interleave(operation => schedule[operation % schedule.length])
        expect(bed.run({ untilCycle: 20_000 })).toMatchObject({ kind: 'stopped' })
        const [firstFrom, firstTo, secondFrom, secondTo] = [0, 1, 2, 3].map(index => bed.at('log', index))
        expect(firstTo <= secondFrom || secondTo <= firstFrom).toBe(true)
        expect(firstFrom).toBeGreaterThan(0)
        expect(secondFrom).toBeGreaterThan(0)
      },
    ),
    { numRuns: 12 },
  )
})
