/**
 * Processes that a host has whether anybody needs them or not. They sleep and wake now and then, look around, note it in
 * the log, and sleep again, as those of a plain Debian do: one that evens out interrupts wakes every 10 s, one for jobs by
 * the clock every minute, and that one logs.
 */
import { assemble } from '../../../hw/spec/isa/assembler.ts'
import { LOG } from '../../../hw/spec/layouts/host-file-system.ts'
import type { ProgramImage } from './elf.ts'

const OPENAT = 56
const WRITE = 64
const NANOSLEEP = 101
const GETPPID = 173
/** Policy: seconds between two wake-ups of each (irqbalance's and cron's own defaults). */
const PERIODS = [10, 60] as const
/** Bytes that the second notes each time. */
const LINES = [0, 64] as const
const ORIGIN = 0x1_0000

function daemon(seconds: number, line: number): ProgramImage {
  const { bytes } = assemble(
    `
    .option norvc
    la a1, log
    li a2, 0
    li a7, ${OPENAT}
    ecall
    mv s1, a0
1:  la a0, period
    li a1, 0
    li a7, ${NANOSLEEP}
    ecall
    li a7, ${GETPPID}
    ecall
    li a2, ${line}
    beqz a2, 1b
    mv a0, s1
    la a1, log
    li a7, ${WRITE}
    ecall
    j 1b
    .balign 8
period:
    .dword ${seconds}
    .dword 0
log:
    .asciz "/${LOG.directory}/${LOG.name}"
    .space 64
`,
    { origin: ORIGIN },
  )
  return { bytes, origin: ORIGIN, entry: ORIGIN, memory: bytes.length }
}

/** Their programs. */
export function daemons(): readonly ProgramImage[] {
  return PERIODS.map((seconds, index) => daemon(seconds, LINES[index]))
}
