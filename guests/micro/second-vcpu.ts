/** The second vCPU: started for a benchmark that needs it, stopped behind it. */
import { SBI_HSM } from '../../hw/spec/sbi.ts'
import { COUNTERS, SIE, STACK_BYTES } from './registers.ts'

/** HSM: status of a hart that has stopped. */
const STOPPED = 1

/** Text of `start_second` (a0: what it does), `stop_second`, and `second_end`, where it goes when `second_stop` is set. */
export const SECOND_VCPU = `
# Starts the second vCPU at a0, in our address space; returns 0 in a0 if there is none, or it does not come.
start_second:
    addi sp, sp, -16
    sd ra, 0(sp)
    mv a2, a0
    sd zero, second_stop, t0
    sd zero, second_ready, t0
    ld a0, other_hart
    li t0, -1
    beq a0, t0, 2f
    la a1, second_start
    sbi ${SBI_HSM}, 0
    bnez a0, 2f
    rdtime s8
1:  unless_late 2f
    ld t0, second_ready
    beqz t0, 1b
    li a0, 1
    j 3f
2:  li a0, 0
3:  ld ra, 0(sp)
    addi sp, sp, 16
    ret

second_start:
    la sp, second_stack_top
    la t0, unexpected
    csrw stvec, t0
    csrw sie, zero
    li t0, ${COUNTERS}
    csrw scounteren, t0
    sfence.vma
    ld t0, first_space
    csrw satp, t0
    sfence.vma
    jr a1

# What the second vCPU does when it is told to stop.
second_end:
    csrw sie, zero
    csrci sstatus, ${SIE}
    sbi ${SBI_HSM}, 1
1:  wfi
    j 1b

# Waits until the second vCPU has stopped.
stop_second:
    addi sp, sp, -16
    sd ra, 0(sp)
    li t0, 1
    sd t0, second_stop, t1
    rdtime s8
1:  unless_late 2f
    ld a0, other_hart
    sbi ${SBI_HSM}, 2
    li t0, ${STOPPED}
    bne a1, t0, 1b
2:  ld ra, 0(sp)
    addi sp, sp, 16
    ret

    .data
why_second: .asciz "no second vCPU"
    .balign 8
second_ready: .dword 0
second_stop: .dword 0
    .bss
    .balign 16
    .space ${STACK_BYTES}
second_stack_top:
    .text
`
