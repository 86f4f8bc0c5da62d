/**
 * The frame around the benchmarks: coming up, translation on, running those that are selected, and saying how it went.
 *
 *   s7 longest wait (ticks) · s8 a span's beginning · s9 ticks so far · s10 number, for marks · s11 place in the table
 *
 * A benchmark has s0 to s6, and returns in a0 how many operations it has done, in s9 the ticks of all of them; or in a0
 * zero and in a1 why there is nothing to measure.
 */
import { SBI_LEGACY_SHUTDOWN, SBI_SRST, SBI_TIME } from '../../hw/spec/sbi.ts'
import { BENCHMARKS } from './benchmarks.ts'
import { ROLE } from './findings.ts'
import { COUNTERS, SIE, STACK_BYTES, STIE } from './registers.ts'

const PATIENCE_TICKS = 2_000_000

/** Macros of the benchmarks. \`span_begin\` and \`span_end\` enclose what is timed, with marks as close as can be. */
export const MACROS = `
    .macro span_begin
    fence
    rdtime s8
    mark.begin s10
    .endm
    .macro span_end
    mark.finish s10
    rdtime t0
    sub t0, t0, s8
    add s9, s9, t0
    .endm
    # Runs LOOP, which counts s0 down, for some warming up, then COUNT times as one span.
    .macro timed loop, count
    li s0, 8
    call \\loop
    li s0, \\count
    span_begin
    call \\loop
    span_end
    li a0, \\count
    .endm
    # There is nothing to measure: WHY is a label.
    .macro absent why
    li a0, 0
    la a1, \\why
    .endm
    .macro enter_benchmark
    addi sp, sp, -16
    sd ra, 0(sp)
    .endm
    .macro leave_benchmark
    ld ra, 0(sp)
    addi sp, sp, 16
    ret
    .endm
    # Goes to LABEL if more than the longest wait has gone by since the span began. Changes t0.
    .macro unless_late label
    rdtime t0
    sub t0, t0, s8
    bgeu t0, s7, \\label
    .endm
`

const NAMES = BENCHMARKS.map(({ name, label }) => `name_of_${label}: .asciz "${name}"`).join('\n')
const TABLE_OF_BENCHMARKS = BENCHMARKS.map(
  ({ label, neighbour }) => `    .word name_of_${label} - table, ${label} - table, ${neighbour ? 1 : 0}, 0`,
).join('\n')

/** Text with the label \`start\`. */
export const HARNESS = `
start:
    la sp, stack_top
    sd a0, boot_hart, t0
    sd a1, tree, t0
    la t0, unexpected
    csrw stvec, t0
    csrw sie, zero
    csrci sstatus, ${SIE}
    li t0, ${COUNTERS}
    csrw scounteren, t0
    call scan_tree
    call make_tables
    call paging_on
    call probe_console
    ld t0, role
    li t1, ${ROLE.noise}
    bne t0, t1, 1f
    j noise
1:  li t1, ${ROLE.waker}
    bne t0, t1, 2f
    j waker
2:  la a0, text_begin
    call put_text
    ld a0, harts
    call put_number
    call put_line
    li s7, ${PATIENCE_TICKS}
    li s11, 0
each:
    ld t0, selected
    srl t0, t0, s11
    andi t0, t0, 1
    beqz t0, each_next
    la t0, unexpected
    csrw stvec, t0
    csrw sie, zero
    csrci sstatus, ${SIE}
    addi s10, s11, 1
    li s9, 0
    la t0, table
    slli t1, s11, 4
    add t0, t0, t1
    # those that need a neighbour do so only where one was promised
    lw t1, 8(t0)
    beqz t1, 1f
    ld t1, has_neighbour
    bnez t1, 1f
    absent why_neighbour
    j 2f
1:  lw t1, 4(t0)
    la t0, table
    add t0, t0, t1
    jalr ra, 0(t0)
2:  mv s0, a0
    mv s1, a1
    la a0, text_micro_line
    call put_text
    la t0, table
    slli t1, s11, 4
    add t1, t1, t0
    lw t1, 0(t1)
    add a0, t0, t1
    call put_text
    la a0, text_space
    call put_text
    beqz s0, 3f
    mv a0, s0
    call put_number
    la a0, text_space
    call put_text
    # what harts see of each other may be late: less than nothing is possible
    bgez s9, 5f
    la a0, text_minus
    call put_text
    neg s9, s9
5:  mv a0, s9
    call put_number
    j 4f
3:  la a0, text_absent
    call put_text
    mv a0, s1
    call put_text
4:  call put_line
each_next:
    addi s11, s11, 1
    li t0, ${BENCHMARKS.length}
    bltu s11, t0, each
    la a0, text_done
    call put_text
    call put_line
end:
    li a0, 0
    li a1, 0
    sbi ${SBI_SRST}, 0
    sbi ${SBI_LEGACY_SHUTDOWN}, 0
1:  wfi
    j 1b

# A trap that nobody has asked for.
    .balign 4
unexpected:
    la sp, stack_top
    la a0, text_trap
    call put_text
    csrr a0, scause
    call put_hex
    la a0, text_space
    call put_text
    csrr a0, sepc
    call put_hex
    la a0, text_space
    call put_text
    csrr a0, stval
    call put_hex
    call put_line
    j end

# Sleeps for a0 ticks.
pause_ticks:
    addi sp, sp, -16
    sd ra, 0(sp)
    sd s0, 8(sp)
    rdtime s0
    add s0, s0, a0
    mv a0, s0
    sbi ${SBI_TIME}, 0
    li t0, ${STIE}
    csrs sie, t0
1:  wfi
    rdtime t0
    bltu t0, s0, 1b
    li t0, ${STIE}
    csrc sie, t0
    li a0, -1
    sbi ${SBI_TIME}, 0
    ld ra, 0(sp)
    ld s0, 8(sp)
    addi sp, sp, 16
    ret

# Computes for a0 ticks.
spin_ticks:
    rdtime t0
    add a0, a0, t0
1:  rdtime t0
    bltu t0, a0, 1b
    ret

    .data
text_begin: .asciz "micro begin "
text_micro_line: .asciz "micro "
text_space: .asciz " "
text_minus: .asciz "-"
text_absent: .asciz "absent "
text_done: .asciz "micro done"
text_trap: .asciz "micro trap "
why_neighbour: .asciz "no neighbour"
why_late: .asciz "it does not come"
${NAMES}
    .balign 8
# name, code, whether it needs a neighbour
table:
${TABLE_OF_BENCHMARKS}
    .bss
    .balign 16
    .space ${STACK_BYTES}
stack_top:
    .text
`
