/** The Advanced Interrupt Architecture's CSRs, from M-mode and from VS-mode. */
import { describe, expect, test } from 'vitest'
import { IMSIC, noted } from '../small-machine.ts'

const SELECT = { miselect: 0x350, siselect: 0x150, vsiselect: 0x250 }
const REGISTER = { mireg: 0x351, sireg: 0x151, vsireg: 0x251 }
const TOP = { mtopei: 0x35c, mtopi: 0xfb0, stopei: 0x15c, stopi: 0xdb0, vstopei: 0x25c, vstopi: 0xeb0 }
const HVICTL = 0x609
/** In place of a number of guest files: no AIA. */
const NONE = -1

const write = (csr: number, value: number) => `li t0, ${value}\n csrw ${csr}, t0`
const note = (csr: number) => `csrr a0, ${csr}\n note a0`
/** Delivery on, identities 1 to 63 enabled, in the file behind a window. */
const open = (select: number, register: number) => `
  ${write(select, 0x70)}
  ${write(register, 1)}
  ${write(select, 0xc0)}
  ${write(register, -1)}`
const send = (file: number, identity: number) => `
  li t0, ${IMSIC + file * 0x1000}
  li t1, ${identity}
  sw t1, 0(t0)`
const VGEIN = (file: number) => `
  li t0, ${63 << 12}
  csrc hstatus, t0
  li t0, ${file << 12}
  csrs hstatus, t0`

function values(count: number, statements: readonly string[], guestFiles = 2): readonly number[] {
  const source = `la t0, noting\n csrw mtvec, t0\n${statements.join('\n')}`
  return noted(source, count, guestFiles === NONE ? {} : { guestFiles }).map(Number)
}

/** Runs `guest` in VS-mode, interrupts on; what it traps with in VS-mode is noted, and the run ends. */
const inGuest = (guest: string) => `
  la t0, virtual_trap
  csrw vstvec, t0
  csrsi vsstatus, 2
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  li t0, 0x1800
  csrc mstatus, t0
  li t0, 1
  slli t0, t0, 39
  csrs mstatus, t0
  li t0, 0x800
  csrs mstatus, t0
  la t0, guest
  csrw mepc, t0
  mret
guest:
  ${guest}
  pass
  .balign 4
virtual_trap:
  csrr a0, scause
  note a0
  pass`

describe('AIA 2: windows', () => {
  test('without the extension none of its CSRs exists', () => {
    const [cause] = values(1, [note(TOP.stopi)], NONE)
    expect(cause).toBe(2)
  })

  test('an interrupt file through siselect and sireg; its signal is SEIP', () => {
    const [pending, top, sip, claimed, after] = values(5, [
      open(SELECT.siselect, REGISTER.sireg),
      send(0, 5),
      write(SELECT.siselect, 0x80),
      note(REGISTER.sireg),
      note(TOP.stopei),
      'csrr a0, mip\n note a0',
      `csrrw a0, ${TOP.stopei}, zero\n note a0`,
      'csrr a0, mip\n note a0',
    ])
    expect([pending, top, sip, claimed, after]).toEqual([32, 0x5_0005, 0x200, 0x5_0005, 0])
  })

  test('numbers that XLEN 64 lacks, and those of nobody, are illegal; priorities read as zero', () => {
    const traps = values(6, [
      write(SELECT.siselect, 0x81),
      note(REGISTER.sireg),
      write(SELECT.siselect, 0x100),
      note(REGISTER.sireg),
      write(SELECT.miselect, 0x30),
      note(REGISTER.mireg),
    ])
    // note: what is skipped by the trap leaves a0, which is noted too
    expect([traps[0], traps[3]]).toEqual([2, 2])
  })

  test('VGEIN takes no more than GEILEN; hgeie has bits for guest files only', () => {
    const [kept, enables] = values(2, [
      VGEIN(2),
      'li t0, 0x3f000\n csrs hstatus, t0\n csrr a0, hstatus\n note a0',
      'li t0, -1\n csrw hgeie, t0\n csrr a0, hgeie\n note a0',
    ])
    expect([(kept >> 12) & 63, enables]).toEqual([2, 6])
  })

  test('vstopei needs a guest file, and so does vsireg', () => {
    const traps = values(6, [note(TOP.vstopei), write(SELECT.vsiselect, 0x70), note(REGISTER.vsireg)])
    expect([traps[0], traps[3]]).toEqual([2, 2])
  })
})

describe('AIA 5 and 6: what is on top', () => {
  test('stopi is the external interrupt, then the software interrupt', () => {
    const [external, software] = values(2, [
      'li t0, 0x222\n csrw mideleg, t0\n csrw mie, t0',
      open(SELECT.siselect, REGISTER.sireg),
      'csrsi mip, 2',
      send(0, 9),
      note(TOP.stopi),
      `csrw ${TOP.stopei}, zero`,
      note(TOP.stopi),
    ])
    expect([external, software]).toEqual([0x9_0001, 0x1_0001])
  })

  test("a guest's file is a bit of hgeip, VSEIP if it is the current one, SGEIP if hgeie says so", () => {
    const [hgeip, mip, top, other] = values(4, [
      VGEIN(1),
      open(SELECT.vsiselect, REGISTER.vsireg),
      send(1, 7),
      'csrr a0, hgeip\n note a0',
      'li t0, 2\n csrw hgeie, t0\n csrr a0, mip\n note a0',
      'li t0, 0x444\n csrw hideleg, t0\n csrw mie, t0',
      note(TOP.vstopi),
      VGEIN(2),
      'csrr a0, mip\n note a0',
    ])
    expect([hgeip, mip, top, other]).toEqual([2, 0x1400, 0x9_0001, 0x1000])
  })

  test('vstopi weighs the external interrupt against what hvictl names', () => {
    const VTI = 2 ** 30
    const IPRIOM = 256
    const DPR = 512
    const [named, external, tied, none] = values(4, [
      VGEIN(1),
      'li t0, 0x444\n csrw hideleg, t0\n csrw mie, t0',
      open(SELECT.vsiselect, REGISTER.vsireg),
      send(1, 20),
      write(HVICTL, VTI + 13 * 65536 + IPRIOM + 19),
      note(TOP.vstopi),
      write(HVICTL, VTI + 13 * 65536 + IPRIOM + 21),
      note(TOP.vstopi),
      write(HVICTL, VTI + 13 * 65536 + IPRIOM + DPR + 20),
      note(TOP.vstopi),
      `csrw ${TOP.vstopei}, zero`,
      write(HVICTL, VTI + 9 * 65536),
      note(TOP.vstopi),
    ])
    expect([named, external, tied, none]).toEqual([13 * 65536 + 19, 9 * 65536 + 20, 9 * 65536 + 20, 0])
  })

  test('an interrupt that hvictl names is taken in VS-mode with its identity', () => {
    const [cause] = noted(
      `la t0, noting\n csrw mtvec, t0\n ${write(HVICTL, 2 ** 30 + 13 * 65536)}\n${inGuest('nop')}`,
      1,
      { guestFiles: 1 },
    )
    expect(cause).toBe((1n << 63n) | 13n)
  })

  test("a guest's message is taken in VS-mode as a supervisor external interrupt", () => {
    const [cause] = noted(
      `la t0, noting\n csrw mtvec, t0
  ${VGEIN(1)}
  li t0, 0x444
  csrw hideleg, t0
  csrw mie, t0
  ${open(SELECT.vsiselect, REGISTER.vsireg)}
  ${send(1, 3)}
  ${inGuest('nop')}`,
      1,
      { guestFiles: 1 },
    )
    expect(cause).toBe((1n << 63n) | 9n)
  })

  test.each([
    ['csrr a0, sip', 22n],
    ['csrw sie, zero', 22n],
    [`csrr a0, ${REGISTER.sireg}`, 22n],
    [`csrr a0, ${TOP.stopei}`, 22n],
    [`csrr a0, ${REGISTER.vsireg}`, 22n],
  ])('with hvictl.VTI and without a guest file, %s in VS-mode is a virtual instruction', (statement, cause) => {
    const source = `la t0, noting\n csrw mtvec, t0\n ${write(HVICTL, 2 ** 30 + 9 * 65536)}\n${inGuest(statement)}`
    expect(noted(source, 1, { guestFiles: 1 })[0]).toBe(cause)
  })
})
