/** Two guests on one hart: one that measures what is missing of its time, and what its neighbours do. */
import { SBI_TIME } from '../../hw/spec/sbi.ts'
import { STIE } from './registers.ts'

const GAPS = 50
/** What counts as a gap at first, in ticks; the first gaps say what does then. */
const GAP = 12
const WARMING = 16
/** Ticks between two wakings of the waker, and their drift. */
const PERIOD = 1000
const DRIFT = 37
const LONGEST = 2000
/** What the noisy neighbour walks over, a line at a time. */
const NOISE_BYTES = 256 * 1024
const LINE = 64

export const SHARING = `
# Computes, and looks how long others had the hart.
vm_switch:
    enter_benchmark
    li s1, ${GAP}
    li s0, ${WARMING}
    mv s3, s10
    li s10, 0
    call gap_loop
    # less than half of what they take is no switch but a hypervisor's tick
    li t0, ${WARMING * 2}
    divu t0, s9, t0
    bleu t0, s1, 1f
    mv s1, t0
1:  mv s10, s3
    li s9, 0
    li s0, ${GAPS}
    call gap_loop
    li a0, ${GAPS * 2}
    leave_benchmark
gap_loop:
    rdtime s8
1:  rdtime t0
    sub t1, t0, s8
    mv s8, t0
    bltu t1, s1, 1b
    mark.finish s10
    add s9, s9, t1
    addi s0, s0, -1
    bnez s0, 1b
    ret

# The neighbour that wakes up now and then, only to sleep again.
waker:
    li t0, ${STIE}
    csrw sie, t0
    li s1, ${PERIOD}
    li s2, ${LONGEST}
    ld s3, has_sstc
1:  addi s1, s1, ${DRIFT}
    bltu s1, s2, 2f
    li s1, ${PERIOD}
2:  rdtime s0
    add s0, s0, s1
    mark.due s0
    bnez s3, 3f
    mv a0, s0
    sbi ${SBI_TIME}, 0
    j 4f
3:  csrw stimecmp, s0
4:  wfi
    rdtime t0
    bltu t0, s0, 4b
    j 1b

# The neighbour that computes, over more memory than a first-level cache holds.
noise:
    la s0, noise_bytes
    li s1, ${NOISE_BYTES}
    add s1, s1, s0
1:  mv t0, s0
2:  ld t1, 0(t0)
    addi t1, t1, 1
    sd t1, 0(t0)
    addi t0, t0, ${LINE}
    bltu t0, s1, 2b
    j 1b

    .bss
    .balign 4096
noise_bytes: .space ${NOISE_BYTES}
    .text
`
