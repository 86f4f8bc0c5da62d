/**
 * The image of a scripted guest: a kernel's skeleton in assembly, with its doors. Work is done with interrupts off;
 * a hart with nothing to do waits in `wfi`, and takes the interrupt behind it, as Linux's idle loop does. The handler
 * saves what a compiled one would.
 *
 *   boot ─▶ read … ─▶ (files … ─▶) work ─▶ begin (mark) ─▶ work ⇄ idle (interrupt) … ─▶ finish (mark) ─▶ shutdown
 */
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { PORT_STUBS } from '../../hw/spec/port-stubs.ts'
import { SBI_SRST } from '../../hw/spec/sbi.ts'
import { guestImage } from '../image.ts'

/** Bytes for each driver's own structures; a device has two drivers, of which one is used. */
export const DRIVER_BYTES = 0x1_0000

/** ra, t0 to t6, a0 to a7. */
const CALLER_SAVED = [1, 5, 6, 7, 28, 29, 30, 31, 10, 11, 12, 13, 14, 15, 16, 17]
const FRAME_BYTES = CALLER_SAVED.length * 8
const each = (instruction: string): string =>
  CALLER_SAVED.map((register, index) => `    ${instruction} x${register}, ${index * 8}(sp)`).join('\n')
/** sstatus.SIE. */
const SIE = 2

/** Assembles it, with room for so many bytes of data (label `data`, on a page's boundary) and the drivers of its devices. */
export function scriptedImage(dataBytes: number, devices = 1): Program {
  return guestImage(`
start:                      # a0 = hart, a1 = device tree
    csrw sie, zero
    csrci sstatus, ${SIE}
    la t0, trap
    csrw stvec, t0
    la sp, stack_top
boot:
    enter boot
read:
    enter read
idle:
    wfi
    csrsi sstatus, ${SIE}
    csrci sstatus, ${SIE}
work:
    enter work
begin:
    mark.start
    j work
finish:
    mark.end
    shutdown
failed:
    li a0, 0
    li a1, 1
    sbi ${SBI_SRST}, 0

    .balign 4
trap:
    addi sp, sp, -${FRAME_BYTES}
${each('sd')}
    csrr t0, scause
    bgez t0, failed         # an exception: nothing here expects one
    enter interrupt
back:
${each('ld')}
    addi sp, sp, ${FRAME_BYTES}
    sret
${PORT_STUBS}
    .balign 4
files:
    enter files
    .balign 4
trap_message:               # where interrupts are messages
    addi sp, sp, -${FRAME_BYTES}
${each('sd')}
    csrr t0, scause
    bgez t0, failed
    enter message
    .bss
    .balign 4096
drivers:
    .space ${devices * 2 * DRIVER_BYTES}
data:
    .space ${dataBytes}
    .space 4096
stack_top:
`)
}
