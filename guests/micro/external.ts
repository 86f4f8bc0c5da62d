/** Interrupts of devices, through the PLIC. */
import { SEIE, SIE } from './registers.ts'

const EXTERNALS = 100
/** 16550: registers and bits. */
const IER = 1
const LSR = 5
const TRANSMITTER_EMPTY = 2
const IDLE = 0x40
/** PLIC: where contexts' parts lie. */
const ENABLE = 0x2000
const ENABLE_STRIDE_SHIFT = 7
const CONTEXT = 0x20_0000
const CONTEXT_STRIDE_SHIFT = 12
export const CLAIM = 4

export const EXTERNAL = `
# Lets our context of the PLIC have source a0. 0 in a0 if there is no PLIC, or no context for us.
enable_source:
    ld t0, plic
    beqz t0, 1f
    ld t1, context
    bltz t1, 1f
    slli t2, a0, 2
    add t2, t2, t0
    li t3, 1
    sw t3, 0(t2)
    sll t3, t3, a0
    srli t2, a0, 5
    slli t2, t2, 2
    add t2, t2, t0
    li t4, ${ENABLE}
    add t2, t2, t4
    slli t4, t1, ${ENABLE_STRIDE_SHIFT}
    add t2, t2, t4
    sw t3, 0(t2)
    slli t1, t1, ${CONTEXT_STRIDE_SHIFT}
    add t1, t1, t0
    li t2, ${CONTEXT}
    add a0, t1, t2
    sw zero, 0(a0)
1:  ret

# A device's interrupt: the UART's, whose transmitter is empty. s4: whether the span begins with the device.
external_interrupt:
    enter_benchmark
    la t0, external_handler
    csrw stvec, t0
    li s4, 1
    j external_samples
interrupt_completion:
    enter_benchmark
    la t0, completion_handler
    csrw stvec, t0
    li s4, 0
external_samples:
    call uart_ready
    beqz a0, 9f
    mv s3, a0
    li t0, ${SEIE}
    csrs sie, t0
    csrsi sstatus, ${SIE}
    li s6, ${TRANSMITTER_EMPTY}
    # one for warming up: a number that is nobody's
    mv s1, s10
    li s10, 0
    li s5, 0
    rdtime s8
    sb s6, ${IER}(s2)
1:  bnez s5, 2f
    unless_late 8f
    j 1b
2:  mv s10, s1
    li s9, 0
    li s0, ${EXTERNALS}
3:  li s5, 0
    fence
    rdtime s8
    beqz s4, 4f
    mark.begin s10
4:  sb s6, ${IER}(s2)
5:  bnez s5, 6f
    unless_late 8f
    j 5b
6:  addi s0, s0, -1
    bnez s0, 3b
    csrci sstatus, ${SIE}
    csrw sie, zero
    li a0, ${EXTERNALS}
    leave_benchmark
8:  csrci sstatus, ${SIE}
    csrw sie, zero
    sb zero, ${IER}(s2)
    absent why_late
    leave_benchmark
9:  absent why_uart
    leave_benchmark

# s2: the UART, its line let through; a0: our context's registers, or 0.
uart_ready:
    ld a0, uart_source
    beqz a0, 1f
    ld s2, uart
2:  lbu t0, ${LSR}(s2)
    andi t0, t0, ${IDLE}
    beqz t0, 2b
    j enable_source
1:  ret

    .balign 4
external_handler:
    mark.finish s10
    rdtime t6
    sub t6, t6, s8
    add s9, s9, t6
    lw t5, ${CLAIM}(s3)
    sb zero, ${IER}(s2)
    sw t5, ${CLAIM}(s3)
    li s5, 1
    sret
    .balign 4
completion_handler:
    rdtime t5
    mark.begin s10
    lw a2, ${CLAIM}(s3)
    mark.finish s10
    rdtime t6
    sub t6, t6, t5
    add s9, s9, t6
    sb zero, ${IER}(s2)
    rdtime t5
    mark.begin s10
    sw a2, ${CLAIM}(s3)
    mark.finish s10
    rdtime t6
    sub t6, t6, t5
    add s9, s9, t6
    li s5, 1
    sret

    .data
why_uart: .asciz "no UART with an interrupt through a PLIC"
    .text
`
