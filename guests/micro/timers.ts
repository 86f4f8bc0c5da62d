/** The timer's interrupt. */
import { SBI_TIME } from '../../hw/spec/sbi.ts'
import { SIE, STIE } from './registers.ts'

const TIMERS = 50
const PERIOD = 1000
/** From one sample to the next the period grows by this, lest it stays in step with somebody's tick. */
const DRIFT = 37

export const TIMER = `
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
`
