/** Interrupts: from one vCPU to another, from a device, from the timer. */
import { SBI_IPI, SBI_TIME } from '../../hw/spec/sbi.ts'
import { SEIE, SIE, SSIE, STIE } from './harness.ts'

/** Operations of virtual-ipi, one span. */
export const IPIS = 200
/** Operations of virtual-ipi-halted, a span each. */
export const HALTED_IPIS = 50
/** Long enough for a receiver to be asleep, however long its hypervisor polls for it first; in ticks. */
const SLEEPY = 7000
const SETTLING = 300
/** A sender looks so often whether its interrupt has been acknowledged, before it gives up. */
const POLLS = 50_000_000
const EXTERNALS = 100
const TIMERS = 50
const PERIOD = 1000
/** From one sample to the next the period grows by this, lest it stays in step with somebody's tick. */
const DRIFT = 37
const SSIP = 2
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

export const INTERRUPTS = `
# One vCPU interrupts another, that computes.
virtual_ipi:
    enter_benchmark
    la a0, receiver
    call start_second
    beqz a0, 1f
    la s2, acknowledged
    ld s3, other_hart
    sd zero, 0(s2)
    sd zero, late, t0
    li s4, 0
    timed ipi_loop, ${IPIS}
    ld t0, late
    bnez t0, 2f
    call stop_second
    li a0, ${IPIS}
    leave_benchmark
1:  absent why_second
    leave_benchmark
2:  call stop_second
    absent why_late
    leave_benchmark
ipi_loop:
    addi s4, s4, 1
    li a0, 1
    mv a1, s3
    sbi ${SBI_IPI}, 0
    li t1, ${POLLS}
2:  ld t0, 0(s2)
    beq t0, s4, 3f
    addi t1, t1, -1
    bnez t1, 2b
    li t1, 1
    sd t1, late, t0
    ret
3:  addi s0, s0, -1
    bnez s0, ipi_loop
    ret

receiver:
    la t0, ipi_handler
    csrw stvec, t0
    csrsi sie, ${SSIE}
    csrsi sstatus, ${SIE}
    la t1, second_stop
    li t0, 1
    sd t0, second_ready, t2
1:  ld t0, 0(t1)
    beqz t0, 1b
    j second_end
    .balign 4
ipi_handler:
    csrci sip, ${SSIP}
    la t5, acknowledged
    ld t6, 0(t5)
    addi t6, t6, 1
    sd t6, 0(t5)
    sret

# The same; the other sleeps.
virtual_ipi_halted:
    enter_benchmark
    la a0, sleeping_receiver
    call start_second
    beqz a0, 1f
    la s2, acknowledged
    ld s3, other_hart
    sd zero, 0(s2)
    sd zero, late, t0
    li s4, 0
    li s0, ${HALTED_IPIS}
4:  li a0, ${SLEEPY}
    call pause_ticks
    li a0, ${SETTLING}
    call spin_ticks
    mv s5, s0
    li s0, 1
    span_begin
    call ipi_loop
    span_end
    mv s0, s5
    ld t0, late
    bnez t0, 2f
    addi s0, s0, -1
    bnez s0, 4b
    call wake_and_stop
    li a0, ${HALTED_IPIS}
    leave_benchmark
1:  absent why_second
    leave_benchmark
2:  call wake_and_stop
    absent why_late
    leave_benchmark
sleeping_receiver:
    la t0, ipi_handler
    csrw stvec, t0
    csrsi sie, ${SSIE}
    csrsi sstatus, ${SIE}
    la t1, second_stop
    li t0, 1
    sd t0, second_ready, t2
1:  wfi
    ld t0, 0(t1)
    beqz t0, 1b
    j second_end
wake_and_stop:
    addi sp, sp, -16
    sd ra, 0(sp)
    li t0, 1
    sd t0, second_stop, t1
    li a0, 1
    ld a1, other_hart
    sbi ${SBI_IPI}, 0
    call stop_second
    ld ra, 0(sp)
    addi sp, sp, 16
    ret

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

# From a deadline to the handler, the guest asleep; alone, or with another on the hart.
timer_latency:
timer_latency_noisy:
    enter_benchmark
    la t0, timer_handler
    csrw stvec, t0
    li t0, ${STIE}
    csrs sie, t0
    li s6, ${PERIOD}
    mv s3, s10
    # two for warming up: a number that is nobody's
    li s10, 0
    li s0, 2
    call timer_samples
    mv s10, s3
    li s9, 0
    li s0, ${TIMERS}
    call timer_samples
    csrw sie, zero
    li a0, ${TIMERS}
    leave_benchmark
timer_samples:
    fence.i
    li s5, 0
    addi s6, s6, ${DRIFT}
    rdtime s8
    add s8, s8, s6
    mark.due s8
    mv a0, s8
    sbi ${SBI_TIME}, 0
1:  wfi
    csrsi sstatus, ${SIE}
    csrci sstatus, ${SIE}
    beqz s5, 1b
    addi s0, s0, -1
    bnez s0, timer_samples
    ret
    .balign 4
timer_handler:
    mark.finish s10
    rdtime t0
    sub t0, t0, s8
    add s9, s9, t0
    li s5, 1
    li a0, -1
    sbi ${SBI_TIME}, 0
    sret

    .data
    .balign 8
acknowledged: .dword 0
late: .dword 0
why_uart: .asciz "no UART with an interrupt through a PLIC"
    .text
`
