/** The second stage: pages that the guest has never touched. */
const MEBIBYTE = 2 ** 20
const PAGE = 2 * MEBIBYTE
/** Above the image, where loaders and hypervisors have put nothing. */
const CLEARANCE = 8 * MEBIBYTE
const MOST = 24
const LEAST = 4

export const MEMORY = `
stage2_fault:
    enter_benchmark
    la s1, image_start
    li t0, ${CLEARANCE + PAGE - 1}
    add s1, s1, t0
    li s2, ${PAGE}
    neg t0, s2
    and s1, s1, t0
    # up to the end of RAM, or the device tree if that lies above us
    ld t1, memory_end
    ld t2, tree
    and t2, t2, t0
    bltu t2, s1, 1f
    bgeu t2, t1, 1f
    mv t1, t2
1:  bgeu s1, t1, 2f
    sub s0, t1, s1
    srli s0, s0, 21
    addi s0, s0, -1
    li t0, ${MOST}
    bleu s0, t0, 3f
    mv s0, t0
3:  li t0, ${LEAST}
    bltu s0, t0, 2f
    mv s3, s0
    # one for warming up
    sd zero, 0(s1)
    add s1, s1, s2
    span_begin
1:  sd zero, 0(s1)
    add s1, s1, s2
    addi s0, s0, -1
    bnez s0, 1b
    span_end
    mv a0, s3
    leave_benchmark
2:  absent why_little
    leave_benchmark
    .data
why_little: .asciz "too little RAM above the image"
    .text
`
