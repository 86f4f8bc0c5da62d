/** SBI hart state management (chapter 9): start, stop, status, and retentive suspend. */
import { VIRT_MAP } from '../virt-map.ts'
import { HART_STATE, SBI_ALREADY_AVAILABLE, SBI_INVALID_ADDRESS } from '../../spec/sbi.ts'
import { OPAQUE, SCRATCH_SHIFT, START_ADDRESS, STATE } from './layout.ts'
import type { FirmwarePlace } from './firmware.ts'

const MSIP = 0x8
const MTIP = 0x80

/** The text of the calls. */
export function hsm({ harts, base, bytes }: FirmwarePlace): string {
  return `
sbi_hsm:
  li t0, 2
  beq a6, t0, hsm_status
  li t0, 3
  beq a6, t0, hsm_suspend
  li t0, 1
  beq a6, t0, hsm_stop
  bnez a6, sbi_not_supported

  # Start hart a0 at a1 with opaque a2.
  li t0, ${harts}
  bgeu a0, t0, sbi_invalid_param
  li t0, ${base}
  bltu a1, t0, hsm_address
  li t0, ${base + bytes}
  bgeu a1, t0, hsm_address
  li a0, ${SBI_INVALID_ADDRESS}
  j sbi_error
hsm_address:
  la t0, scratch
  slli t1, a0, ${SCRATCH_SHIFT}
  add t0, t0, t1
  la t2, hsm_lock
  li t3, 1
hsm_try:
  amoswap.w.aq t4, t3, (t2)
  bnez t4, hsm_try
  lw t4, ${STATE}(t0)
  bne t4, t3, hsm_not_stopped
  sd a1, ${START_ADDRESS}(t0)
  sd a2, ${OPAQUE}(t0)
  fence
  li t4, ${HART_STATE.START_PENDING}
  sw t4, ${STATE}(t0)
  amoswap.w.rl zero, zero, (t2)
  slli t1, a0, 2
  li t0, ${VIRT_MAP.clint.base}
  add t0, t0, t1
  fence
  sw t3, 0(t0)
  j sbi_success
hsm_not_stopped:
  amoswap.w.rl zero, zero, (t2)
  li a0, ${SBI_ALREADY_AVAILABLE}
  j sbi_error

hsm_stop:
  li t0, ${HART_STATE.STOPPED}
  fence
  sw t0, ${STATE}(sp)
  j wait_for_start

hsm_status:
  li t0, ${harts}
  bgeu a0, t0, sbi_invalid_param
  la t0, scratch
  slli t1, a0, ${SCRATCH_SHIFT}
  add t0, t0, t1
  lw a1, ${STATE}(t0)
  li a0, 0
  j sbi_return

  # Only the default retentive type: registers stay, so it returns like any call.
hsm_suspend:
  sext.w a0, a0
  beqz a0, hsm_retentive
  li t0, -0x80000000
  bne a0, t0, sbi_invalid_param
  j sbi_not_supported
hsm_retentive:
  li t0, ${HART_STATE.SUSPENDED}
  sw t0, ${STATE}(sp)
hsm_sleep:
  csrr t0, mip
  andi t0, t0, ${MSIP}
  beqz t0, hsm_timer
  call take_events
hsm_timer:
  csrr t0, mip
  csrr t1, mie
  and t1, t1, t0
  andi t2, t1, ${MTIP}
  beqz t2, hsm_wake
  call pass_timer
  j hsm_timer
hsm_wake:
  csrr t0, mideleg
  and t1, t1, t0
  bnez t1, hsm_awake
  wfi
  j hsm_sleep
hsm_awake:
  li t0, ${HART_STATE.STARTED}
  sw t0, ${STATE}(sp)
  j sbi_success
`
}
