import { describe, expect, test } from 'vitest'
import { Evaluator } from '../../../hw/hart/evaluator.ts'
import { BUDGET, FLOAT, PC, STALLS, X } from '../../../hw/hart/state.ts'
import { FlatHart, RAM_BASE } from './flat-hart.ts'

/** Runs `source` to its ecall and returns the hart and what a0 holds. */
function run(source: string, budget = 1000): { hart: FlatHart; a0: bigint } {
  const hart = new FlatHart()
  hart.loadProgram(`${source}\necall\n.balign 8\ncell: .dword 0x1122334455667788`, budget)
  new Evaluator(hart.memory, hart).run()
  return { hart, a0: hart.memory.longs[(X >> 3) + 10] }
}

const MIN64 = -(1n << 63n)

describe('the table of division by zero and overflow', () => {
  test.each([
    ['div', 7n, 0n, -1n],
    ['divu', 7n, 0n, -1n],
    ['rem', 7n, 0n, 7n],
    ['remu', 7n, 0n, 7n],
    ['div', MIN64, -1n, MIN64],
    ['rem', MIN64, -1n, 0n],
    ['div', -7n, 2n, -3n],
    ['rem', -7n, 2n, -1n],
    ['divw', -(1n << 31n), -1n, -(1n << 31n)],
    ['remw', -(1n << 31n), -1n, 0n],
    ['divuw', 5n, 0n, -1n],
    ['remuw', 0xffff_ffffn, 0n, -1n],
    ['divuw', 0xffff_fffen, 1n, -2n],
    ['remw', 0x1_0000_0007n, 0x1_0000_0004n, 3n],
    ['mulhsu', -1n, -1n, -1n],
    ['mulhu', -1n, -1n, -2n],
    ['mulh', MIN64, MIN64, 1n << 62n],
    ['mulw', 0x8000_0000n, 3n, -(1n << 31n)],
  ])('%s %d, %d is %d', (name, a, b, expected) => {
    expect(run(`li a1, ${a}; li a2, ${b}; ${name} a0, a1, a2`).a0).toBe(expected)
  })
})

test.each([
  ['sllw a0, a1, a2', 0x4000_0000n, 33n, -(1n << 31n)],
  ['srlw a0, a1, a2', -1n, 32n, -1n],
  ['srlw a0, a1, a2', -1n, 1n, 0x7fff_ffffn],
  ['sraw a0, a1, a2', 0x8000_0000n, 31n, -1n],
  ['sra a0, a1, a2', MIN64, 127n, -1n],
  ['srl a0, a1, a2', -1n, 63n, 1n],
  ['addw a0, a1, a2', 0x7fff_ffffn, 1n, -(1n << 31n)],
  ['sltu a0, a1, a2', 1n, -1n, 1n],
  ['slt a0, a1, a2', 1n, -1n, 0n],
  ['sltiu a0, a1, -1', 1n, 0n, 1n],
  ['rolw a0, a1, a2', 0x8000_0001n, 1n, 3n],
  ['rorw a0, a1, a2', 1n, 32n, 1n],
  ['rol a0, a1, a2', MIN64, 1n, 1n],
  ['orc.b a0, a1', 0x0100_8000_0000_0010n, 0n, -0xff_00ff_ffff_ff01n],
  ['rev8 a0, a1', 0x0102_0304_0506_0708n, 0n, 0x0807_0605_0403_0201n],
  ['clz a0, a1', 0n, 0n, 64n],
  ['clzw a0, a1', 0xf_0000_0001n, 0n, 31n],
  ['ctz a0, a1', 0n, 0n, 64n],
  ['ctzw a0, a1', 8n, 0n, 3n],
  ['cpop a0, a1', -1n, 0n, 64n],
  ['sh3add.uw a0, a1, a2', -1n, 1n, 0x7_ffff_fff9n],
  ['minu a0, a1, a2', -1n, 1n, 1n],
  ['min a0, a1, a2', -1n, 1n, -1n],
  ['bexti a0, a1, 63', MIN64, 0n, 1n],
  ['czero.eqz a0, a1, a2', 9n, 0n, 0n],
  ['czero.nez a0, a1, a2', 9n, 0n, 9n],
])('%s with %d and %d is %d', (text, a, b, expected) => {
  expect(run(`li a1, ${a}; li a2, ${b}; ${text}`).a0).toBe(expected)
})

test('loads extend as their name says', () => {
  const { hart } = run(`
    la t0, cell
    lb a0, 0(t0); lbu a1, 0(t0); lh a2, 0(t0); lhu a3, 0(t0); lw a4, 4(t0); lwu a5, 0(t0); ld a6, 0(t0)`)
  expect(Array.from(hart.memory.longs.slice((X >> 3) + 10, (X >> 3) + 17))).toEqual([
    -0x78n,
    0x88n,
    0x7788n,
    0x7788n,
    0x11223344n,
    0x55667788n,
    0x1122334455667788n,
  ])
})

test('sc stores only to what lr has reserved, once', () => {
  const { hart } = run(`
    la t0, cell
    li t1, 5
    sc.d a0, t1, (t0)
    lr.d a1, (t0)
    sc.d a2, t1, (t0)
    sc.d a3, t1, (t0)
    ld a4, (t0)`)
  expect(Array.from(hart.memory.longs.slice((X >> 3) + 10, (X >> 3) + 15))).toEqual([
    1n,
    0x1122334455667788n,
    0n,
    1n,
    5n,
  ])
})

test('jalr takes its target before it writes rd, and clears bit 0', () => {
  const { hart } = run('la a0, 1f+1\njalr a0, a0\n.word 0\n1: nop')
  expect(hart.traps).toEqual(['ecall'])
  expect(hart.memory.longs[(X >> 3) + 10]).toBe(BigInt(RAM_BASE) + 12n)
})

test('csrrw with rd = x0 does not read, csrrs with rs1 = x0 does not write', () => {
  const { hart } = run(
    'csrw 0x340, a1\ncsrrw a2, 0x340, a1\ncsrr a3, 0x340\ncsrrci a4, 0x340, 0\ncsrrsi zero, 0x340, 1',
  )
  expect(hart.calls).toEqual([
    ['csr', 0x340, 'write', false, true],
    ['csr', 0x340, 'write', true, true],
    ['csr', 0x340, 'set', true, false],
    ['csr', 0x340, 'clear', true, false],
    ['csr', 0x340, 'set', true, true],
  ])
})

test('an instruction that straddles two pages is fetched whole', () => {
  expect(run('j 1f\n.org 0xffe\n1: li a0, 77').a0).toBe(77n)
})

test('with the FPU off every floating-point instruction is illegal, and with it on a write makes it dirty', () => {
  const { hart } = run('fmv.d.x fa0, zero')
  expect(hart.memory.words[FLOAT >> 2]).toBe(2)
  hart.loadProgram('flw fa0, (zero)', 10)
  hart.memory.words[FLOAT >> 2] = 0
  new Evaluator(hart.memory, hart).run()
  expect(hart.traps).toEqual(['ecall', 'illegal 2507'])
})

test('an instruction runs while the budget is positive; what it costs beyond a cycle is stall; a trap costs it nothing', () => {
  const hart = new FlatHart()
  hart.loadProgram('nop\nmul a0, a1, a2\nnop\nld a0, (zero)', 4)
  const evaluator = new Evaluator(hart.memory, hart, instruction => (instruction.name === 'mul' ? 5 : 1))
  evaluator.run()
  expect(hart.memory.words[BUDGET >> 2]).toBe(-2)
  expect(hart.memory.doubles[STALLS >> 3]).toBe(4)
  expect(hart.memory.longs[PC >> 3]).toBe(BigInt(RAM_BASE) + 8n)
  hart.memory.words[BUDGET >> 2] = 9
  evaluator.run()
  expect(hart.traps).toEqual(['load access fault'])
  expect(hart.memory.longs[PC >> 3]).toBe(BigInt(RAM_BASE) + 12n)
})
