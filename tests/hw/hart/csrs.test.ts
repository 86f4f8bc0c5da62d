import { describe, expect, test } from 'vitest'
import { CSRS } from '../../../hw/spec/csrs/index.ts'
import { noted } from '../small-machine.ts'

/** What each statement leaves in a0, noted. Exceptions are noted as mcause and mtval, and skipped. */
function values(count: number, ...statements: readonly string[]): readonly bigint[] {
  return noted(`la t0, noting\n csrw mtvec, t0\n${statements.join('\n')}`, count)
}

const hex = (list: readonly bigint[]) => list.map(value => value.toString(16))

describe('CSR tables', () => {
  test('numbers and names are unique', () => {
    expect(new Set(CSRS.map(({ number }) => number)).size).toBe(CSRS.length)
    expect(new Set(CSRS.map(({ name }) => name)).size).toBe(CSRS.length)
  })

  test('fields of a register do not overlap', () => {
    for (const { name, fields } of CSRS) {
      const bits = fields.flatMap(({ high, low }) => Array.from({ length: high - low + 1 }, (_, n) => low + n))
      expect(new Set(bits).size, name).toBe(bits.length)
    }
  })

  test('an alias names a CSR of the machine, and so does a virtual one', () => {
    const names = new Set(CSRS.map(({ name }) => name))
    for (const { alias, virtual } of CSRS) {
      if (alias) expect(names).toContain(alias.of)
      if (virtual) expect(names).toContain(virtual)
    }
  })
})

describe('reading and writing', () => {
  test('misa says RV64 ABCDFHIMSU, and stays', () => {
    const [before, after] = values(2, 'csrr a0, misa\n note a0', 'csrw misa, x0\n csrr a0, misa\n note a0')
    expect(before).toBe(after)
    expect(before >> 62n).toBe(2n)
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('').filter((_, bit) => (before >> BigInt(bit)) & 1n)
    expect(letters.join('')).toBe('ABCDFHIMSU')
  })

  test('MSTATUS_XPP_WARL: MPP keeps its value when 2 is written', () => {
    expect(
      hex(
        values(
          1,
          'li t0, 0x1800\n csrs mstatus, t0\n li t1, 0x800\n csrc mstatus, t1\n csrr a0, mstatus\n and a0, a0, t0\n note a0',
        ),
      ),
    ).toEqual(['1800'])
  })

  test('mstatus_sd_op: SD sums up FS', () => {
    const [off, dirty] = values(
      2,
      'li t0, 0x6000\n csrc mstatus, t0\n csrr a0, mstatus\n srli a0, a0, 63\n note a0',
      'csrs mstatus, t0\n csrr a0, mstatus\n srli a0, a0, 63\n note a0',
    )
    expect([off, dirty]).toEqual([0n, 1n])
  })

  test('mstatus_fs_vs_xs_off_op: with FS off, fcsr and floating-point instructions are illegal', () => {
    expect(hex(values(4, 'li t0, 0x6000\n csrc mstatus, t0\n csrr a0, fcsr\n fmv.w.x f0, x0'))).toEqual([
      '2',
      '302573',
      '2',
      'f0000053',
    ])
  })

  test('mstatus_fs_vs_xs_dirty_op: writing a floating-point register makes FS dirty', () => {
    const program =
      'li t0, 0x6000\n csrc mstatus, t0\n li t0, 0x2000\n csrs mstatus, t0\n fmv.d.x f1, x0\n csrr a0, sstatus\n srli a0, a0, 13\n andi a0, a0, 3\n note a0'
    expect(values(1, program)).toEqual([3n])
  })

  test('fcsr_fflags_op: fflags and frm are parts of fcsr', () => {
    expect(
      hex(
        values(
          3,
          'li t0, 0x6000\n csrs mstatus, t0\n li t0, 0xff\n csrw fcsr, t0\n csrr a0, frm\n note a0\n csrw fflags, x0\n csrr a0, fcsr\n note a0\n csrwi frm, 1\n csrr a0, fcsr\n note a0',
        ),
      ),
    ).toEqual(['7', 'e0', '20'])
  })

  test('Zicsr_write_ro: writing a read-only CSR is illegal, reading it by csrrs with x0 is not', () => {
    expect(hex(values(3, 'csrw mhartid, x0', 'csrr a0, mhartid\n note a0'))).toEqual(['2', 'f1401073', '0'])
  })

  test('satp_mode_op_unsupported: a MODE that is not there leaves all of satp alone', () => {
    expect(
      hex(
        values(
          2,
          'li t0, 8\n slli t0, t0, 60\n ori t0, t0, 5\n csrw satp, t0\n csrr a0, satp\n note a0',
          'li t0, 10\n slli t0, t0, 60\n ori t0, t0, 7\n csrw satp, t0\n csrr a0, satp\n note a0',
        ),
      ),
    ).toEqual(['8000000000000005', '8000000000000005'])
  })

  test('HGATP_MODE_WARL: of hgatp, an unsupported MODE keeps only MODE; PPN[1:0] read zero', () => {
    expect(
      hex(values(1, 'li t0, 10\n slli t0, t0, 60\n ori t0, t0, 7\n csrw hgatp, t0\n csrr a0, hgatp\n note a0')),
    ).toEqual(['4'])
  })

  test('mip_seip_rdcsr: the wire adds to mip.SEIP as it reads; set and clear change what software wrote', () => {
    expect(
      hex(
        values(
          2,
          'li t0, 0x200\n csrs mip, t0\n csrr a0, sip\n note a0\n csrc mip, t0\n csrr a0, mip\n andi a0, a0, 0x200\n note a0',
        ),
      ),
    ).toEqual(['0', '0'])
  })

  test('sip_acc: sip and sie show what mideleg delegates', () => {
    expect(
      hex(
        values(
          3,
          'li t0, 0x222\n csrw mideleg, t0\n csrw sie, t0\n csrr a0, mie\n note a0',
          'csrs mip, t0\n csrr a0, sip\n note a0',
          'csrw sip, x0\n csrr a0, sip\n note a0',
        ),
      ),
    ).toEqual(['222', '222', '220'])
  })

  test('mip_mie_alias, vsip_vsie_sei: hvip shows in hip, and in vsip where hideleg lets it', () => {
    expect(
      hex(
        values(
          3,
          'li t0, 0x444\n csrw hvip, t0\n csrr a0, hip\n note a0',
          'csrr a0, vsip\n note a0',
          'csrw hideleg, t0\n csrr a0, vsip\n note a0',
        ),
      ),
    ).toEqual(['444', '0', '222'])
  })

  test('minstret_wr: the next instruction reads what was written', () => {
    expect(
      values(2, 'li t0, 1000\n csrw minstret, t0\n csrr a0, minstret\n nop\n csrr a1, minstret\n note a0\n note a1'),
    ).toEqual([1000n, 1002n])
  })

  test('mcountinhibit_op: an inhibited counter stands still', () => {
    const [a, b] = values(
      2,
      'csrwi mcountinhibit, 5\n csrr a0, minstret\n nop\n nop\n csrr a1, minstret\n note a0\n note a1',
    )
    expect(a).toBe(b)
  })
})

describe('counters for lower privilege', () => {
  /** Runs a statement in U-mode. */
  const inUser = (set: string, statement: string) => `
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    ${set}
    la t0, 1f
    csrw mepc, t0
    li t0, 0x1800
    csrc mstatus, t0
    mret
    1: ${statement}
  `
  test('mcounteren_clr_ill_inst_exc: time is illegal in U unless mcounteren and scounteren have TM', () => {
    expect(hex(values(2, inUser('csrwi mcounteren, 2', 'rdtime a0')))).toEqual(['2', 'c0102573'])
    expect(hex(values(2, inUser('csrwi mcounteren, 2\n csrwi scounteren, 2', 'rdtime a0\n ecall')))).toEqual(['8', '0'])
  })
})
