/** Reset: each hart sets itself up; hart 0 goes on to the payload, the others wait to be started. */
import { PAYLOAD_AT } from '../virt-map.ts'
import { aplic as registers } from '../../spec/devices/aplic.ts'
import { HART_STATE } from '../../spec/sbi.ts'
import { HART_ID, OPAQUE, SCRATCH_SHIFT, START_ADDRESS, STATE } from './layout.ts'
import type { FirmwarePlace } from './firmware.ts'

/** "OSBI": the word that opens the boot information in a2, which names the payload's address. */
const BOOT_INFORMATION_MAGIC = 0x4942_534f

/** Every exception but the SBI's own call and M-mode's: HS-mode handles them, or passes them on to VS-mode. */
const DELEGATED_EXCEPTIONS = 0xf0_b5ff
/** SSI, STI, SEI. Those of VS-mode are delegated by the hardware. */
const DELEGATED_INTERRUPTS = 0x222
/** menvcfg: CBIE (invalidate), CBCFE, CBZE; above, PBMTE and STCE. What the hart lacks stays zero. */
const ENVIRONMENT = 0xf0
const ENVIRONMENT_HIGH = 0xc000_0000
const MSTATUS_FS_INITIAL = 0x2000
const MSTATUS_MPP_SUPERVISOR = 0x800
const MSIE = 0x8
const MSTATEEN = [0x30c, 0x30d, 0x30e, 0x30f]
/** PMP 0: NAPOT, nothing allowed (the firmware). PMP 1: NAPOT, all allowed (everything else). */
const PMP_CONFIGURATION = 0x1f18

/** What the payload must not find: registers other than a0 and a1. */
const CLEARED = [
  'ra',
  'sp',
  'gp',
  'tp',
  't0',
  't1',
  't2',
  's0',
  's1',
  'a2',
  'a3',
  'a4',
  'a5',
  'a6',
  'a7',
  's2',
  's3',
  's4',
  's5',
  's6',
  's7',
  's8',
  's9',
  's10',
  's11',
  't3',
  't4',
  't5',
  't6',
]

/** All of an APLIC's sources go to its S-mode domain, child 0. */
function delegation({ base, sources }: NonNullable<FirmwarePlace['aplic']>): string {
  return `
  li t0, ${base + registers.sourcecfg.at}
  li t1, ${base + registers.sourcecfg.at + sources * registers.sourcecfg.stride}
  li t2, ${1 << registers.sourcecfg.fields.D.low}
delegate:
  sw t2, 0(t0)
  addi t0, t0, ${registers.sourcecfg.stride}
  bltu t0, t1, delegate
`
}

/** The text from reset to the payload's first instruction. */
export function start({ harts, base, bytes, aplic }: FirmwarePlace): string {
  return `
_start:
  csrw mie, zero
  li t0, ${harts}
  bgeu a0, t0, park
  la sp, scratch
  slli t1, a0, ${SCRATCH_SHIFT}
  add sp, sp, t1
  csrw mscratch, sp
  sd a0, ${HART_ID}(sp)
  mv s0, a1
  mv s1, a2
  call initialise
  ld t0, ${HART_ID}(sp)
  bnez t0, wait_for_start

${aplic ? delegation(aplic) : ''}
  # Hart 0: the payload's address, if whoever jumped here names one.
  li t2, ${PAYLOAD_AT}
  beqz s1, boot
  ld t0, 0(s1)
  li t1, ${BOOT_INFORMATION_MAGIC}
  bne t0, t1, boot
  ld t0, 16(s1)
  beqz t0, boot
  mv t2, t0
boot:
  sd t2, ${START_ADDRESS}(sp)
  sd s0, ${OPAQUE}(sp)
  j enter_supervisor

# A hart that this firmware was not built for.
park:
  wfi
  j park

initialise:
  la t0, trap
  csrw mtvec, t0
  li t0, ${DELEGATED_EXCEPTIONS}
  csrw medeleg, t0
  li t0, ${DELEGATED_INTERRUPTS}
  csrw mideleg, t0
  li t0, -1
  csrw mcounteren, t0
  csrw mcountinhibit, zero
  li t0, 7
  csrw scounteren, t0
  li t0, ${ENVIRONMENT_HIGH}
  slli t0, t0, 32
  ori t0, t0, ${ENVIRONMENT}
  csrw menvcfg, t0
  # Where STCE or stimecmp is missing (the write then traps, and goes on behind), mtimecmp serves.
  la t1, has_stimecmp
  sd zero, 0(t1)
  csrr t0, menvcfg
  bgez t0, after_stimecmp
  la t0, after_stimecmp
  csrw mtvec, t0
  li t0, -1
  csrw stimecmp, t0
  li t0, 1
  sd t0, 0(t1)
  .balign 4
after_stimecmp:
  la t0, trap
  csrw mtvec, t0
  csrr t0, misa
  srli t0, t0, 7
  andi t0, t0, 1
  la t1, has_hypervisor
  sd t0, 0(t1)
  li t0, ${base / 4 + bytes / 8 - 1}
  csrw pmpaddr0, t0
  li t0, -1
  srli t0, t0, 10
  csrw pmpaddr1, t0
  li t0, ${PMP_CONFIGURATION}
  csrw pmpcfg0, t0
  sfence.vma
  # mstateen0 to mstateen3. A hart without Smstateen traps here, and goes on behind.
  la t0, after_state_enables
  csrw mtvec, t0
  li t0, -1
${MSTATEEN.map(number => `  csrw 0x${number.toString(16)}, t0`).join('\n')}
  .balign 4
after_state_enables:
  la t0, trap
  csrw mtvec, t0
  ret

# HSM: a stopped hart. Fences asked for while it was stopping are still acknowledged.
wait_for_start:
  li t0, ${MSIE}
  csrw mie, t0
wait_again:
  csrr t0, mip
  andi t0, t0, ${MSIE}
  beqz t0, no_event
  call take_events
no_event:
  lw t0, ${STATE}(sp)
  li t1, ${HART_STATE.START_PENDING}
  beq t0, t1, enter_supervisor
  wfi
  j wait_again

# To S-mode at the start address with a0 = hart id, a1 = opaque, interrupts off, translation off (SBI 9.1).
enter_supervisor:
  fence
  li t0, ${HART_STATE.STARTED}
  sw t0, ${STATE}(sp)
  csrw satp, zero
  csrw sie, zero
  csrci mip, 2
  sfence.vma
  la t0, has_hypervisor
  ld t0, 0(t0)
  beqz t0, no_guest
  csrw vsatp, zero
  csrw hgatp, zero
  hfence.gvma
  hfence.vvma
no_guest:
  fence.i
  # MPV (39), MPRV (17), MPP, FS, SIE and the rest below bit 23 are cleared; UXL and SXL are left alone.
  li t2, 0x7fffff
  csrc mstatus, t2
  li t2, 1
  slli t2, t2, 39
  csrc mstatus, t2
  li t2, ${MSTATUS_MPP_SUPERVISOR | MSTATUS_FS_INITIAL}
  csrs mstatus, t2
  li t2, ${MSIE}
  csrw mie, t2
  ld t0, ${START_ADDRESS}(sp)
  csrw mepc, t0
  csrw stvec, t0
  csrw sscratch, zero
  ld a0, ${HART_ID}(sp)
  ld a1, ${OPAQUE}(sp)
${CLEARED.map(register => `  li ${register}, 0`).join('\n')}
  mret
`
}
