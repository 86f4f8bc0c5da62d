/** SBI: base, timer, IPI and system reset (chapters 4, 6, 7 and 10), and the legacy calls (chapter 5). */
import { VIRT_MAP } from '../virt-map.ts'
import { HART_STATE, SBI_EXTENSIONS } from '../../spec/sbi.ts'
import { EVENTS, EVENT_IPI, FRAME, HART_ID, SCRATCH_SHIFT, STATE } from './layout.ts'
import type { FirmwarePlace } from './firmware.ts'

const SPECIFICATION_VERSION = 0x0200_0000
/** Ours: no number is assigned. "bh". */
const IMPLEMENTATION = 0x6268
const IMPLEMENTATION_VERSION = 1
const MTIMECMP = VIRT_MAP.clint.base + 0x4000
const MTIE = 0x80
const STIP = 0x20
const PASS = 0x5555
const FAIL_1 = 0x1_3333
const RESET = 0x7777
const LSR_DR = 1
const LSR_THRE = 0x20

const probed = SBI_EXTENSIONS

/** The text of these calls. */
export function calls({ harts }: FirmwarePlace): string {
  return `
sbi_base:
  li t0, 6
  bgtu a6, t0, sbi_not_supported
  slli t0, a6, 2
  la t1, base_calls
  add t0, t0, t1
  jr t0
  .balign 4
  .option push
  .option norvc
base_calls:
  j base_specification
  j base_implementation
  j base_version
  j base_probe
  j base_vendor
  j base_architecture
  csrr a1, mimpid
  .option pop
  li a0, 0
  j sbi_return
base_specification:
  li a1, ${SPECIFICATION_VERSION}
  li a0, 0
  j sbi_return
base_implementation:
  li a1, ${IMPLEMENTATION}
  li a0, 0
  j sbi_return
base_version:
  li a1, ${IMPLEMENTATION_VERSION}
  li a0, 0
  j sbi_return
base_vendor:
  csrr a1, mvendorid
  li a0, 0
  j sbi_return
base_architecture:
  csrr a1, marchid
  li a0, 0
  j sbi_return
base_probe:
  mv t0, a0
  li a0, 0
  li a1, 1
${probed.map(extension => `  li t1, ${extension}\n  beq t0, t1, sbi_return`).join('\n')}
  li a1, 0
  j sbi_return

sbi_time:
  bnez a6, sbi_not_supported
  call set_timer
  j sbi_success
legacy_set_timer:
  call set_timer
legacy_success:
  li a0, 0
legacy_return:
  ld a1, ${FRAME.a1}(sp)
  j sbi_return

# The timer at a0, and no timer interrupt pending until then.
set_timer:
  la t0, has_stimecmp
  ld t0, 0(t0)
  beqz t0, set_mtimecmp
  csrw stimecmp, a0
  ret
set_mtimecmp:
  ld t0, ${HART_ID}(sp)
  slli t0, t0, 3
  li t1, ${MTIMECMP}
  add t0, t0, t1
  sd a0, 0(t0)
  li t0, ${STIP}
  csrc mip, t0
  li t0, ${MTIE}
  csrs mie, t0
  ret

# Harts by mask (a0) and base (a1; -1: all) into one mask s0. Jumps away if one of them does not exist (SBI 3.1).
hart_mask:
  li s0, ${BigInt.asIntN(64, (1n << BigInt(harts)) - 1n)}
  li t0, -1
  beq a1, t0, hart_mask_done
  beqz a0, no_harts
  li t0, ${harts}
  bgeu a1, t0, sbi_invalid_param
  sll t1, a0, a1
  srl t2, t1, a1
  bne t2, a0, sbi_invalid_param
  not t2, s0
  and t2, t2, t1
  bnez t2, sbi_invalid_param
  mv s0, t1
hart_mask_done:
  ret
no_harts:
  li s0, 0
  ret

sbi_ipi:
  bnez a6, sbi_not_supported
  call hart_mask
  la t0, scratch
  li t1, ${VIRT_MAP.clint.base}
  li t2, ${EVENT_IPI}
  li t5, 1
ipi_next:
  beqz s0, sbi_success
  andi t3, s0, 1
  beqz t3, ipi_skip
  bne t0, sp, ipi_remote
  csrsi mip, 2
  j ipi_skip
ipi_remote:
  lw t3, ${STATE}(t0)
  li t4, ${HART_STATE.STOPPED}
  beq t3, t4, ipi_skip
  addi t4, t0, ${EVENTS}
  amoor.w.aqrl zero, t2, (t4)
  fence
  sw t5, 0(t1)
ipi_skip:
  srli s0, s0, 1
  addi t0, t0, ${1 << SCRATCH_SHIFT}
  addi t1, t1, 4
  j ipi_next

# Types: shutdown, cold reboot, warm reboot. Reasons: none, system failure.
sbi_srst:
  bnez a6, sbi_not_supported
  sext.w a0, a0
  sext.w a1, a1
  li t0, 2
  bgtu a0, t0, sbi_invalid_param
  li t0, 1
  bgtu a1, t0, sbi_invalid_param
  li t1, ${RESET}
  bnez a0, finish
  li t1, ${FAIL_1}
  bnez a1, finish
legacy_shutdown:
  li t1, ${PASS}
finish:
  li t0, ${VIRT_MAP.finisher.base}
  sw t1, 0(t0)
  j park

legacy_putchar:
  call put
  j legacy_success
legacy_getchar:
  call get
  j legacy_return

# Sends the byte a0. Changes t0, t1.
put:
  li t0, ${VIRT_MAP.uart.base}
put_wait:
  lbu t1, 5(t0)
  andi t1, t1, ${LSR_THRE}
  beqz t1, put_wait
  sb a0, 0(t0)
  ret

# A received byte in a0, or -1. Changes t0, t1.
get:
  li t0, ${VIRT_MAP.uart.base}
  lbu t1, 5(t0)
  andi t1, t1, ${LSR_DR}
  li a0, -1
  beqz t1, get_none
  lbu a0, 0(t0)
get_none:
  ret
`
}
