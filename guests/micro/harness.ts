/**
 * The frame around the benchmarks: coming up, translation on, running those that are selected, and saying how it went.
 *
 *   s7 longest wait (ticks) · s8 a span's beginning · s9 ticks so far · s10 number, for marks · s11 place in the table
 *
 * A benchmark has s0 to s6, and returns in a0 how many operations it has done, in s9 the ticks of all of them; or in a0
 * zero and in a1 why there is nothing to measure.
 */
import { SBI_HSM, SBI_LEGACY_SHUTDOWN, SBI_SRST, SBI_TIME } from '../../hw/spec/sbi.ts'
import { BENCHMARKS } from './benchmarks.ts'
import { ROLE } from './device-tree.ts'

/** sie.SSIE, STIE and SEIE; sstatus.SIE. */
export const SSIE = 1 << 1
export const STIE = 1 << 5
export const SEIE = 1 << 9
export const SIE = 1 << 1

const PATIENCE_TICKS = 2_000_000
const GIGAPAGES = 64
/** V R W X A D. */
const KERNEL_LEAF = 0xcf
const TABLE = 1
const STACK_BYTES = 2048
/** HSM: status of a hart that has stopped. */
const STOPPED = 1
const COUNTERS = 7

/** Virtual address of a window of 512 pages of 4 KiB, above the gigapages. */
export const WINDOW = GIGAPAGES * 2 ** 30

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

# Every gigapage that may hold RAM or devices as it is, and a window of 4 KiB pages; twice, for two address spaces.
make_tables:
    la t0, root
    la t1, second_root
    li t2, ${KERNEL_LEAF}
    li t3, ${GIGAPAGES}
    li t4, 1
    slli t4, t4, 28
1:  sd t2, 0(t0)
    sd t2, 0(t1)
    add t2, t2, t4
    addi t0, t0, 8
    addi t1, t1, 8
    addi t3, t3, -1
    bnez t3, 1b
    la t2, window_middle
    srli t2, t2, 2
    ori t2, t2, ${TABLE}
    sd t2, 0(t0)
    sd t2, 0(t1)
    la t0, window_middle
    la t2, window_leaves
    srli t2, t2, 2
    ori t2, t2, ${TABLE}
    sd t2, 0(t0)
    la t0, root
    srli t0, t0, 12
    li t1, 8
    slli t1, t1, 60
    or t0, t0, t1
    sd t0, first_space, t2
    la t0, second_root
    srli t0, t0, 12
    or t0, t0, t1
    sd t0, second_space, t2
    ret

paging_on:
    sfence.vma
    ld t0, first_space
    csrw satp, t0
    sfence.vma
    ret

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
text_begin: .asciz "micro begin "
text_micro_line: .asciz "micro "
text_space: .asciz " "
text_minus: .asciz "-"
text_absent: .asciz "absent "
text_done: .asciz "micro done"
text_trap: .asciz "micro trap "
why_neighbour: .asciz "no neighbour"
why_second: .asciz "no second vCPU"
why_late: .asciz "it does not come"
${NAMES}
    .balign 8
# name, code, whether it needs a neighbour
table:
${TABLE_OF_BENCHMARKS}
first_space: .dword 0
second_space: .dword 0
second_ready: .dword 0
second_stop: .dword 0
    .bss
    .balign 4096
root: .space 4096
second_root: .space 4096
window_middle: .space 4096
window_leaves: .space 4096
    .space ${STACK_BYTES}
stack_top:
    .space ${STACK_BYTES}
second_stack_top:
    .text
`
