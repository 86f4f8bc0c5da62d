/** Rules of timers, counters and waiting. */
import { enter, note, noteCsr, set, type Rule } from './harness.ts'

const [ILLEGAL, ECALL_U, ECALL_HS, ECALL_VS] = [2, 8, 9, 10]
const STCE = 1n << 63n
const NEVER = -1
const STIP = 0x20
const VSTIP = 0x40
const FAR = 1n << 60n
const toM = (cause: number, more: object = {}) => ({ to: 'M' as const, cause, ...more })
const toHs = (cause: number, more: object = {}) => ({ to: 'HS' as const, cause, ...more })
const toVs = (cause: number, more: object = {}) => ({ to: 'VS' as const, cause, ...more })
/** Notes the bits of a CSR that are in `mask`. */
const noteBits = (csr: string, mask: number): string => `\n  csrr t2, ${csr}\n  andi t2, t2, ${mask}\n${note('t2')}`
const store = (address: number, value: number): string => `\n  li t0, ${address}\n  li t1, ${value}\n  sw t1, 0(t0)\n`
const MSIP = 0x200_0000
const INTERRUPT = { interrupt: true }

export const TIMER_RULES: readonly Rule[] = [
  {
    rule: 'mip_stip_stimecmp_op',
    shows: 'with menvcfg.STCE, STIP is the comparison of time with stimecmp, and nothing else',
    program:
      set('menvcfg', STCE) +
      set('stimecmp', 0) +
      noteBits('mip', STIP) +
      'csrc mip, t2\n' +
      noteBits('mip', STIP) +
      set('stimecmp', NEVER) +
      noteBits('mip', STIP) +
      'li t0, 32\n  csrs mip, t0\n' +
      noteBits('mip', STIP),
    expect: [BigInt(STIP), BigInt(STIP), 0n, 0n],
  },
  {
    rule: 'mip_stip_no_stimecmp_op',
    shows: 'without STCE, STIP is what M-mode writes',
    program: set('stimecmp', 0) + noteBits('mip', STIP) + 'li t0, 32\n  csrs mip, t0\n' + noteBits('mip', STIP),
    expect: [0n, BigInt(STIP)],
  },
  {
    rule: 'mip_stip_stimecmp_clr',
    shows: 'a timer that is reached interrupts HS; writing stimecmp takes it back',
    program:
      set('menvcfg', STCE) +
      set('mideleg', STIP) +
      set('mie', STIP) +
      set('mstatus', 0xa0000_6022n) +
      enter('HS', 'rdtime t0\n  addi t0, t0, 20\n  csrw stimecmp, t0\n1: j 1b') +
      set('stimecmp', NEVER) +
      enter('HS', ''),
    expect: [toHs(5, INTERRUPT), toM(ECALL_HS)],
  },
  {
    rule: 'hip_vstip_op',
    shows: 'with henvcfg.STCE, VSTIP is the comparison of time + htimedelta with vstimecmp, or hvip’s',
    program:
      set('menvcfg', STCE) +
      set('henvcfg', STCE) +
      set('vstimecmp', FAR) +
      noteBits('hip', VSTIP) +
      set('htimedelta', FAR) +
      noteBits('hip', VSTIP) +
      set('htimedelta', 0) +
      noteBits('hip', VSTIP) +
      set('hvip', VSTIP) +
      noteBits('hip', VSTIP),
    expect: [0n, BigInt(VSTIP), 0n, BigInt(VSTIP)],
  },
  {
    rule: 'henvcfg_stce',
    shows: 'henvcfg.STCE is read-only zero while menvcfg.STCE is clear',
    program:
      set('henvcfg', STCE) + noteCsr('henvcfg') + set('menvcfg', STCE) + set('henvcfg', STCE) + noteCsr('henvcfg'),
    expect: [0n, STCE],
  },
  {
    rule: 'vstimecmp_acc',
    shows: 'stimecmp of VS is vstimecmp, and interrupts VS as its own timer',
    program:
      set('menvcfg', STCE) +
      set('henvcfg', STCE) +
      set('stimecmp', NEVER) +
      set('hideleg', VSTIP) +
      set('hie', VSTIP) +
      set('vsstatus', 0x6002) +
      enter('VS', 'rdtime t0\n  addi t0, t0, 20\n  csrw stimecmp, t0\n1: j 1b') +
      noteCsr('stimecmp'),
    expect: [toVs(5, INTERRUPT), 0xffff_ffff_ffff_ffffn],
  },
  {
    rule: 'htimedelta_op',
    shows: 'time as VS reads it is htimedelta later; as HS reads it, it is not',
    program:
      set('htimedelta', FAR) +
      enter('VS', 'rdtime t2') +
      'srli t2, t2, 60\n' +
      note('t2') +
      enter('HS', 'rdtime t2') +
      'srli t2, t2, 60\n' +
      note('t2'),
    expect: [toM(ECALL_VS), 1n, toM(ECALL_HS), 0n],
  },
  {
    rule: 'menvcfg_stce_op',
    shows: 'HS may not touch stimecmp while menvcfg.STCE or mcounteren.TM is clear',
    program:
      enter('HS', 'csrr t0, stimecmp') +
      set('menvcfg', STCE) +
      enter('HS', 'csrr t0, stimecmp') +
      set('mcounteren', 5) +
      enter('HS', 'csrr t0, stimecmp'),
    expect: [toM(ILLEGAL), toM(ECALL_HS), toM(ILLEGAL)],
  },
  {
    rule: 'mip_msip_op',
    shows: 'the CLINT’s MSIP interrupts U-mode though MIE is clear',
    program: set('mie', 8) + store(MSIP, 1) + enter('U', 'nop\n  nop\n  nop\n  nop') + store(MSIP, 0) + enter('U', ''),
    expect: [toM(3, INTERRUPT), toM(ECALL_U)],
  },
  {
    rule: 'mip_mtip_op',
    shows: 'the CLINT’s MTIP is the comparison of mtime with mtimecmp',
    program:
      `li t0, 0x2004000\n  sd zero, 0(t0)\n` +
      noteBits('mip', 0x80) +
      `li t0, 0x2004000\n  li t1, -1\n  sd t1, 0(t0)\n` +
      noteBits('mip', 0x80),
    expect: [0x80n, 0n],
  },
  {
    rule: 'wfi_intr_dis',
    shows: 'WFI ends when an interrupt is pending and enabled in mie, whatever SIE says',
    program:
      set('mideleg', 2) +
      set('mie', 2) +
      set('mip', 2) +
      enter('HS', 'wfi') +
      set('menvcfg', STCE) +
      set('mie', STIP) +
      set('mideleg', STIP) +
      enter('HS', 'rdtime t0\n  addi t0, t0, 50\n  csrw stimecmp, t0\n  wfi\n  rdtime t1\n  sltu t2, t1, t0') +
      note('t2'),
    expect: [toM(ECALL_HS), toM(ECALL_HS), 0n],
  },
  {
    rule: 'mcountinhibit_op',
    shows: 'an inhibited counter stands still, and goes on from there',
    program:
      set('mcountinhibit', 5) +
      set('minstret', 100) +
      'nop\n  nop\n' +
      noteCsr('minstret') +
      'csrwi mcountinhibit, 0\n  csrr t1, minstret\n  csrr t2, minstret\n  sub t2, t2, t1\n' +
      note('t2'),
    expect: [100n, 1n],
  },
  {
    rule: 'minstret_wr',
    shows: 'a write of minstret takes the place of its increment',
    program: 'li t0, 1000\n  csrw minstret, t0\n  csrr t1, minstret\n' + note('t1'),
    expect: [1000n],
  },
  {
    rule: 'ecall_no_minstret_inc',
    shows: 'an ecall does not retire',
    program:
      set('medeleg', 0x100) +
      set('mcounteren', 7) +
      'la t0, 1f\n  csrw stvec, t0\n  la t0, 2f\n  csrw mepc, t0\n  la s11, 3f\n  li t0, 0x1800\n  csrc mstatus, t0\n  mret\n' +
      '2: rdinstret t1\n  ecall\n  .balign 4\n1: rdinstret t2\n  sub t2, t2, t1\n  ecall\n  .balign 4\n3:\n' +
      note('t2'),
    expect: [toM(ECALL_HS), 1n],
  },
]
