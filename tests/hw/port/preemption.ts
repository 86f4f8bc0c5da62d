/** A user-mode process that sums a table while a timer preempts it over and over. */
import { adder, ELEMENTS } from './software/adder.ts'
import { SAVE_ALL, testBed, type TestBed } from './test-bed.ts'

/** What the process must come to. */
export const SUM = (ELEMENTS * (ELEMENTS - 1)) / 2

/** The timer fires every `ticks` ticks; 0 for never. */
export function preempted(ticks: number): TestBed {
  return testBed(
    `${SAVE_ALL}
      la t0, handler
      csrw mtvec, t0
      li t0, -1              # all of memory for U
      csrw pmpaddr0, t0
      li t0, 0x1f
      csrw pmpcfg0, t0
      li t0, 0x80            # MTIE
      csrw mie, t0
      li t0, ${ticks}
      beqz t0, 1f
      call arm
    1:
      la t0, process
      csrw mepc, t0
      csrw mstatus, zero
      mret
    process:
      enter add_up
    added:
      ecall
    arm:
      li t1, MTIME
      ld t1, 0(t1)
      addi t1, t1, ${ticks}
      li t2, MTIMECMP
      sd t1, 0(t2)
      ret
      .balign 4
    handler:
      save_all
      csrr t0, mcause
      bgez t0, finished
      la t0, interrupts
      ld t1, 0(t0)
      addi t1, t1, 1
      sd t1, 0(t0)
      csrr t2, mepc
      sd t2, 8(t0)
      sd t6, 16(t0)
      ld t3, turns
      sd t3, 24(t0)
      call arm
      restore_all
      mret
    finished:
      li t0, FINISHER
      li t1, 0x5555
      sw t1, 0(t0)
      j finished
      .balign 8
    table:
      ${Array.from({ length: ELEMENTS }, (_, i) => `.word ${i}`).join('\n')}
      .balign 8
    turns: .dword 0
    result: .zero 24
    interrupts: .zero 32
    `,
    address =>
      adder({ table: address('table'), turns: address('turns'), result: address('result'), after: address('added') }),
  )
}

/** The same process, stopped by hart 0's timer after `ticks` ticks and taken up by hart 1. */
export function migrated(ticks: number): TestBed {
  return testBed(
    `${SAVE_ALL}
      la t0, handler
      csrw mtvec, t0
      li t0, -1
      csrw pmpaddr0, t0
      li t0, 0x1f
      csrw pmpcfg0, t0
      csrw mstatus, zero
      csrr t0, mhartid
      bnez t0, second
      li t0, 0x80
      csrw mie, t0
      li t1, MTIME
      ld t1, 0(t1)
      addi t1, t1, ${ticks}
      li t2, MTIMECMP
      sd t1, 0(t2)
      la t0, process
      csrw mepc, t0
      mret
    process:
      enter add_up
    added:
      ecall
    second:
      ld t0, stopped_at
      beqz t0, second
      csrw mepc, t0
      restore_all
      mret
      .balign 4
    handler:
      csrw mscratch, t0
      csrr t0, mcause
      bgez t0, finished
      csrr t0, mscratch
      save_all
      csrr t0, mepc
      la t1, stopped_at
      sd t0, 0(t1)
      csrw mie, zero
    1: wfi
      j 1b
    finished:
      li t0, FINISHER
      li t1, 0x5555
      sw t1, 0(t0)
      j finished
      .balign 8
    table:
      ${Array.from({ length: ELEMENTS }, (_, i) => `.word ${i}`).join('\n')}
      .balign 8
    turns: .dword 0
    result: .zero 24
    stopped_at: .dword 0
    `,
    address =>
      adder({ table: address('table'), turns: address('turns'), result: address('result'), after: address('added') }),
    2,
  )
}
