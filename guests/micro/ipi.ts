/** Interrupts from one vCPU to another. */
import { SBI_IPI } from '../../hw/spec/sbi.ts'
import { SIE, SSIE } from './registers.ts'

/** Operations of virtual-ipi, one span. */
export const IPIS = 200
/** Operations of virtual-ipi-halted, a span each. */
export const HALTED_IPIS = 50
/** Long enough for a receiver to be asleep, however long its hypervisor polls for it first; in ticks. */
const SLEEPY = 7000
const SETTLING = 300
/** A sender looks so often whether its interrupt has been acknowledged, before it gives up. */
const POLLS = 50_000_000
const SSIP = 2

export const IPI = `
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

    .data
    .balign 8
acknowledged: .dword 0
late: .dword 0
    .text
`
