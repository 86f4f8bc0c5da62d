/** The M-mode monitor that runs the programs of an image one after the other. */
import {
  ARENA_BYTES,
  ARENAS,
  ENTRY,
  FCSR,
  INITIAL_F,
  INITIAL_X,
  LOG,
  MSTATUS,
  RAM,
  RECORD,
  RECORD_BYTES,
  RECORD_CSRS,
  RECORD_F,
  RECORDED,
  RESUME,
  SAVED_X,
  SETTING_VALUES,
  SETTINGS,
  SLOT,
  SLOT_BYTES,
  SLOT_COUNT,
} from './arena.ts'
import { TOHOST } from '../tools.ts'

const [LOCKED, NAPOT, EXECUTE, READ] = [0x80, 0x18, 4, 1]
/**
 * PMP entries behind the two of a program: the monitor can be written by nobody; M-mode reaches RAM and, at the end,
 * the test finisher, but no other device, for machines have different ones.
 */
const MONITOR_REGIONS = [
  { at: RAM, bytes: TOHOST - RAM, configuration: LOCKED | NAPOT | EXECUTE | READ },
  { at: RAM, bytes: 0x1000_0000, configuration: NAPOT },
  { at: 0x10_0000, bytes: 0x1000, configuration: 0 },
  { at: 0, bytes: 2 ** 55, configuration: LOCKED | NAPOT },
]
/** Their part of pmpcfg0. */
export const MONITOR_PMP = MONITOR_REGIONS.reduce(
  (bits, { configuration }, n) => bits | (BigInt(configuration) << BigInt((n + 2) * 8)),
  0n,
)

const registers = Array.from({ length: 32 }, (_, register) => register)
const lines = (from: readonly string[]): string => from.join('\n')

/** Assembly of the monitor for `count` programs. Its only own state is mscratch: the running program's arena. */
export function monitorSource(count: number): string {
  return `
  .globl _start
_start:
  la t0, trap
  csrw mtvec, t0
  csrw mie, zero
  li t0, 0x2004000        # mtimecmp: no timer interrupt
  li t1, -1
  sd t1, 0(t0)
${lines(MONITOR_REGIONS.map(({ at, bytes }, n) => `  li t0, ${Math.floor(at / 4) + bytes / 8 - 1}\n  csrw pmpaddr${n + 2}, t0`))}
  li t0, ${MONITOR_PMP}
  csrw pmpcfg0, t0
  li s0, ${ARENAS}
  csrw mscratch, s0

start:                    # mscratch is the arena of the program to start
  csrr x2, mscratch
  li t0, ${ARENAS + count * ARENA_BYTES}
  bgeu x2, t0, finish
  li t0, ${LOG}
  add t0, t0, x2
  sd t0, ${RECORD}(x2)
  sd zero, ${SLOT}(x2)
  li t0, 0x6000
  csrs mstatus, t0
${lines(registers.map(n => `  fld f${n}, ${INITIAL_F + n * 8}(x2)`))}
  ld t0, ${FCSR}(x2)
  csrw fcsr, t0
${lines(SETTINGS.map((name, index) => `  ld t0, ${SETTING_VALUES + index * 8}(x2)\n  csrw ${name}, t0`))}
  csrr t0, mstatus
  sd t0, ${MSTATUS}(x2)
${lines(registers.filter(n => n > 0).map(n => `  ld t0, ${INITIAL_X + n * 8}(x2)\n  sd t0, ${SAVED_X + n * 8}(x2)`))}
  sfence.vma
  hfence.gvma
  hfence.vvma
  fence.i

resume:                   # x2 is the arena: go on at its slot
  ld t0, ${SLOT}(x2)
  li t1, ${SLOT_BYTES}
  mul t0, t0, t1
  ld t1, ${ENTRY}(x2)
  add t0, t0, t1
  csrw mepc, t0
  ld t0, ${MSTATUS}(x2)
  li t1, 0x8000021800     # MPV, MPRV, MPP
  not t1, t1
  and t0, t0, t1
  ld t1, ${RESUME}(x2)
  or t0, t0, t1
  csrw mstatus, t0
  ld x1, ${SAVED_X + 8}(x2)
${lines(registers.filter(n => n > 2).map(n => `  ld x${n}, ${SAVED_X + n * 8}(x2)`))}
  ld x2, ${SAVED_X + 16}(x2)
  mret

  .balign 4
trap:
  csrrw x2, mscratch, x2
  sd x1, ${SAVED_X + 8}(x2)
${lines(registers.filter(n => n > 2).map(n => `  sd x${n}, ${SAVED_X + n * 8}(x2)`))}
  csrr x1, mscratch
  sd x1, ${SAVED_X + 16}(x2)
  csrw mscratch, x2
  ld x3, ${RECORD}(x2)
  csrr x1, mstatus
  sd x1, ${RECORD_CSRS}(x3)
  sd x1, ${MSTATUS}(x2)
  li x1, 0x6000
  csrs mstatus, x1
${lines(RECORDED.slice(1).map((name, index) => `  csrr x1, ${name}\n  sd x1, ${RECORD_CSRS + (index + 1) * 8}(x3)`))}
${lines(registers.map(n => `  fsd f${n}, ${RECORD_F + n * 8}(x3)`))}
${lines(registers.filter(n => n > 0).map(n => `  ld x1, ${SAVED_X + n * 8}(x2)\n  sd x1, ${n * 8}(x3)`))}
  li x1, 1
  sd x1, 0(x3)            # this record is written
  addi x3, x3, ${RECORD_BYTES}
  sd x3, ${RECORD}(x2)

  # Which slot trapped: mepc, or in a vector what the vector was entered for; at least the one after the last.
  ld x4, ${SLOT}(x2)
  ld x6, ${ENTRY}(x2)
  li x7, 4096
  csrr x5, mepc
  sub x5, x5, x6
  bltu x5, x7, known
  csrr x5, sepc
  csrr x8, mcause
  li x9, 9
  bne x8, x9, 1f
  sub x5, x5, x6
  bltu x5, x7, known
1:
  li x9, 9
  beq x8, x9, 2f
  li x9, 10
  bne x8, x9, advance
2:
  csrr x5, vsepc
  sub x5, x5, x6
  bgeu x5, x7, advance
known:
  srli x5, x5, 5
  bltu x5, x4, advance
  mv x4, x5
advance:
  addi x4, x4, 1
  sd x4, ${SLOT}(x2)
  ld x5, ${SLOT_COUNT}(x2)
  bltu x4, x5, resume
  li x1, ${ARENA_BYTES}
  add x2, x2, x1
  csrw mscratch, x2
  j start

finish:
  li t0, ${TOHOST}
  li t1, 1
  sd t1, 0(t0)
  li t0, ${NAPOT}
  slli t0, t0, 32
  csrw pmpcfg0, t0        # opens entry 4
  li t0, 0x100000         # the test finisher: pass
  li t1, 0x5555
  sw t1, 0(t0)
  j finish
`
}
