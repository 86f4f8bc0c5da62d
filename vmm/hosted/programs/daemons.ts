/**
 * Processes that a host has whether anybody needs them or not. They sleep and wake now and then, look around, and sleep
 * again, as those of a plain Debian do: one that evens out interrupts wakes every 10 s, one for jobs by the clock every minute.
 */
import { assemble } from '../../../hw/spec/isa/assembler.ts'
import type { ProgramImage } from './elf.ts'

const NANOSLEEP = 101
const GETPPID = 173
/** Policy: seconds between two wake-ups of each (irqbalance's and cron's own defaults). */
const PERIODS = [10, 60] as const
const ORIGIN = 0x1_0000

function daemon(seconds: number): ProgramImage {
  const { bytes } = assemble(
    `
    .option norvc
1:  la a0, period
    li a1, 0
    li a7, ${NANOSLEEP}
    ecall
    li a7, ${GETPPID}
    ecall
    j 1b
    .balign 8
period:
    .dword ${seconds}
    .dword 0
`,
    { origin: ORIGIN },
  )
  return { bytes, origin: ORIGIN, entry: ORIGIN, memory: bytes.length }
}

/** Their programs. */
export function daemons(): readonly ProgramImage[] {
  return PERIODS.map(seconds => daemon(seconds))
}
