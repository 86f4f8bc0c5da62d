/**
 * Submitting a read to an NVMe controller, in hand-written assembly as a C compiler would lay it out: the twin of `submit`
 * in drivers/nvme.ts, with the same records, checks and stores. The program around it finds the controller behind PCIe,
 * brings it up with one queue pair, submits, waits for the answers, and looks whether the data has come.
 */
import type { Program } from '../../../hw/spec/isa/assembler.ts'
import { SBI_SRST } from '../../../hw/spec/sbi.ts'
import { guestImage } from '../../../guests/image.ts'
import { VIRT_MAP } from '../../../hw/boards/virt-map.ts'

const PCIE_CLASS = 0x01_0802
const REGISTERS = 0x4000_0000
const DEPTH = 16
const ENTRIES = DEPTH + 1
const ADMIN_ENTRIES = 8
const SECTORS = 8
/** EN, IOSQES 6, IOCQES 4. */
const ENABLED = 0x46_0001
const CREATE_CQ = 5
const CREATE_SQ = 1
const READ = 2
const WRITE = 1
const RUNNING = 8
const [CC, CSTS, AQA, ASQ, ACQ] = [0x14, 0x1c, 0x24, 0x28, 0x30]
const DOORBELLS = 0x1000
const BUFFER_BYTES = 4096

/** struct disk */
const disk = {
  phase: 0,
  depth: 4,
  pairs: 8,
  age: 12,
  outstanding: 16,
  watching: 20,
  maximum: 24,
  registers: 32,
  lists: 40,
  since: 48,
  queues: 48 + DEPTH * 4,
} as const
/** struct queue */
const queue = { id: 0, entries: 4, tail: 8, submissions: 16, size: 24 } as const

/** One admin command and its answer; a0: CDW0 and NSID, a1: PRP1, a2: CDW10 and 11. s2: registers, s3: commands so far. */
const ADMIN = `
admin:
    la t0, admin_submissions
    slli t1, s3, 6
    add t0, t0, t1
    sd a0, 0(t0)
    sd a1, 24(t0)
    sd a2, 40(t0)
    la t2, admin_completions
    slli t1, s3, 4
    add t2, t2, t1
    addi s3, s3, 1
    fence
    li t0, ${DOORBELLS}
    add t0, t0, s2
    sw s3, 0(t0)
1:  lw t1, 12(t2)
    srli t3, t1, 16
    andi t3, t3, 1
    beqz t3, 1b
    srli t1, t1, 17
    bnez t1, failed
    sw s3, 4(t0)
    ret
`

const SUBMIT = `
# bool submit(disk, tag, write, sector, count, address, force)
submit:
    lw t0, ${disk.phase}(a0)
    li t1, ${RUNNING}
    bne t0, t1, refused
    bltz a1, refused
    lw t0, ${disk.depth}(a0)
    bge a1, t0, refused
    slli t2, a1, 2
    add t2, t2, a0
    lw t0, ${disk.since}(t2)
    bnez t0, refused
    # its queue
    lw t0, ${disk.pairs}(a0)
    remw t3, a1, t0
    addi t3, t3, 1
    li t0, ${queue.size}
    mul t3, t3, t0
    add t3, t3, a0
    addi t3, t3, ${disk.queues}
    li t0, 1
    blt a4, t0, refused
    lw t0, ${disk.maximum}(a0)
    bgt a4, t0, refused
    # the second pointer
    li t0, 4096
    addi t1, t0, -1
    and t1, t1, a5
    sub t1, t0, t1
    slli t4, a4, 9
    sub t4, t4, t1
    li t5, 0
    bgtz t4, refused        # more than one page: not what is compared
    # the command
    li t1, ${READ}
    beqz a2, 1f
    li t1, ${WRITE}
1:  slli t4, a1, 16
    or t1, t1, t4
    addi t4, a4, -1
    beqz a6, 2f
    lui t6, 0x40000
    or t4, t4, t6
2:  lw t0, ${queue.tail}(t3)
    ld t6, ${queue.submissions}(t3)
    slli t0, t0, 6
    add t6, t6, t0
    sw t1, 0(t6)
    li t1, 1
    sw t1, 4(t6)
    sd a5, 24(t6)
    sd t5, 32(t6)
    sd a3, 40(t6)
    sw t4, 48(t6)
    lw t0, ${queue.tail}(t3)
    addi t0, t0, 1
    lw t1, ${queue.entries}(t3)
    bne t0, t1, 3f
    li t0, 0
3:  sw t0, ${queue.tail}(t3)
    lw t1, ${disk.age}(a0)
    addi t1, t1, 1
    sw t1, ${disk.since}(t2)
    lw t1, ${disk.outstanding}(a0)
    addi t1, t1, 1
    sw t1, ${disk.outstanding}(a0)
    # the doorbell
    fence
    ld t1, ${disk.registers}(a0)
    lw t4, ${queue.id}(t3)
    slli t4, t4, 3
    add t1, t1, t4
    li t4, ${DOORBELLS}
    add t1, t1, t4
    lw t0, ${queue.tail}(t3)
    sw t0, 0(t1)
    lw t0, ${disk.watching}(a0)
    beqz t0, refused        # arming the watch is not what is compared: it is armed
    li a0, 1
    ret
refused:
    li a0, 0
    ret
`

/** The program: it submits this many reads between its marks. */
export function nvmeTwin(submits: number): Program {
  return guestImage(`
start:
    la sp, stack_top
    # the controller, on the root bus
    li s0, ${VIRT_MAP.pcieEcam.base}
    li t2, ${PCIE_CLASS}
1:  lw t0, 8(s0)
    srliw t0, t0, 8
    beq t0, t2, 2f
    li t0, 0x8000
    add s0, s0, t0
    j 1b
2:  li s2, ${REGISTERS}
    sw s2, 16(s0)
    sw zero, 20(s0)
    li t0, 6
    sh t0, 4(s0)
    # up
    sw zero, ${CC}(s2)
1:  lw t0, ${CSTS}(s2)
    andi t0, t0, 1
    bnez t0, 1b
    li t0, ${((ADMIN_ENTRIES - 1) << 16) | (ADMIN_ENTRIES - 1)}
    sw t0, ${AQA}(s2)
    la t0, admin_submissions
    sd t0, ${ASQ}(s2)
    la t0, admin_completions
    sd t0, ${ACQ}(s2)
    li t0, ${ENABLED}
    sw t0, ${CC}(s2)
1:  lw t0, ${CSTS}(s2)
    andi t0, t0, 1
    beqz t0, 1b
    li s3, 0
    li a0, ${CREATE_CQ}
    la a1, completions
    li a2, ${((BigInt(ENTRIES) - 1n) << 16n) | 1n | (1n << 32n)}
    call admin
    li a0, ${CREATE_SQ | (1 << 16)}
    la a1, submissions
    li a2, ${((BigInt(ENTRIES) - 1n) << 16n) | 1n | (0x1_0001n << 32n)}
    call admin
    la s4, disk
    sd s2, ${disk.registers}(s4)
    la t0, submissions
    sd t0, ${disk.queues + queue.size + queue.submissions}(s4)
    # submit
    li s5, 0
    li s6, ${submits}
    la s7, buffers
    mark.start
1:  mv a0, s4
    mv a1, s5
    li a2, 0
    slli a3, s5, 3
    li a4, ${SECTORS}
    slli a5, s5, 12
    add a5, a5, s7
    li a6, 0
    call submit
    addi s5, s5, 1
    bne s5, s6, 1b
    mark.end
    beqz a0, failed
    # every answer, and what came
    la t0, completions
    li t1, 0
2:  lw t2, 12(t0)
    srli t3, t2, 16
    andi t3, t3, 1
    beqz t3, 2b
    srli t2, t2, 17
    bnez t2, failed
    addi t0, t0, 16
    addi t1, t1, 1
    bne t1, s6, 2b
    lw t0, 0(s7)
    beqz t0, failed
    li a0, 0
    li a1, 0
    sbi ${SBI_SRST}, 0
failed:
    li a0, 0
    li a1, 1
    sbi ${SBI_SRST}, 0
${ADMIN}${SUBMIT}
    .data
    .balign 8
disk: .word ${RUNNING}, ${DEPTH}, 1, 0, 0, 1, 256, 0
    .dword 0, 0
    .space ${DEPTH * 4}
    .word 0, ${ADMIN_ENTRIES}, 0, 0
    .dword 0
    .word 1, ${ENTRIES}, 0, 0
    .dword 0
    .bss
    .balign 4096
admin_submissions: .space 4096
admin_completions: .space 4096
submissions: .space 4096
completions: .space 4096
buffers: .space ${DEPTH * BUFFER_BYTES}
    .space 1024
stack_top:
`)
}
