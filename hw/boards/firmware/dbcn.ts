/** SBI debug console (chapter 12): the UART, by bytes in memory. */
import { SBI_SUCCESS } from '../../spec/sbi.ts'
import type { FirmwarePlace } from './firmware.ts'

/** The text of the calls. The firmware's own memory is neither shown nor written. */
export function dbcn({ base, bytes }: FirmwarePlace): string {
  return `
sbi_dbcn:
  li t0, 2
  beq a6, t0, dbcn_byte
  bgtu a6, t0, sbi_not_supported
  # a0 bytes at physical a1 (low), a2 (high).
  bnez a2, sbi_invalid_param
  add a3, a1, a0
  bltu a3, a1, sbi_invalid_param
  li t0, ${base}
  bleu a3, t0, dbcn_range
  li t0, ${base + bytes}
  bltu a1, t0, sbi_invalid_param
dbcn_range:
  # A fault in what follows is the caller's: it lands in dbcn_fault, which needs these two as they were.
  csrr a4, mepc
  csrr a5, mstatus
  la t0, dbcn_fault
  csrw mtvec, t0
  mv s0, a1
  bnez a6, dbcn_read
dbcn_write:
  bgeu s0, a3, dbcn_done
  lbu a0, 0(s0)
  call put
  addi s0, s0, 1
  j dbcn_write
dbcn_read:
  bgeu s0, a3, dbcn_done
  call get
  bltz a0, dbcn_done
  sb a0, 0(s0)
  addi s0, s0, 1
  j dbcn_read
dbcn_done:
  la t0, trap
  csrw mtvec, t0
  li a0, ${SBI_SUCCESS}
  sub a1, s0, a1
  j sbi_return
dbcn_byte:
  call put
  j sbi_success
  .balign 4
dbcn_fault:
  la t0, trap
  csrw mtvec, t0
  csrw mepc, a4
  csrw mstatus, a5
  j sbi_invalid_param
`
}
