/**
 * The world switch, in assembly. `sscratch` holds the frame of the vCPU that runs on the hart. Lines that repeat are
 * generated from the frame's layout, so that offsets are declared once.
 *
 *   guest ──trap──▶ from_guest: save x1..x31, sepc, sstatus, hstatus ──▶ entry `exit`
 *   entry … jump(to_guest), a0 = frame ──▶ restore them ──▶ sret ──▶ guest
 *   load_context / save_context: a0 = frame, jump to the address in a1 afterwards
 */
import { frame } from './frame.ts'

export const A0 = 10
export const GENERAL = Array.from({ length: 31 }, (_, index) => index + 1).filter(register => register !== A0)
export const FLOATS = Array.from({ length: 32 }, (_, index) => index)

/** VS-mode's CSRs, and what else a guest's instructions reach of the hart. */
export const GUEST_CSRS = [
  'vsstatus',
  'vsie',
  'vstvec',
  'vsscratch',
  'vsepc',
  'vscause',
  'vstval',
  'vsatp',
  'vstimecmp',
  'hvip',
  'hgatp',
  'htimedelta',
] as const
/** CSRs of the hart that VU-mode is governed by, which the VMM itself has no use for. */
export const USER_CSRS = ['scounteren', 'senvcfg'] as const
/** What more there is of a guest's on machines with interrupt files. */
const FILE_CSRS = ['vsiselect'] as const

/**
 * sstatus.FS as a mask: dirty when both bits are set, clean without the lower. It is the VMM's own field that tells whether
 * floating-point registers have to be saved, not vsstatus's: a guest that has saved them for itself makes that one clean, and
 * still counts on what they hold (vsstatus_fs_op).
 */
export const FS = 0x6000
const FS_DIRTY_BIT = 0x2000

/**
 * Assembly text with the labels from_guest, to_guest, save_context, load_context, and the door `exit`. `prefix` begins
 * all of them, where another world switch is in the same image. `files`: the machine has guest interrupt files.
 */
export function worldSwitch(prefix = '', files = false): string {
  // CSRs that belong to the vCPU on the hart; they change hands when it does.
  const context = [...GUEST_CSRS, ...USER_CSRS, ...(files ? FILE_CSRS : [])]
  const lines = (rows: readonly string[]) => rows.join('\n')
  return `
    .align 2
${prefix}from_guest:
    csrrw a0, sscratch, a0
${lines(GENERAL.map(register => `    sd x${register}, ${frame.x.at + register * 8}(a0)`))}
    csrrw t0, sscratch, a0
    sd t0, ${frame.x.at + A0 * 8}(a0)
${lines((['sepc', 'sstatus', 'hstatus'] as const).map(csr => `    csrr t0, ${csr}\n    sd t0, ${frame[csr].at}(a0)`))}
${prefix}exit:
    enter ${prefix}exit

${prefix}to_guest:
    csrw sscratch, a0
${lines((['sepc', 'sstatus', 'hstatus'] as const).map(csr => `    ld t0, ${frame[csr].at}(a0)\n    csrw ${csr}, t0`))}
${lines(GENERAL.map(register => `    ld x${register}, ${frame.x.at + register * 8}(a0)`))}
    ld a0, ${frame.x.at + A0 * 8}(a0)
    sret

${prefix}save_context:
${lines(context.map(csr => `    csrr t0, ${csr}\n    sd t0, ${frame[csr].at}(a0)`))}
    ld t0, ${frame.sstatus.at}(a0)
    li t1, ${FS}
    and t2, t0, t1
    bne t2, t1, 1f
    csrs sstatus, t1
${lines(FLOATS.map(register => `    fsd f${register}, ${frame.f.at + register * 8}(a0)`))}
    csrr t2, fcsr
    sd t2, ${frame.fcsr.at}(a0)
    li t1, ${FS_DIRTY_BIT}
    xor t0, t0, t1
    sd t0, ${frame.sstatus.at}(a0)
1:  jr a1

${prefix}load_context:
${lines(context.map(csr => `    ld t0, ${frame[csr].at}(a0)\n    csrw ${csr}, t0`))}
    li t1, ${FS}
    csrs sstatus, t1
${lines(FLOATS.map(register => `    fld f${register}, ${frame.f.at + register * 8}(a0)`))}
    ld t0, ${frame.fcsr.at}(a0)
    csrw fcsr, t0
    jr a1
`
}
