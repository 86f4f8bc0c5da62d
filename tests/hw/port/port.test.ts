import { expect, test } from 'vitest'
import { cycle, instret } from '../../../hw/spec/csrs/counters.ts'
import type { Csr } from '../../../hw/spec/csr.ts'
import { misc } from './software/misc.ts'
import { testBed, type TestBed } from './test-bed.ts'

/** Enters `name` in M-mode with a0; traps go to the code at `handler`. */
function bed(name: string, handler = '1: j 1b', a0 = 0, counter: Csr = cycle): TestBed {
  return testBed(
    `
      la t0, handler
      csrw mtvec, t0
      li a0, ${a0}
      j ${name}
    load_nowhere: enter load_nowhere
    store_nowhere: enter store_nowhere
    compute: enter compute
    forever: enter forever
    move: enter move
    endless: enter endless
    signed: enter signed
    forged:
      li t6, 77
      j forged_door
    after:
      li t0, FINISHER
      li t1, 0x5555
      sw t1, 0(t0)
      j after
      .balign 4
    handler:
      ${handler}
      .balign 8
    result: .zero 64
    source: .zero 1024
    target: .zero 2048
    `.replace('compute: enter compute', 'compute: enter compute\n .equ forged_door, compute + 4'),
    address =>
      misc(
        { result: address('result'), after: address('after'), source: address('source'), target: address('target') },
        counter,
      ),
  )
}

test('a load that traps has a real load at xepc, with its address in t4: a handler emulates it into t5 and steps over it', () => {
  const emulating = bed(
    'load_nowhere',
    `
      la t0, result
      csrr t1, mepc
      lwu t1, 0(t1)
      sd t1, 16(t0)
      sd t4, 24(t0)
      li t5, 41
      csrr t1, mepc
      addi t1, t1, 4
      csrw mepc, t1
      mret`,
  )
  emulating.run()
  expect(emulating.at('result')).toBe(42)
  expect(emulating.at('result', 2)).toBe(0x000eef03) // lwu t5, 0(t4)
  expect(emulating.at('result', 3)).toBe(0x1000_0000)
})

test('a load that traps is done by the real instruction if the handler mends the cause and returns to it', () => {
  const mending = bed(
    'load_nowhere',
    `
      la t4, source
      li t1, 99
      sw t1, 0(t4)
      mret`,
  )
  mending.run()
  expect(mending.at('result')).toBe(100)
})

test('negative numbers are stored in two’s complement, and read back by a signed load alone', () => {
  const signed = bed('signed')
  signed.run()
  const { view } = signed.machine.memory
  const host = signed.machine.memory.toHost(signed.address('result'))
  expect(view.getBigInt64(host, true)).toBe(-0x40_0000_0000n + 4n)
  expect(signed.machine.registers(0).x[11]).toBe(0n)
})

test('a store that traps has its value in t5', () => {
  const emulating = bed(
    'store_nowhere',
    `
      la t0, result
      sd t5, 16(t0)
      csrr t1, mepc
      addi t1, t1, 4
      csrw mepc, t1
      mret`,
  )
  emulating.run()
  expect(emulating.at('result')).toBe(7)
  expect(emulating.at('result', 2)).toBe(0x1234)
})

test('a token that the guest made up is an illegal instruction, and so is an entry instruction outside the image', () => {
  const noting = `
      la t0, result
      csrr t1, mcause
      sd t1, 0(t0)
      j after`
  const forged = bed('forged', noting)
  forged.run()
  expect(forged.at('result')).toBe(2)
  const copied = bed(
    'result_code',
    noting
      .replace('sd t1, 0(t0)', 'sd t1, 16(t0)')
      .replace(
        'j after',
        'j after\n result_code: la t2, source\n ld t3, compute + 4\n sd t3, 0(t2)\n fence.i\n li t6, 0\n jr t2',
      ),
  )
  copied.machine.software.remove('misc')
  copied.run()
  expect(copied.at('result', 2)).toBe(2)
})

test('path length is counted from the code that ran: three instructions a turn of a summing loop, in cycles and instret alike', () => {
  const taken = (turns: number, counter: Csr): number => {
    const computing = bed('compute', undefined, turns, counter)
    computing.run()
    expect(computing.at('result', 1)).toBe((turns * Math.max(turns - 1, 0)) / 2)
    return computing.at('result')
  }
  for (const counter of [cycle, instret]) {
    expect(taken(500, counter) - taken(100, counter)).toBe(400 * 3)
    expect(taken(1, counter) - taken(0, counter)).toBe(3)
  }
})

test('an entry that does not end is an error that names it', () => {
  expect(() => bed('forever').run({ maxInstructions: 1_000_000 })).toThrow(
    /misc, entry 3: has taken \d+ cycles; an entry may take 100000/,
  )
  expect(() => bed('endless').run()).toThrow(/misc, entry 5 ended without jump, sret, ecall or wfi/)
})

test('a copy and a fill are loops of words: two instructions and one for each, and three for eight', () => {
  const moved = (bytes: number): readonly number[] => {
    const moving = bed('move', undefined, bytes)
    const { machine, address } = moving
    machine.memory.write(
      address('source'),
      Uint8Array.from({ length: 1024 }, (_, i) => i),
    )
    moving.run()
    expect(machine.memory.read(address('target'), bytes)).toEqual(machine.memory.read(address('source'), bytes))
    expect(machine.memory.read(address('target') + 1024, bytes)).toEqual(new Uint8Array(bytes).fill(0xab))
    expect(machine.memory.read(address('target') + 1024 + bytes, 1)[0]).toBe(0)
    return [moving.at('result'), moving.at('result', 1)]
  }
  const [copySmall, fillSmall] = moved(64)
  const [copyLarge, fillLarge] = moved(64 + 640)
  expect(copyLarge - copySmall).toBeGreaterThanOrEqual(80 * 2 + 10 * 3)
  expect(copyLarge - copySmall).toBeLessThan(80 * 2 + 10 * 3 + 20)
  expect(fillLarge - fillSmall).toBeGreaterThanOrEqual(80 + 10 * 3)
  expect(fillLarge - fillSmall).toBeLessThan(80 + 10 * 3 + 20)
})
