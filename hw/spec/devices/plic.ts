/** The RISC-V platform-level interrupt controller. Chapters of the PLIC specification 1.0.0. */
import { registers } from '../registers.ts'

export const plic = registers({
  /** By source; source 0 does not exist. */
  priority: { at: 0x000000, width: 32, access: 'rw', count: 1024, stride: 4, spec: 'PLIC 4' },
  /** One bit a source, 32 to a word. */
  pending: { at: 0x001000, width: 32, access: 'ro', count: 32, stride: 4, spec: 'PLIC 5' },
  /** First word of each context's enable bits; the context's other 31 words follow it. */
  enable: { at: 0x002000, width: 32, access: 'rw', count: 15872, stride: 0x80, spec: 'PLIC 6' },
  threshold: { at: 0x200000, width: 32, access: 'rw', count: 15872, stride: 0x1000, spec: 'PLIC 7' },
  /** Reading claims the best pending source, writing its number back completes it. */
  claim: { at: 0x200004, width: 32, access: 'rw', count: 15872, stride: 0x1000, spec: 'PLIC 8, 9' },
})

/** As the SiFive PLIC has it: three bits of priority. */
export const PLIC_PRIORITY_MAX = 7
export const PLIC_BYTES = 0x600000
