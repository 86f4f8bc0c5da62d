/** Traps into M-mode: the SBI's calls, software interrupts between harts, and the timer of harts without stimecmp. */
import { VIRT_MAP } from '../virt-map.ts'
import {
  SBI_BASE,
  SBI_DBCN,
  SBI_HSM,
  SBI_INVALID_PARAM,
  SBI_IPI,
  SBI_LEGACY_GETCHAR,
  SBI_LEGACY_PUTCHAR,
  SBI_LEGACY_SET_TIMER,
  SBI_LEGACY_SHUTDOWN,
  SBI_NOT_SUPPORTED,
  SBI_RFENCE,
  SBI_SRST,
  SBI_SUCCESS,
  SBI_TIME,
} from '../../spec/sbi.ts'
import { EVENTS, EVENT_FENCE, EVENT_IPI, FRAME, HART_ID } from './layout.ts'

const ECALL_FROM_SUPERVISOR = 9
const INTERRUPT_SOFTWARE = 3
const INTERRUPT_TIMER = 7
const STIP = 0x20
const MTIE = 0x80

const kept = Object.entries(FRAME).filter(([register]) => register !== 'sp')
const restored = (registers: readonly (readonly [string, number])[]): string =>
  registers.map(([register, offset]) => `  ld ${register}, ${offset}(sp)`).join('\n')

/** Extension numbers and their handlers, the frequent ones first. */
const HANDLERS: readonly (readonly [number, string])[] = [
  [SBI_TIME, 'sbi_time'],
  [SBI_IPI, 'sbi_ipi'],
  [SBI_RFENCE, 'sbi_rfence'],
  [SBI_DBCN, 'sbi_dbcn'],
  [SBI_HSM, 'sbi_hsm'],
  [SBI_BASE, 'sbi_base'],
  [SBI_SRST, 'sbi_srst'],
  [SBI_LEGACY_PUTCHAR, 'legacy_putchar'],
  [SBI_LEGACY_GETCHAR, 'legacy_getchar'],
  [SBI_LEGACY_SET_TIMER, 'legacy_set_timer'],
  [SBI_LEGACY_SHUTDOWN, 'legacy_shutdown'],
]

/** A handler finds its arguments in a0–a6 and the hart's scratch in sp; it may change a0–a7, t0–t6, s0, s1 and ra. */
export function trap(): string {
  return `
  .balign 4
trap:
  csrrw sp, mscratch, sp
${kept.map(([register, offset]) => `  sd ${register}, ${offset}(sp)`).join('\n')}
  csrrw t0, mscratch, sp
  sd t0, ${FRAME.sp}(sp)
  csrr t0, mcause
  bltz t0, interrupt
  li t1, ${ECALL_FROM_SUPERVISOR}
  bne t0, t1, fatal
  csrr t0, mepc
  addi t0, t0, 4
  csrw mepc, t0
${HANDLERS.map(([extension, handler]) => `  li t0, ${extension}\n  beq a7, t0, ${handler}`).join('\n')}

sbi_not_supported:
  li a0, ${SBI_NOT_SUPPORTED}
  j sbi_error
sbi_invalid_param:
  li a0, ${SBI_INVALID_PARAM}
  j sbi_error
sbi_success:
  li a0, ${SBI_SUCCESS}
sbi_error:
  li a1, 0
  # Back to the caller with a0 and a1 as they are now.
sbi_return:
${restored(kept.filter(([register]) => register !== 'a0' && register !== 'a1'))}
  ld sp, ${FRAME.sp}(sp)
  mret

interrupt:
  slli t0, t0, 1
  li t1, ${INTERRUPT_SOFTWARE * 2}
  beq t0, t1, software_interrupt
  li t1, ${INTERRUPT_TIMER * 2}
  bne t0, t1, fatal
  call pass_timer
  j resume
software_interrupt:
  call take_events
resume:
${restored(kept)}
  ld sp, ${FRAME.sp}(sp)
  mret

# The timer of a hart without stimecmp has rung: S-mode's turn.
pass_timer:
  li t0, ${STIP}
  csrs mip, t0
  li t0, ${MTIE}
  csrc mie, t0
  ret

# Serves this hart's events; the wire is lowered first, so that none is missed. Changes t0–t6 and s1.
take_events:
  ld t0, ${HART_ID}(sp)
  slli t0, t0, 2
  li t1, ${VIRT_MAP.clint.base}
  add t0, t0, t1
  sw zero, 0(t0)
  fence
  addi t0, sp, ${EVENTS}
  amoswap.w.aqrl t0, zero, (t0)
  andi t1, t0, ${EVENT_IPI}
  beqz t1, no_ipi
  csrsi mip, 2
no_ipi:
  andi t1, t0, ${EVENT_FENCE}
  beqz t1, no_fence
  jal s1, perform_fence
  la t0, fence_pending
  li t1, -1
  amoadd.w.aqrl zero, t1, (t0)
no_fence:
  ret

# Nothing but a defect of this firmware comes here: the machine fails, with the cause as its code.
fatal:
  slli t0, t0, 16
  li t1, 0x3333
  or t0, t0, t1
  li t1, ${VIRT_MAP.finisher.base}
  sw t0, 0(t1)
  j park
`
}
