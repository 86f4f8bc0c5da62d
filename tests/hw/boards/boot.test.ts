import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type VirtOptions, virt } from '../../../hw/boards/virt.ts'
import { build } from '../../../hw/index.ts'
import { assemble } from '../../../hw/spec/isa/assembler.ts'
import { type ExecutorName, executorFactory } from '../../conformance/ours.ts'
import { SBI_LETTERS, sbiPayload } from './sbi-payload.ts'

/** Runs a board until software stops it. */
function boot(options: VirtOptions, executor: ExecutorName = 'tier0') {
  let printed = ''
  const board = virt({
    ramBytes: 2 ** 26,
    ...options,
    output: bytes => void (printed += String.fromCharCode(...bytes)),
  })
  const machine = build(board, { executor: executorFactory(executor) })
  const stop = machine.run({ untilCycle: 1e9 })
  return { printed, stop, cycle: machine.now(), hash: machine.traceHash() }
}

const kernel = assemble(sbiPayload, { origin: 0x8020_0000 }).bytes
const passed = { kind: 'stopped', reason: 'pass', code: 0 }

describe('the machine boots', () => {
  test('our SBI answers as the specification says, with the same trace from every executor', () => {
    const interpreted = boot({ harts: 2, kernel })
    expect(interpreted).toMatchObject({ printed: SBI_LETTERS, stop: passed })
    expect(boot({ harts: 2, kernel }, 'evaluator')).toEqual(interpreted)
  })

  test('a raw image without a bios starts in M-mode with the hart id and the tree', () => {
    const source = `
      bnez a0, wrong
      lw t0, 0(a1)
      li t1, 0xedfe0dd0
      subw t0, t0, t1
      bnez t0, wrong
      csrr t0, mstatus
      li t1, 0x10000000
      li t2, 0x4d
      sb t2, 0(t1)
      li t1, 0x100000
      li t2, 0x5555
      sw t2, 0(t1)
wrong:
      j wrong`
    expect(boot({ bios: 'none', kernel: assemble(source, { origin: 0x8000_0000 }).bytes })).toMatchObject({
      printed: 'M',
      stop: passed,
    })
  })

  test('what SRST asks for is how the machine stops', () => {
    const reset = (type: number, reason: number) => {
      const source = `
        li a0, ${type}
        li a1, ${reason}
        li a7, 0x53525354
        li a6, 0
        ecall`
      return boot({ kernel: assemble(source, { origin: 0x8020_0000 }).bytes }).stop
    }
    expect([reset(0, 0), reset(0, 1), reset(1, 0)]).toEqual([
      passed,
      { kind: 'stopped', reason: 'fail', code: 1 },
      { kind: 'stopped', reason: 'reset', code: 0 },
    ])
  })

  test('the firmware keeps its memory from S-mode', () => {
    const source = `
      la t0, handler
      csrw stvec, t0
      li t0, 0x80000000
      ld t1, 0(t0)
      j .
      .balign 4
handler:
      csrr t0, scause
      slli t0, t0, 16
      li t1, 0x3333
      or t0, t0, t1
      li t1, 0x100000
      sw t0, 0(t1)
      j .`
    const loadAccessFault = 5
    expect(boot({ kernel: assemble(source, { origin: 0x8020_0000 }).bytes }).stop).toEqual({
      kind: 'stopped',
      reason: 'fail',
      code: loadAccessFault,
    })
  })
})

const OPENSBI = '/usr/lib/riscv64-linux-gnu/opensbi/generic'
const absent = existsSync(OPENSBI) ? '' : ' (missing: package opensbi)'
describe.skipIf(absent !== '')(`OpenSBI on our machine${absent}`, () => {
  const source = `
      li a0, 0x2a
      li a7, 1
      ecall
      li a7, 8
      ecall`
  const payload = assemble(source, { origin: 0x8020_0000 }).bytes

  test.each(['fw_dynamic.bin', 'fw_dynamic.elf', 'fw_jump.bin'])('%s finds the board and starts its payload', file => {
    const { printed, stop } = boot({ harts: 2, bios: readFileSync(`${OPENSBI}/${file}`), kernel: payload })
    expect(printed).toMatch(/Platform HART Count +: 2\r?\n/)
    expect(printed).toMatch(/Platform Timer Device +: aclint-mtimer @ 10000000Hz/)
    expect(printed).toMatch(/Platform Reboot Device +: sifive_test/)
    expect(printed).toMatch(/Boot HART ISA Extensions +: time,sstc/)
    expect(printed.endsWith('*')).toBe(true)
    expect(stop).toEqual(passed)
  })
})
