/**
 * The hypervisor module's world switch, in assembly. To the kernel's C, so to say, entering a guest is a function call
 * that returns when the guest has trapped: what a function has to preserve is kept in the vCPU's frame, with the CSRs
 * that the guest has instead of the kernel meanwhile.
 *
 *   enter_guest: a0 = frame ──▶ sret ──▶ guest ──trap──▶ from_guest ──▶ interrupts that wait are taken ──▶ entry `exit`
 *   load_context / save_context: a0 = frame, a1 = where to go on, a2 = the thread's frame: the vCPU's CSRs and
 *   floating-point registers come to the hart instead of the thread's, and leave it again
 */
import { frame } from '../core/frame.ts'
import { A0, FLOATS, FS, GENERAL, GUEST_CSRS, USER_CSRS } from '../core/world-switch.ts'
import { hostContext, MODE_WATCHING, taskFrame, vcpuControl } from './layout.ts'

/** What a function preserves, and its arguments: ra, sp, gp, tp, s0 to s11, a1 to a7. */
const PRESERVED = [1, 2, 3, 4, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]
/** CSRs that have one value in the kernel and another in the guest. */
const SWAPPED = ['sstatus', 'hstatus', ...USER_CSRS] as const
/** sstatus.FS: clean. */
const CLEAN = 0x4000
const SIE = 2

const lines = (rows: readonly string[]) => rows.join('\n')
const hostSlot = (index: number) => hostContext.x.at + index * 8

/** Assembly text with the labels enter_guest, from_guest, save_context, load_context and the door `exit`. */
export function guestSwitch(): string {
  return `
enter_guest:
${lines(PRESERVED.map((register, index) => `    sd x${register}, ${hostSlot(index)}(a0)`))}
${lines(SWAPPED.map(csr => `    ld t0, ${frame[csr].at}(a0)\n    csrrw t0, ${csr}, t0\n    sd t0, ${hostContext[csr].at}(a0)`))}
    csrrw t0, sscratch, a0
    sd t0, ${hostContext.sscratch.at}(a0)
    la t1, from_guest
    csrrw t0, stvec, t1
    sd t0, ${hostContext.stvec.at}(a0)
    ld t0, ${frame.sepc.at}(a0)
    csrw sepc, t0
${lines(GENERAL.map(register => `    ld x${register}, ${frame.x.at + register * 8}(a0)`))}
    ld a0, ${frame.x.at + A0 * 8}(a0)
    sret

    .align 2
from_guest:
    csrrw a0, sscratch, a0
${lines(GENERAL.map(register => `    sd x${register}, ${frame.x.at + register * 8}(a0)`))}
    ld t1, ${hostContext.stvec.at}(a0)
    csrw stvec, t1
    ld t1, ${hostContext.sscratch.at}(a0)
    csrrw t0, sscratch, t1
    sd t0, ${frame.x.at + A0 * 8}(a0)
    csrr t0, sepc
    sd t0, ${frame.sepc.at}(a0)
${lines(SWAPPED.map(csr => `    ld t1, ${hostContext[csr].at}(a0)\n    csrrw t0, ${csr}, t1\n    sd t0, ${frame[csr].at}(a0)`))}
${lines(PRESERVED.map((register, index) => `    ld x${register}, ${hostSlot(index)}(a0)`))}
exit:
    enter exit
watch_vcpu:                 # a0 = frame, a1 = until when: an interrupt for the guest or for the host, or somebody has changed the mode
    li t0, ${MODE_WATCHING}
1:  lw t1, ${vcpuControl.mode.at}(a0)
    bne t1, t0, window
    csrr t1, hip
    csrr t2, hie
    and t1, t1, t2
    bnez t1, window
    csrr t1, sip
    csrr t2, sie
    and t1, t1, t2
    bnez t1, window
    csrr t1, time
    bltu t1, a1, 1b
window:
    # What has ended the guest's turn, or come meanwhile, is taken here, as a trap from the kernel.
    csrsi sstatus, ${SIE}
    csrci sstatus, ${SIE}
exited:
    enter exited

save_context:
${lines(GUEST_CSRS.map(csr => `    csrr t0, ${csr}\n    sd t0, ${frame[csr].at}(a0)`))}
    li t1, ${FS}
    csrs sstatus, t1
    ld t0, ${frame.sstatus.at}(a0)
    and t2, t0, t1
    bne t2, t1, 1f
${lines(FLOATS.map(register => `    fsd f${register}, ${frame.f.at + register * 8}(a0)`))}
    csrr t0, fcsr
    sd t0, ${frame.fcsr.at}(a0)
1:
${lines(FLOATS.map(register => `    fld f${register}, ${taskFrame.f.at + register * 8}(a2)`))}
    ld t0, ${taskFrame.fcsr.at}(a2)
    csrw fcsr, t0
    csrc sstatus, t1
    jr a1

load_context:
${lines(GUEST_CSRS.map(csr => `    ld t0, ${frame[csr].at}(a0)\n    csrw ${csr}, t0`))}
    li t1, ${FS}
    csrs sstatus, t1
${lines(FLOATS.map(register => `    fsd f${register}, ${taskFrame.f.at + register * 8}(a2)`))}
    csrr t0, fcsr
    sd t0, ${taskFrame.fcsr.at}(a2)
${lines(FLOATS.map(register => `    fld f${register}, ${frame.f.at + register * 8}(a0)`))}
    ld t0, ${frame.fcsr.at}(a0)
    csrw fcsr, t0
    csrc sstatus, t1
    # From here on they are as in the frame, until the guest changes them.
    ld t0, ${frame.sstatus.at}(a0)
    or t0, t0, t1
    li t1, ${FS & ~CLEAN}
    xor t0, t0, t1
    sd t0, ${frame.sstatus.at}(a0)
    jr a1
`
}
