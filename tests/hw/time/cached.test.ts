import { describe, expect, test } from 'vitest'
import { evaluator } from '../../../hw/hart/evaluator.ts'
import { type CoreChoice, type ExecutorFactory, type Machine, pricesFor } from '../../../hw/index.ts'
import { cycle } from '../../../hw/spec/csrs/counters.ts'
import { MISSES } from '../../../hw/time/ledger.ts'
import { chipyardMemory } from '../../../hw/time/prices-memory.ts'
import { tier0 } from '../../../hw/translate/tier0.ts'
import { locker } from '../port/software/locker.ts'
import { misc } from '../port/software/misc.ts'
import { testBed } from '../port/test-bed.ts'
import { RAM, smallMachine, type SmallMachine } from '../small-machine.ts'

const CHOICES: readonly CoreChoice[] = [
  { core: 'rocket', l2: 'shared' },
  { core: 'rocket', l2: 'private' },
  { core: 'cva6', l2: 'shared' },
]
const cached = (choice: CoreChoice = {}) => pricesFor({ ...choice, model: 'cached' })
const MIB = 2 ** 20
const DATA = RAM + 2 * MIB

/** Stalls a line, of the last of three rounds of loads over so many bytes, a line apart. */
function stallsALine(bytes: number, executor: ExecutorFactory): number {
  const lines = bytes / 64
  const { run, at } = smallMachine(
    `
      li s5, 3
    round:
      li t0, ${DATA}
      li t1, ${lines}
      csrr s2, mcycle
    1: ld t2, 0(t0)
      addi t0, t0, 64
      addi t1, t1, -1
      bnez t1, 1b
      csrr s3, mcycle
      sub s3, s3, s2
      note s3
      addi s5, s5, -1
      bnez s5, round`,
    { executor, prices: cached(), ramBytes: 16 * MIB },
  )
  expect(run({})).toMatchObject({ reason: 'pass' })
  // The loop's four instructions retire in four cycles.
  return Number(at('log', 2)) / lines - 4
}

test('walking through ever more memory shows a step at each level, as high as it is priced', () => {
  const { l2Access, rowHit } = chipyardMemory
  const step = (bytes: number) => stallsALine(bytes, tier0())
  expect(step(8 * 1024)).toBeLessThan(0.1)
  expect(step(128 * 1024)).toBeGreaterThan(l2Access * 0.98)
  expect(step(128 * 1024)).toBeLessThan(l2Access + 0.1)
  // 128 lines of a row: one opens it.
  expect(step(4 * MIB)).toBeGreaterThan(l2Access + rowHit)
  expect(step(4 * MIB)).toBeLessThan(l2Access + rowHit + 1)
})

const sums = ({ harts, ledger }: Machine, hart: number, machine: Machine) =>
  ledger.call(machine, hart).reduce((sum, { cycles }) => sum + cycles, 0) - harts[hart].now()

/** Both harts write in one line, walk through memory of their own, and run code that is spread over many lines. */
const TWO_HARTS = `
  csrr s0, mhartid
  slli s1, s0, 17
  li s2, ${DATA}
  add s1, s1, s2
  slli s3, s0, 3
  li s4, ${DATA + MIB}
  add s3, s3, s4
  li s5, 40
again:
  li t0, 60
  mv t1, s1
1: ld t2, 0(t1)
  addi t2, t2, 1
  sd t2, 0(t1)
  amoadd.d t2, t2, (s3)
  ld t4, -3(t1)
  addi t1, t1, 200
  addi t0, t0, -1
  bnez t0, 1b
  ${Array.from({ length: 40 }, (_, n) => `j far${n}\n.balign 1024\nfar${n}: addi s6, s6, ${n}`).join('\n')}
  fence.i
  addi s5, s5, -1
  beqz s5, through
  j again
through: bnez s0, stay
`
const twoHarts = (executor: ExecutorFactory, choice: CoreChoice): SmallMachine =>
  smallMachine(`${TWO_HARTS} li t0, 40000\n 1: addi t0, t0, -1\n bnez t0, 1b\n j done\n stay: j stay\n done:`, {
    harts: 2,
    executor,
    prices: cached(choice),
    ramBytes: 8 * MIB,
  })

describe.each(CHOICES)('two harts: $core, $l2 L2', choice => {
  test('the executors agree on every cycle and every miss, however a run is cut; ledgers sum to the clocks', () => {
    const reference = twoHarts(evaluator(), choice)
    expect(reference.run({})).toMatchObject({ kind: 'stopped', reason: 'pass' })
    const subject = twoHarts(tier0(), choice)
    for (let end = 0; subject.run({ untilCycle: end }).kind === 'cycle'; end += 7777);
    const [a, b] = [reference.machine, subject.machine]
    expect(b.cacheCounts()).toEqual(a.cacheCounts())
    expect(b.traceHash()).toBe(a.traceHash())
    for (const hart of [0, 1]) {
      expect(b.ledger(hart)).toEqual(a.ledger(hart))
      expect(sums(b, hart, b)).toBe(0)
    }
    const counts = a.cacheCounts()!
    for (const count of [counts.fetchMisses, counts.loadMisses, counts.storeMisses, counts.probe, counts.waited])
      expect(count).toBeGreaterThan(10)
  })

  test('misses have rows of their own, and their cycles are counts times prices', () => {
    const { machine, run } = twoHarts(tier0(), choice)
    run({})
    const counts = machine.cacheCounts()!
    const priced = ['l2Access', 'upgrade', 'probe', 'victim', 'rowHit', 'rowClosed', 'rowConflict'] as const
    const rows = [0, 1].flatMap(hart => machine.ledger(hart)).filter(({ cause }) => cause.endsWith(MISSES))
    expect(rows.reduce((sum, { cycles }) => sum + cycles, 0)).toBe(
      priced.reduce((sum, name) => sum + counts[name] * chipyardMemory[name], counts.waited),
    )
  })

  test('a snapshot carries the caches over', () => {
    for (const cycles of [20_000, 60_001]) {
      const whole = twoHarts(tier0(), choice)
      whole.run({ untilCycle: cycles })
      const restored = twoHarts(tier0(), choice)
      restored.machine.restore(structuredClone(whole.machine.save()))
      whole.run({})
      restored.run({})
      expect(restored.machine.traceHash()).toBe(whole.machine.traceHash())
    }
  })
})

test('a snapshot with caches does not fit a machine without, nor the other way round', () => {
  const flat = smallMachine('nop').machine
  const withCaches = smallMachine('nop', { prices: cached() }).machine
  expect(() => flat.restore(withCaches.save())).toThrow('of a machine with caches')
  expect(() => withCaches.restore(flat.save())).toThrow('of a machine without caches')
})

describe('TypeScript software', () => {
  /** Computes three times alike, and logs how long it took. */
  const counter = (executor: ExecutorFactory) =>
    testBed(
      `
        li s0, 3
        j begin
      load_nowhere: enter load_nowhere
      store_nowhere: enter store_nowhere
      compute: enter compute
      after:
        la t0, result
        ld t1, 0(t0)
        la t0, log
        slli t2, s0, 3
        add t0, t0, t2
        sd t1, 0(t0)
        addi s0, s0, -1
        bnez s0, begin
        li t0, FINISHER
        li t1, 0x5555
        sw t1, 0(t0)
      begin:
        li a0, 20
        j compute
        .balign 8
      log: .zero 64
      result: .zero 64
      source: .zero 1024
      target: .zero 2048`,
      address =>
        misc(
          { result: address('result'), after: address('after'), source: address('source'), target: address('target') },
          cycle,
        ),
      1,
      undefined,
      { executor, prices: cached() },
    )

  test('its text is fetched: cold once, then from the cache', () => {
    const bed = counter(tier0())
    bed.run()
    const [third, second, first] = [1, 2, 3].map(n => bed.at('log', n)) as [number, number, number]
    expect(first).toBeGreaterThan(second + chipyardMemory.l2Access)
    expect(third).toBe(second)
  })

  test('the executors agree on it', () => {
    const [a, b] = [counter(evaluator()), counter(tier0())]
    for (const { run } of [a, b]) run()
    expect(b.machine.traceHash()).toBe(a.machine.traceHash())
    expect(b.machine.cacheCounts()).toEqual(a.machine.cacheCounts())
  })

  test('a lock is a line: two harts that take it in turn send it to and fro', () => {
    const bed = testBed(
      `
        csrr s0, mhartid
        li s1, 20
      again: enter work
      after:
        addi s1, s1, -1
        bnez s1, again
      1: bnez s0, 1b
        li t0, 20000
      2: addi t0, t0, -1
        bnez t0, 2b
        li t0, FINISHER
        li t1, 0x5555
        sw t1, 0(t0)
        .balign 64
      lock: .zero 64
      scratch: .zero 64
      log: .zero 64`,
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
      50,
      { executor: tier0(), prices: cached() },
    )
    bed.run({ untilCycle: 200_000 })
    expect(bed.machine.cacheCounts()!.probe).toBeGreaterThan(20)
  })
})
