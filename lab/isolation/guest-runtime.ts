/**
 * The image that every guest of a scenario boots: it brings its vCPUs to where their programs begin, and there are the few
 * routines that programs use. Each vCPU has an area of its own:
 *
 *   +0x0000  code: the program, patched in before each run; at first a jump to itself
 *   +0x4000  constants of the program
 *   +0x8000  state: see STATE
 *   +0xc000  log: 32 bytes a step: a0, a1, and of a trap scause (-1: none) and stval
 */
import { guestImage } from '../../guests/image.ts'
import { GUEST_KERNEL } from '../../hw/spec/guest-map.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { SBI_HSM } from '../../hw/spec/sbi.ts'

const AREAS = GUEST_KERNEL + 0x1_0000
export const AREA_BYTES = 0x1_0000
export const CODE_BYTES = 0x4000
export const POOL = 0x4000
export const POOL_BYTES = 0x4000
export const STATE_PAGE = 0x8000
export const LOG = 0xc000
export const LOG_BYTES = 0x4000
export const LOG_ENTRY = 32

/** Offsets in the state page: the log's next entry, the trap of this step, whether the program is over, interrupts taken, counters of repetitions. */
export const STATE = { next: 0, cause: 8, value: 16, done: 24, interrupts: 32, counters: 64 } as const

/** At most, in a guest. */
export const MOST_VCPUS = 4
/** Free for programs: queues, buffers, page tables. In the image's large page. */
export const DATA = GUEST_KERNEL + 0x8_0000

export function areaOf(vcpu: number): number {
  return AREAS + vcpu * AREA_BYTES
}

/** Registers that programs may fill: not zero, nor t2 to t6, which the routines use. */
export const FREE_REGISTERS = [1, 2, 3, 4, 5, 6, ...Array.from({ length: 20 }, (_, index) => index + 8)]

const SPP = 0x100
const FS = 0x6000

function routines(vcpu: number): string {
  const area = areaOf(vcpu)
  const state = area + STATE_PAGE
  const mix = (source: string) => `    slli t4, t3, 7
    srli t3, t3, 57
    or t3, t3, t4
    ${source}`
  return `
    .balign 4
handler_${vcpu}:
    csrr t6, scause
    bltz t6, interrupt_${vcpu}
    li t5, ${state}
    sd t6, ${STATE.cause}(t5)
    csrr t6, stval
    sd t6, ${STATE.value}(t5)
    csrr t6, sscratch
    csrw sepc, t6
    li t6, ${SPP}
    csrs sstatus, t6
    sret
interrupt_${vcpu}:
    csrw sie, zero
    li t5, ${state}
    ld t6, ${STATE.interrupts}(t5)
    addi t6, t6, 1
    sd t6, ${STATE.interrupts}(t5)
    sret
log_${vcpu}:                      # a0 and a1; returns to t6
    li t5, ${state}
    ld t4, ${STATE.next}(t5)
    li t3, ${area + LOG}
    add t3, t3, t4
    sd a0, 0(t3)
    sd a1, 8(t3)
    ld t2, ${STATE.cause}(t5)
    sd t2, 16(t3)
    ld t2, ${STATE.value}(t5)
    sd t2, 24(t3)
    li t2, -1
    sd t2, ${STATE.cause}(t5)
    sd zero, ${STATE.value}(t5)
    addi t4, t4, ${LOG_ENTRY}
    li t2, ${LOG_BYTES - 1}
    and t4, t4, t2
    sd t4, ${STATE.next}(t5)
    jr t6
repair_${vcpu}:                   # whatever an instruction has done to the hart; returns to t6
    csrw satp, zero
    sfence.vma
    la t5, handler_${vcpu}
    csrw stvec, t5
    csrci sstatus, 2
    csrw sie, zero
    li t5, -1
    csrw stimecmp, t5
    li t5, ${FS}
    csrs sstatus, t5
    jr t6
digest_${vcpu}:                   # all free registers into a log entry; returns to t6
    li t3, 0
${FREE_REGISTERS.map(register => mix(`xor t3, t3, x${register}`)).join('\n')}
    csrr t4, sstatus
    srli t4, t4, 13
    andi t4, t4, 3
    beqz t4, 1f
${Array.from({ length: 32 }, (_, register) => mix(`fmv.x.d t4, f${register}\n    xor t3, t3, t4`)).join('\n')}
1:  li t5, ${state}
    ld t4, ${STATE.next}(t5)
    li t2, ${area + LOG}
    add t2, t2, t4
    sd t3, 0(t2)
    sd zero, 8(t2)
    addi t4, t4, ${LOG_ENTRY}
    li t2, ${LOG_BYTES - 1}
    and t4, t4, t2
    sd t4, ${STATE.next}(t5)
    jr t6
finish_${vcpu}:
    csrw sie, zero
    li t5, ${state}
    li t4, 1
    sd t4, ${STATE.done}(t5)
    mark.end
1:  wfi
    j 1b
`
}

/** The image for a guest of so many vCPUs. */
export function runtimeImage(vcpus: number): Program {
  const each = Array.from({ length: vcpus }, (_, vcpu) => vcpu)
  return guestImage(`
start:                            # a0 = hart
    mv s0, a0
    bnez s0, ready
${each
  .slice(1)
  .map(
    vcpu => `    li a0, ${vcpu}
    la a1, start
    li a2, 0
    sbi ${SBI_HSM}, 0`,
  )
  .join('\n')}
ready:
    li t0, ${AREA_BYTES}
    mul t0, t0, s0
    li s1, ${AREAS}
    add s1, s1, t0                # its area: each page is touched, so that it is there
    li t1, ${AREA_BYTES / 4096}
    mv t0, s1
    li t2, 4096
1:  ld t3, 0(t0)
    sd t3, 0(t0)
    add t0, t0, t2
    addi t1, t1, -1
    bnez t1, 1b
    li t0, ${STATE_PAGE}
    add t0, t0, s1
    li t1, -1
    sd t1, ${STATE.cause}(t0)
    csrw stimecmp, t1
    csrw sie, zero
    li t0, ${FS}
    csrw sstatus, t0
    slli t0, s0, 3
    la t1, handlers
    add t1, t1, t0
    ld t1, 0(t1)
    csrw stvec, t1
    csrw sscratch, zero
    lw t0, parked
    sw t0, 0(s1)
    fence.i
    mark.start
    jr s1
parked:
    j parked
${each.map(routines).join('\n')}
    .data
    .balign 8
handlers:
${each.map(vcpu => `    .dword handler_${vcpu}`).join('\n')}
`)
}
