/**
 * A mini kernel: two user processes in address spaces of their own take turns by a system call, and each touches new
 * pages, which the kernel gives it on the page fault. System calls, page faults, context switches.
 */
import { guestImage } from '../image.ts'
import type { Workload } from '../workload.ts'

const SWITCHES = 1000
/** One page fault in so many turns. */
const FAULT_EVERY = 4
/** User space: code at 0x1000_0000 (the image's page), data from 0x2000_0000. */
const USER_CODE = 0x1000_0000
const USER_DATA = 0x2000_0000
const POOL = 0x8060_0000
const USER_ECALL = 8
/** sstatus.SPP, SUM. */
const SPP = 0x100

/** A process: 0 pc, 8 satp, 16.. x1 to x31 (at 8 + 8 × register). */
const PROCESS_BYTES = 512

const registers = Array.from({ length: 31 }, (_, index) => index + 1)
const save = registers
  .filter(register => register !== 31)
  .map(register => `    sd x${register}, ${8 + 8 * register}(x31)`)
  .join('\n')
const load = registers
  .filter(register => register !== 31)
  .map(register => `    ld x${register}, ${8 + 8 * register}(x31)`)
  .join('\n')

const SOURCE = `
    .equ SCAUSE_STORE, 15
start:
    la sp, stack_top
    # both processes share a middle table for the kernel's RAM
    la t1, ram_table
    li t2, 0x80000000 >> 2 | 0xcf
    li t3, 64
    li t4, 0x80000
1:  sd t2, 0(t1)
    add t2, t2, t4
    addi t1, t1, 8
    addi t3, t3, -1
    bnez t3, 1b
    la a0, process0
    la a1, root0
    la a2, low0
    la a3, code0
    la a4, data0
    li a5, 1
    call make
    la a0, process1
    la a1, root1
    la a2, low1
    la a3, code1
    la a4, data1
    li a5, 2
    call make
    la t0, trap
    csrw stvec, t0
    li t0, ${SPP}
    csrc sstatus, t0
    li s0, ${SWITCHES}
    li s1, ${POOL}
    la s2, process0
    la s3, process1
    la x31, kernel_state
    sd s0, 0(x31)
    sd s1, 8(x31)
    sd s3, 16(x31)
    mv x31, s2
    csrw sscratch, x31
    ld t0, 8(x31)
    csrw satp, t0
    sfence.vma
    mark.start
    j resume

# a0 process, a1 root, a2 middle of the low gigabyte, a3 leaves of the code, a4 leaves of the data, a5 ASID
make:
    srli t0, a2, 2
    ori t0, t0, 1
    sd t0, 0(a1)
    la t0, ram_table
    srli t0, t0, 2
    ori t0, t0, 1
    sd t0, 16(a1)
    srli t0, a3, 2
    ori t0, t0, 1
    sd t0, ${(USER_CODE >>> 21) * 8}(a2)
    li t1, ${(USER_DATA >>> 21) * 8}
    add t1, t1, a2
    srli t0, a4, 2
    ori t0, t0, 1
    sd t0, 0(t1)
    la t0, user
    srli t0, t0, 12
    slli t0, t0, 10
    ori t0, t0, 0xdb
    sd t0, 0(a3)
    srli t0, a1, 12
    slli a5, a5, 44
    or t0, t0, a5
    li t1, 8
    slli t1, t1, 60
    or t0, t0, t1
    sd t0, 8(a0)
    la t0, user
    slli t0, t0, 52
    srli t0, t0, 52
    li t1, ${USER_CODE}
    add t0, t0, t1
    sd t0, 0(a0)
    li t0, ${USER_DATA}
    sd t0, 72(a0)
    ret

    .balign 4
trap:
    csrrw x31, sscratch, x31
${save}
    csrr t0, sscratch
    sd t0, 256(x31)
    csrr t0, sepc
    sd t0, 0(x31)
    la s0, kernel_state
    csrr t1, scause
    li t2, ${USER_ECALL}
    beq t1, t2, yield
    # page fault: the next free page, mapped where it was missing
    csrr t1, stval
    ld t3, 8(s0)
    li t4, 4096
    add t5, t3, t4
    sd t5, 8(s0)
    ld t2, 8(x31)
    slli t2, t2, 20
    srli t2, t2, 8
    # walk: root[0] -> middle[data] -> leaf
    ld t2, 0(t2)
    srli t2, t2, 10
    slli t2, t2, 12
    srli t5, t1, 21
    andi t5, t5, 511
    slli t5, t5, 3
    add t2, t2, t5
    ld t2, 0(t2)
    srli t2, t2, 10
    slli t2, t2, 12
    srli t5, t1, 12
    andi t5, t5, 511
    slli t5, t5, 3
    add t2, t2, t5
    srli t3, t3, 2
    ori t3, t3, 0xd7
    sd t3, 0(t2)
    sfence.vma t1
    j resume
yield:
    ld t0, 0(x31)
    addi t0, t0, 4
    sd t0, 0(x31)
    ld t1, 0(s0)
    addi t1, t1, -1
    sd t1, 0(s0)
    beqz t1, finish
    ld t2, 16(s0)
    sd x31, 16(s0)
    mv x31, t2
    ld t0, 8(x31)
    csrw satp, t0
resume:
    csrw sscratch, x31
    ld t0, 0(x31)
    csrw sepc, t0
${load}
    ld x31, 256(x31)
    sret
finish:
    mark.end
    shutdown

    # the processes' code, a page of its own: s0 (x8) is where the next new page is
    .balign 4096
user:
    li s1, ${FAULT_EVERY}
1:  li t0, 200
2:  addi t0, t0, -1
    bnez t0, 2b
    addi s1, s1, -1
    bnez s1, 3f
    sd t0, 0(s0)
    li t1, 4096
    add s0, s0, t1
    li s1, ${FAULT_EVERY}
3:  ecall
    j 1b
    .balign 4096
    .bss
    .balign 4096
root0: .space 4096
root1: .space 4096
low0: .space 4096
low1: .space 4096
code0: .space 4096
code1: .space 4096
data0: .space 4096
data1: .space 4096
ram_table: .space 4096
process0: .space ${PROCESS_BYTES}
process1: .space ${PROCESS_BYTES}
kernel_state: .space 64
    .space 1024
stack_top:
`

export const kernel: Workload = {
  name: 'kernel',
  does: `${SWITCHES} switches between two user processes, every ${FAULT_EVERY}th turn with a page fault`,
  disk: false,
  network: false,
  operations: SWITCHES,
  unit: 'cycles per switch',
  image: () => guestImage(SOURCE),
}
