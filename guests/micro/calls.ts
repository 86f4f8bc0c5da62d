/** Within one vCPU: the hypercall, and what a guest's own kernel does. */
import { SBI_BASE } from '../../hw/spec/sbi.ts'
import { WINDOW } from './address-space.ts'

const HYPERCALLS = 500
const SYSCALLS = 500
const FAULTS = 256
const WARMING = 16
const SWITCHES = 500
/** The last page of the window: code of user mode. */
const USER_PAGE = 511
/** V R X U A, and V R W A D. */
const USER_CODE_LEAF = 0x5b
const DATA_LEAF = 0xc7
const SPP = 0x100
/** Registers that a system call may change: saved by the handler. */
const SAVED = ['ra', 't0', 't1', 't2', 't3', 't4', 't5', 't6', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'] as const
/** Registers that a thread keeps across a switch. */
const KEPT = ['ra', 'sp', 's0', 's1', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11'] as const
const SPACE_AT = KEPT.length * 8
const CONTEXT_BYTES = SPACE_AT + 8

const each = (registers: readonly string[], operation: 'sd' | 'ld', base: string) =>
  registers.map((register, index) => `    ${operation} ${register}, ${index * 8}(${base})`).join('\n')

export const CALLS = `
null_hypercall:
    enter_benchmark
    timed hypercall_loop, ${HYPERCALLS}
    leave_benchmark
hypercall_loop:
    sbi ${SBI_BASE}, 0
    addi s0, s0, -1
    bnez s0, hypercall_loop
    ret

# From U to S and back.
syscall:
    enter_benchmark
    la t0, user_code
    srli t0, t0, 2
    ori t0, t0, ${USER_CODE_LEAF}
    la t1, window_leaves
    li t2, ${USER_PAGE * 8}
    add t1, t1, t2
    sd t0, 0(t1)
    sfence.vma
    la t0, syscall_handler
    csrw stvec, t0
    li s0, 8
    call to_user
    li s0, ${SYSCALLS}
    span_begin
    call to_user
    span_end
    li a0, ${SYSCALLS}
    leave_benchmark
to_user:
    sd ra, user_return, t0
    csrw sscratch, sp
    li t0, ${SPP}
    csrc sstatus, t0
    li t0, ${WINDOW + USER_PAGE * 4096}
    csrw sepc, t0
    sret
    .balign 4
syscall_handler:
    csrrw sp, sscratch, sp
    addi sp, sp, -${SAVED.length * 8}
${each(SAVED, 'sd', 'sp')}
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    beqz s0, 1f
${each(SAVED, 'ld', 'sp')}
    addi sp, sp, ${SAVED.length * 8}
    csrrw sp, sscratch, sp
    sret
1:  # the last one does not go back
    addi sp, sp, ${SAVED.length * 8}
    ld ra, user_return
    ret

# The guest's own page fault.
page_fault:
    enter_benchmark
    la t0, fault_handler
    csrw stvec, t0
    la s2, window_leaves
    la s3, fault_page
    srli s3, s3, 2
    ori s3, s3, ${DATA_LEAF}
    li s4, ${WINDOW}
    li s0, ${WARMING}
    mv s1, s4
    call touch_loop
    li s0, ${FAULTS}
    span_begin
    call touch_loop
    span_end
    # as it was
    li s0, ${(WARMING + FAULTS) * 8}
    add s0, s0, s2
1:  addi s0, s0, -8
    sd zero, 0(s0)
    bgtu s0, s2, 1b
    sfence.vma
    li a0, ${FAULTS}
    leave_benchmark
touch_loop:
    li t1, 4096
1:  ld t0, 0(s1)
    add s1, s1, t1
    addi s0, s0, -1
    bnez s0, 1b
    ret
    .balign 4
fault_handler:
    csrr t3, stval
    sub t4, t3, s4
    srli t4, t4, 12
    slli t4, t4, 3
    add t4, t4, s2
    sd s3, 0(t4)
    sfence.vma t3
    sret

# Two threads of a kernel, each in an address space of its own.
context_switch:
    enter_benchmark
    # whether there are ASIDs
    ld t0, first_space
    li t1, 1
    slli t1, t1, 44
    or t1, t1, t0
    csrw satp, t1
    csrr t2, satp
    csrw satp, t0
    xor t2, t2, t0
    sd t2, has_asids, t3
    or t0, t0, t2
    la s1, first_thread
    sd t0, ${SPACE_AT}(s1)
    ld t0, second_space
    slli t2, t2, 1
    or t0, t0, t2
    la s2, second_thread
    sd t0, ${SPACE_AT}(s2)
    la t0, other_thread
    sd t0, 0(s2)
    la t0, second_stack_top
    sd t0, 8(s2)
    timed switch_loop, ${SWITCHES}
    li a0, ${SWITCHES * 2}
    ld t0, first_space
    csrw satp, t0
    sfence.vma
    leave_benchmark
switch_loop:
    addi sp, sp, -16
    sd ra, 0(sp)
1:  mv a0, s1
    mv a1, s2
    call switch_thread
    addi s0, s0, -1
    bnez s0, 1b
    ld ra, 0(sp)
    addi sp, sp, 16
    ret
other_thread:
    la s1, second_thread
    la s2, first_thread
1:  mv a0, s1
    mv a1, s2
    call switch_thread
    j 1b
# From the thread at a0 to the one at a1.
switch_thread:
${each(KEPT, 'sd', 'a0')}
${each(KEPT, 'ld', 'a1')}
    ld t0, ${SPACE_AT}(a1)
    csrw satp, t0
    ld t0, has_asids
    bnez t0, 1f
    sfence.vma
1:  ret

    .data
    .balign 8
user_return: .dword 0
has_asids: .dword 0
first_thread: .space ${CONTEXT_BYTES}
second_thread: .space ${CONTEXT_BYTES}
    .text
    .balign 4096
user_code:
1:  addi s0, s0, -1
    ecall
    j 1b
    .balign 4096
    .bss
    .balign 4096
fault_page: .space 4096
    .text
`
