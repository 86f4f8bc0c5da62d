/** Environment calls and the privileged instructions of machine and supervisor level. */
import { rule } from '../sources.ts'
import { instruction, type Meaning } from './language.ts'
import type { Action } from './semantics.ts'

const perform =
  (action: Action): Meaning =>
  m =>
    m.perform(action, m.constant(0n), m.constant(0n))

// biome-ignore format: a table
export const privileged = [
  instruction('ecall', '000000000000 00000 000 00000 1110011', '', rule('ecall_op'), perform('ecall')),
  instruction('ebreak', '000000000001 00000 000 00000 1110011', '', rule('ebreak_op'), perform('ebreak')),
  instruction('sret', '0001000 00010 00000 000 00000 1110011', '', rule('sret_op'), perform('sret')),
  instruction('mret', '0011000 00010 00000 000 00000 1110011', '', rule('mret_op'), perform('mret')),
  instruction('wfi', '0001000 00101 00000 000 00000 1110011', '', rule('wfi_op'), perform('wfi')),
  instruction('sfence.vma', '0001001 ..... ..... 000 00000 1110011', 'rs1, rs2', rule('sfence_vma_op'),
    (m, i) => m.perform('sfence.vma', m.x(i.rs1), m.x(i.rs2))),
]
