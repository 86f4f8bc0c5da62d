/**
 * A native VMM in hand-written assembly, as a C compiler would lay it out: the twin of the path from a guest's exit to its
 * resumption in vmm/native and vmm/core, for a null hypercall and for a load of a UART register. It keeps the same
 * records (a lock, vCPUs, virtual machines, windows, chips), looks at the same fields and takes the same branches.
 * Other calls go on to the firmware. Its guest lies in the machine's RAM, which the second stage maps as it is.
 */
import { GUEST_MAP } from '../../../hw/spec/guest-map.ts'
import { SBI_BASE, SBI_VERSION_2_0 } from '../../../hw/spec/sbi.ts'
import { assemble, type Program } from '../../../hw/spec/isa/assembler.ts'
import { frame } from '../../../vmm/core/frame.ts'
import { worldSwitch } from '../../../vmm/core/world-switch.ts'

const KERNEL = 0x8020_0000
const X = frame.x.at
const [A0, A1, A6, A7] = [10, 11, 16, 17].map(register => X + register * 8) as [number, number, number, number]

/** struct vcpu */
const vcpu = { frame: 0, status: 8, raised: 16, lowered: 20, fence: 24 } as const
/** struct vm */
const vm = { behind: 0, deviceLock: 4, ramBase: 8, ramBytes: 16, windows: 24, count: 32 } as const
/** struct window */
const window = { base: 0, bytes: 8, chip: 16, size: 24 } as const
/** struct chip: its operations, then the chip's own. */
const chip = { read: 0, write: 8 } as const
const uart = { divisor: 16, ier: 20, lcr: 24, mcr: 28, scr: 32 } as const
/** struct pending_access */
const pending = { write: 0, bytes: 4, signed: 8, register: 12, length: 16, window: 20, address: 24, size: 32 } as const

const RUNNABLE = 1
const HANDLED = 0
const DEVICE = 1
const INTERRUPT = 2
const ECALL_FROM_VS = 10
const FETCH_GUEST_PAGE = 20
const LOAD_GUEST_PAGE = 21
const STORE_GUEST_PAGE = 23
const DELEGATED = 0xb1ff
const VS_INTERRUPTS = 0x444
const HSTATUS = 0x2_0000_0180n
const SSTATUS = 0x2_0000_6120n
const LOAD = 3
const STORE = 0x23
const DLAB = 0x80
/** V R W X U A D: a gigapage of the second stage. */
const G_LEAF = 0xdf

/** spin_lock, spin_unlock: the lock's address in t0. */
const ACQUIRE = `
7:  lr.w.aq t1, (t0)
    bnez t1, 7b
    li t2, 1
    sc.w t1, t2, (t0)
    bnez t1, 7b`
const RELEASE = `
    fence rw, w
    sw zero, 0(t0)`

const BOOT = `
start:                      # a0 = hart, a1 = device tree
    li t0, ${DELEGATED}
    csrw hedeleg, t0
    li t0, ${VS_INTERRUPTS}
    csrw hideleg, t0
    csrw hie, t0
    li t0, 7
    csrw hcounteren, t0
    li t0, 1
    slli t0, t0, 63
    addi t0, t0, 0xf0
    csrw henvcfg, t0
    csrw hvip, zero
    li t0, -1
    csrw vstimecmp, t0
    csrw stimecmp, t0
    csrw sie, zero
    # the second stage: RAM's gigapage as it is
    la t0, g_root
    li t1, 0x80000000
    srli t1, t1, 2
    ori t1, t1, ${G_LEAF}
    sd t1, 16(t0)
    srli t0, t0, 12
    li t1, 8
    slli t1, t1, 60
    or t0, t0, t1
    li t1, 1
    slli t1, t1, 44
    or t0, t0, t1
    csrw hgatp, t0
    hfence.gvma
    la t2, frame0
    li t0, ${HSTATUS}
    sd t0, ${frame.hstatus.at}(t2)
    li t0, ${SSTATUS}
    sd t0, ${frame.sstatus.at}(t2)
    la t0, guest
    ld t0, 0(t0)
    sd t0, ${frame.sepc.at}(t2)
    sd a0, ${A0}(t2)
    sd a1, ${A1}(t2)
    li t0, 2
    slli t0, t0, 32
    csrw vsstatus, t0
    csrw vsatp, zero
    la t0, from_guest
    csrw stvec, t0
    mv a0, t2
    j to_guest
`

const EXIT = `
exit_stub:
    la sp, stack_top
    la tp, hart0
    call on_exit
    j to_guest

# frame *on_exit(void)
on_exit:
    addi sp, sp, -48
    sd ra, 40(sp)
    sd s0, 32(sp)
    sd s1, 24(sp)
    sd s2, 16(sp)
    lw t0, 0(tp)
    la t1, lock_holder
    lw t2, 0(t1)
    li t3, -1
    beq t2, t3, 1f
    bne t2, t0, busy
1:  sw t0, 0(t1)
    # vcpu, vm and pending of this hart
    slli t1, t0, 2
    la t2, loaded
    add t2, t2, t1
    lw t3, 0(t2)
    slli t4, t3, 3
    la t5, vcpus
    add t5, t5, t4
    ld s0, 0(t5)
    slli t4, t3, 2
    la t5, owner
    add t5, t5, t4
    lw t5, 0(t5)
    slli t5, t5, 3
    la t6, vms
    add t6, t6, t5
    ld s1, 0(t6)
    slli t1, t0, 5
    la s2, pendings
    add s2, s2, t1
    mv a0, s1
    mv a1, s0
    mv a2, s2
    call handle_exit
    li t0, ${INTERRUPT}
    beq a0, t0, not_ours
    li t0, ${DEVICE}
    bne a0, t0, 2f
    mv a0, s1
    mv a1, s0
    mv a2, s2
    call access
2:  lw t0, ${vcpu.status}(s0)
    li t1, ${RUNNABLE}
    bne t0, t1, not_ours
    lw t0, 0(tp)
    slli t0, t0, 2
    la t1, kicks
    add t1, t1, t0
    lw t1, 0(t1)
    bnez t1, not_ours
    lbu t0, ${vm.behind}(s1)
    bnez t0, not_ours
    # back into the guest
    lbu t0, ${vcpu.fence}(s0)
    bnez t0, not_ours
    ld t0, ${vcpu.frame}(s0)
    addi t0, t0, ${frame.lock.at}${ACQUIRE}
    lw t1, ${vcpu.raised}(s0)
    bnez t1, not_ours
    lw t1, ${vcpu.lowered}(s0)
    bnez t1, not_ours${RELEASE}
    ld a0, ${vcpu.frame}(s0)
    la t1, lock_holder
    li t3, -1
    sw t3, 0(t1)
    ld ra, 40(sp)
    ld s0, 32(sp)
    ld s1, 24(sp)
    ld s2, 16(sp)
    addi sp, sp, 48
    ret

# int handle_exit(vm, vcpu, pending)
handle_exit:
    csrr t0, scause
    bgez t0, 1f
    li a0, ${INTERRUPT}
    ret
1:  li t1, ${ECALL_FROM_VS}
    bne t0, t1, 2f
    addi sp, sp, -16
    sd ra, 8(sp)
    call handle_call
    li a0, ${HANDLED}
    ld ra, 8(sp)
    addi sp, sp, 16
    ret
2:  li t1, ${LOAD_GUEST_PAGE}
    beq t0, t1, guest_page_fault
    li t1, ${STORE_GUEST_PAGE}
    beq t0, t1, guest_page_fault
    li t1, ${FETCH_GUEST_PAGE}
    beq t0, t1, guest_page_fault
    j not_ours

# void handle_call(vm, vcpu)
handle_call:
    addi sp, sp, -32
    sd ra, 24(sp)
    sd s0, 16(sp)
    ld s0, ${vcpu.frame}(a1)
    lw t0, ${A7}(s0)
    lw t1, ${A6}(s0)
    ld t2, ${frame.sepc.at}(s0)
    addi t2, t2, 4
    sd t2, ${frame.sepc.at}(s0)
    li t3, ${SBI_BASE}
    bne t0, t3, forward
    bnez t1, forward
    sd zero, ${A0}(s0)
    li t3, ${SBI_VERSION_2_0}
    sd t3, ${A1}(s0)
    ld ra, 24(sp)
    ld s0, 16(sp)
    addi sp, sp, 32
    ret
# Others are the firmware's.
forward:
    ld a0, ${A0}(s0)
    ld a1, ${A1}(s0)
    ld a2, ${X + 12 * 8}(s0)
    ld a6, ${A6}(s0)
    ld a7, ${A7}(s0)
    ecall
    sd a0, ${A0}(s0)
    sd a1, ${A1}(s0)
    ld ra, 24(sp)
    ld s0, 16(sp)
    addi sp, sp, 32
    ret
`

const DEVICE_ACCESS = `
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

const DATA = `
    .data
    .balign 8
hart0: .word 0, 0
lock_holder: .word -1
loaded: .word 0
owner: .word 0
kicks: .word 0
    .balign 8
vcpus: .dword vcpu0
vms: .dword vm0
vcpu0: .dword frame0
    .word ${RUNNABLE}, 0, 0, 0, 0, 0
vm0: .dword 0, 0x80000000, 0x40000000, windows, 3
windows:
    .dword ${GUEST_MAP.plic.base}, ${GUEST_MAP.plic.bytes}, 0
    .dword ${GUEST_MAP.uart.base}, ${GUEST_MAP.uart.bytes}, uart0
    .dword ${GUEST_MAP.finisher.base}, ${GUEST_MAP.finisher.bytes}, 0
uart0: .dword uart_read, 0
    .word 12, 0, 0, 0, 0, 0
pendings: .space ${pending.size}
    .bss
    .balign 64
frame0: .space 0x400
    .balign 16384
g_root: .space 16384
    .space 4096
stack_top:
`

/** The twin, for a guest that begins at this address. */
export function twinVmm(guest: number): Program {
  const switched = worldSwitch().replace('enter exit', 'j exit_stub')
  return assemble(
    `    .option norvc\n${BOOT}${EXIT}${switched}${DEVICE_ACCESS}${DATA}
    .data
guest: .dword ${guest}
`,
    { origin: KERNEL },
  )
}
