import { describe, expect, test } from 'vitest'
import { Evaluator } from '../../../hw/hart/evaluator.ts'
import { rocketFlat, type ExecutorFactory } from '../../../hw/index.ts'
import type { Memory } from '../../../hw/memory/memory.ts'
import { Tier0, Tier0Code } from '../../../hw/translate/tier0.ts'
import { CLINT, noted, smallMachine, type SmallMachine } from '../small-machine.ts'

function tier0(): ExecutorFactory {
  const codes = new WeakMap<Memory, Tier0Code>()
  return (memory, hart, index) => {
    const code = codes.get(memory) ?? new Tier0Code(memory)
    codes.set(memory, code)
    return new Tier0(memory, hart, index, code)
  }
}
const executors: readonly (readonly [name: string, factory: () => ExecutorFactory])[] = [
  ['evaluator', () => (memory, hart) => new Evaluator(memory, hart)],
  ['tier 0', tier0],
]
const TICK = 100
const MTIMECMP = CLINT + 0x4000
const MTIE = 0x80
const FLUSH = rocketFlat.pipelineFlush

const sums = ({ machine }: SmallMachine) =>
  machine.harts.map((hart, id) => machine.ledger(id).reduce((sum, { cycles }) => sum + cycles, 0) - hart.now())

/** Counts up forever; a machine timer interrupt at tick `ticks` notes mepc, cycle and the count. */
const interrupted = (ticks: number, loop: string) => `
  la t0, handler
  csrw mtvec, t0
  li t0, ${MTIMECMP}
  li t1, ${ticks}
  sd t1, 0(t0)
  li t0, ${MTIE}
  csrw mie, t0
  csrsi mstatus, 8
  li a0, 0
  ${loop}
  .balign 4
  handler:
  csrr t1, mcycle
  note t1
  csrr t1, mepc
  note t1
  note a0
  csrr t1, mcause
  note t1
  pass
`

describe.each(executors)('%s', (_, factory) => {
  test('an interrupt is taken at the first instruction boundary at or after its cycle', () => {
    const [cycle = 0n, , count = 0n, cause] = noted(interrupted(20, '1: addi a0, a0, 1\n j 1b'), 4, {
      executor: factory(),
    })
    expect(cause).toBe((1n << 63n) | 7n)
    // The trap's own cycles, then the CSR read.
    expect(Number(cycle)).toBe(20 * TICK + FLUSH)
    expect(Number(count)).toBeGreaterThan(900)
  })

  test('an instruction that is under way finishes first', () => {
    const [cycle = 0n] = noted(interrupted(20, '1: div a1, a0, a0\n j 1b'), 4, { executor: factory() })
    const late = Number(cycle) - FLUSH - 20 * TICK
    expect(late).toBeGreaterThanOrEqual(0)
    expect(late).toBeLessThan(33)
  })

  test('wfi sleeps to the event, and idle has the cycles', () => {
    const small = smallMachine(interrupted(5000, '1: wfi\n j 1b'), { executor: factory() })
    small.run()
    expect(Number(small.at('log'))).toBe(5000 * TICK + FLUSH)
    const idle = small.machine.ledger(0).find(({ party }) => party === 'idle')!
    expect(idle.cycles).toBeGreaterThan(5000 * TICK - 200)
    expect(sums(small)).toEqual([0])
  })

  test('WFI_RESUME_REASON: an interrupt that is enabled in mie ends wfi even if MIE is off', () => {
    const program = `
      li t0, ${MTIMECMP}
      li t1, 30
      sd t1, 0(t0)
      li t0, ${MTIE}
      csrw mie, t0
      wfi
      csrr t1, mcycle
      note t1`
    expect(Number(noted(program, 1, { executor: factory() })[0])).toBe(30 * TICK)
  })

  test('maxInstructions stops exactly there', () => {
    const { machine } = smallMachine('1: addi a0, a0, 1\n div a1, a0, a0\n j 1b', { executor: factory() })
    const before = machine.harts[0].retired()
    expect(machine.run({ maxInstructions: 101 })).toEqual({ kind: 'instructions' })
    expect(machine.harts[0].retired() - before).toBe(101)
    machine.run({ maxInstructions: 1 })
    expect(machine.harts[0].retired() - before).toBe(102)
  })

  test('nothing left to happen is idle', () => {
    expect(smallMachine('1: wfi\n j 1b', { executor: factory() }).run()).toEqual({ kind: 'idle' })
  })

  test('how a run is cut into pieces changes nothing', () => {
    const whole = smallMachine(interrupted(90, '1: addi a0, a0, 1\n mul a1, a0, a0\n j 1b'), { executor: factory() })
    whole.run({})
    const pieces = smallMachine(interrupted(90, '1: addi a0, a0, 1\n mul a1, a0, a0\n j 1b'), { executor: factory() })
    for (let cycle = 0; pieces.run({ untilCycle: cycle }).kind === 'cycle'; cycle += 777);
    expect(pieces.machine.traceHash()).toBe(whole.machine.traceHash())
    expect(pieces.machine.ledger(0)).toEqual(whole.machine.ledger(0))
  })
})

/** Hart 0 wakes hart 1 by its software interrupt; hart 1 notes when. Both then count for a while. */
const TWO_HARTS = `
  csrr t0, mhartid
  bnez t0, second
  li t0, 500
  1: addi t0, t0, -1
  bnez t0, 1b
  li t0, ${CLINT + 4}
  li t1, 1
  csrr a0, mcycle
  sw t1, 0(t0)
  note a0
  wait:
  la t2, flag
  ld t3, 0(t2)
  beqz t3, wait
  pass
  second:
  li t0, 8
  csrw mie, t0
  wfi
  csrr a0, mcycle
  la s11, log + 64
  note a0
  la t2, flag
  li t3, 1
  sd t3, 0(t2)
  1: j 1b
  .balign 8
  flag: .dword 0
`

describe('several harts', () => {
  test.each(executors)(
    '%s: an interrupt between harts arrives at the cycle at which it was sent, asleep or awake',
    (_, factory) => {
      for (const slice of [50, 2000]) {
        for (const program of [TWO_HARTS, TWO_HARTS.replace('wfi', '1: csrr t1, mip\n andi t1, t1, 8\n beqz t1, 1b')]) {
          const small = smallMachine(program, { harts: 2, executor: factory(), slice })
          small.run()
          const [sent, received] = [Number(small.at('log')), Number(small.at('log', 8))]
          expect(received).toBeGreaterThan(sent)
          expect(received - sent).toBeLessThan(25)
          expect(sums(small)).toEqual([0, 0])
        }
      }
    },
  )

  test('both executors leave the same trace', () => {
    const hashes = executors.map(([, factory]) => {
      const small = smallMachine(TWO_HARTS, { harts: 2, executor: factory() })
      small.run()
      return small.machine.traceHash()
    })
    expect(hashes[0]).toBe(hashes[1])
  })
})

describe('snapshots', () => {
  test.each([300, 700, 1000, 1213])('at cycle %i: the restored machine goes on bit for bit', cycle => {
    const make = () => smallMachine(TWO_HARTS, { harts: 2, executor: tier0() })
    const [whole, copy] = [make(), make()]
    whole.machine.run({ untilCycle: cycle })
    copy.machine.restore(structuredClone(whole.machine.save()))
    expect(copy.machine.traceHash()).toBe(whole.machine.traceHash())
    whole.run({})
    copy.run({})
    expect(copy.machine.traceHash()).toBe(whole.machine.traceHash())
    expect(copy.machine.ledger(1)).toEqual(whole.machine.ledger(1))
    expect(copy.machine.save()).toEqual(whole.machine.save())
  })

  test('a snapshot of another board is refused, naming both', () => {
    const one = smallMachine('nop').machine
    const two = smallMachine('nop', { harts: 2 }).machine
    expect(() => one.restore(two.save())).toThrow(
      'the snapshot is of board "small" with 2 harts, not of "small" with 1',
    )
  })
})

describe('prices', () => {
  const MEASURED = 'mul a0, a0, a0\n csrr a1, mscratch\n csrw mscratch, a1\n csrw mtvec, a1\n fence.i'
  test.each([
    ['pipelineFlush', 2],
    ['replay', 0],
  ] as const)('raising %s by 7 raises the total by count × 7', (name, count) => {
    const total = (prices = rocketFlat) => {
      const { machine, run } = smallMachine(MEASURED, { prices })
      run()
      return machine.harts[0].now()
    }
    expect(total({ ...rocketFlat, [name]: rocketFlat[name] + 7 }) - total()).toBe(count * 7)
  })
})
