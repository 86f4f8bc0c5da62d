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
import { DEVICE_ACCESS } from './device-access.ts'
import {
  ACQUIRE,
  DEVICE,
  ECALL_FROM_VS,
  FETCH_GUEST_PAGE,
  HANDLED,
  INTERRUPT,
  LOAD_GUEST_PAGE,
  pending,
  RELEASE,
  STORE_GUEST_PAGE,
  vcpu,
  vm,
  X,
} from './records.ts'

const KERNEL = 0x8020_0000
const [A0, A1, A6, A7] = [10, 11, 16, 17].map(register => X + register * 8) as [number, number, number, number]

const RUNNABLE = 1
const DELEGATED = 0xb1ff
const VS_INTERRUPTS = 0x444
const HSTATUS = 0x2_0000_0180n
const SSTATUS = 0x2_0000_6120n
/** V R W X U A D: a gigapage of the second stage. */
const G_LEAF = 0xdf

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
