/** The twin of an emulated access: the fault decoded, its window found, the chip asked, the register set. */
import { frame } from '../../../vmm/core/frame.ts'
import { ACQUIRE, chip, DEVICE, FETCH_GUEST_PAGE, pending, RELEASE, uart, vcpu, vm, window, X } from './records.ts'

const LOAD = 3
const STORE = 0x23
const DLAB = 0x80

/** Text of `guest_page_fault`, `access` and `uart_read`. */
export const DEVICE_ACCESS = `
# int guest_page_fault(vm, vcpu, pending), cause in t0
guest_page_fault:
    csrr t1, htval
    slli t1, t1, 2
    csrr t2, stval
    andi t2, t2, 3
    or t1, t1, t2
    # RAM that is missing?
    ld t2, ${vm.ramBase}(a0)
    ld t3, ${vm.ramBytes}(a0)
    bltu t1, t2, 1f
    add t3, t3, t2
    bltu t1, t3, not_ours
1:  li t2, ${FETCH_GUEST_PAGE}
    beq t0, t2, not_ours
    csrr t2, htinst
    beqz t2, not_ours
    # decode
    andi t3, t2, 0x7f
    ori t3, t3, 2
    srli t4, t2, 12
    andi t4, t4, 7
    li t5, ${LOAD}
    bne t3, t5, 2f
    li t5, 7
    beq t4, t5, not_ours
    sw zero, ${pending.write}(a2)
    slti t5, t4, 4
    sw t5, ${pending.signed}(a2)
    srli t5, t2, 7
    andi t5, t5, 31
    sw t5, ${pending.register}(a2)
    j 3f
2:  li t5, ${STORE}
    bne t3, t5, not_ours
    li t5, 1
    sw t5, ${pending.write}(a2)
    sw zero, ${pending.signed}(a2)
    srli t5, t2, 20
    andi t5, t5, 31
    sw t5, ${pending.register}(a2)
3:  andi t4, t4, 3
    li t5, 1
    sll t5, t5, t4
    sw t5, ${pending.bytes}(a2)
    andi t3, t2, 2
    addi t3, t3, 2
    sw t3, ${pending.length}(a2)
    # the window that holds it
    ld t2, ${vm.count}(a0)
    ld t3, ${vm.windows}(a0)
    li t4, 0
    add t6, t1, t5
4:  bgeu t4, t2, not_ours
    ld a3, ${window.base}(t3)
    bltu t1, a3, 5f
    ld a4, ${window.bytes}(t3)
    add a4, a4, a3
    bleu t6, a4, 6f
5:  addi t4, t4, 1
    addi t3, t3, ${window.size}
    j 4b
6:  li a3, 8
    bgtu t5, a3, not_ours
    addi a3, t5, -1
    and a3, a3, t1
    bnez a3, not_ours
    sd t1, ${pending.address}(a2)
    sw t4, ${pending.window}(a2)
    li a0, ${DEVICE}
    ret

# void access(vm, vcpu, pending)
access:
    addi sp, sp, -48
    sd ra, 40(sp)
    sd s0, 32(sp)
    sd s1, 24(sp)
    sd s2, 16(sp)
    sd s3, 8(sp)
    mv s0, a1
    mv s1, a2
    lw t0, ${pending.window}(a2)
    ld a1, ${pending.address}(a2)
    lw s2, ${pending.bytes}(a2)
    mv a2, s2
    li t1, 8
    bne s2, t1, 1f
    li a2, 4
1:  addi s3, a0, ${vm.deviceLock}
    mv t6, t0
    mv t0, s3${ACQUIRE}
    mv t0, t6
    lw t1, ${pending.write}(s1)
    bnez t1, not_ours
    # vm_read: the window's chip
    ld t2, ${vm.windows}(a0)
    li t3, ${window.size}
    mul t0, t0, t3
    add t2, t2, t0
    ld t3, ${window.base}(t2)
    sub a1, a1, t3
    ld a0, ${window.chip}(t2)
    ld t4, ${chip.read}(a0)
    jalr ra, 0(t4)
    mv t0, s3${RELEASE}
    li t1, 8
    beq s2, t1, not_ours
    # finish_access
    lw t0, ${pending.write}(s1)
    bnez t0, 3f
    mv t2, a0
    li t1, 8
    bgeu s2, t1, 2f
    li t3, 64
    slli t4, s2, 3
    sub t3, t3, t4
    sll t2, t2, t3
    lw t0, ${pending.signed}(s1)
    beqz t0, 4f
    sra t2, t2, t3
    j 2f
4:  srl t2, t2, t3
2:  lw t0, ${pending.register}(s1)
    beqz t0, 3f
    ld t3, ${vcpu.frame}(s0)
    slli t0, t0, 3
    add t0, t0, t3
    sd t2, ${X}(t0)
3:  ld t3, ${vcpu.frame}(s0)
    lw t0, ${pending.length}(s1)
    ld t1, ${frame.sepc.at}(t3)
    add t1, t1, t0
    sd t1, ${frame.sepc.at}(t3)
    ld ra, 40(sp)
    ld s0, 32(sp)
    ld s1, 24(sp)
    ld s2, 16(sp)
    ld s3, 8(sp)
    addi sp, sp, 48
    ret

# u32 uart_read(chip, offset, bytes)
uart_read:
    lw t0, ${uart.lcr}(a0)
    andi t0, t0, ${DLAB}
    bnez a1, 1f
    beqz t0, not_ours
    lw a0, ${uart.divisor}(a0)
    zext.b a0, a0
    ret
1:  li t1, 1
    bne a1, t1, 2f
    bnez t0, not_ours
    lw a0, ${uart.ier}(a0)
    ret
2:  li t1, 2
    beq a1, t1, not_ours
    li t1, 3
    bne a1, t1, 3f
    lw a0, ${uart.lcr}(a0)
    ret
3:  li t1, 4
    bne a1, t1, 4f
    lw a0, ${uart.mcr}(a0)
    ret
4:  li t1, 5
    beq a1, t1, not_ours
    li t1, 6
    beq a1, t1, not_ours
    li t1, 7
    bne a1, t1, 5f
    lw a0, ${uart.scr}(a0)
    ret
5:  li a0, 0
    ret

# What the twin has no answer to is a mistake of the test.
busy:
not_ours:
    j not_ours
`
