/** Svinval, fine-grained address-translation cache invalidation. */
import { rule } from '../sources.ts'
import { instruction, type Meaning } from './language.ts'
import type { Action } from './semantics.ts'

const invalidate =
  (action: Action): Meaning =>
  (m, i) =>
    m.perform(action, m.x(i.rs1), m.x(i.rs2))
const order =
  (action: Action): Meaning =>
  m =>
    m.perform(action, m.constant(0n), m.constant(0n))

// biome-ignore format: a table
export const svinval = [
  instruction('sinval.vma', '0001011 ..... ..... 000 00000 1110011', 'rs1, rs2',
    rule('Svinval_sinval_vma_invalidates_same_as_sfence_vma'), invalidate('sinval.vma')),
  instruction('sfence.w.inval', '0001100 00000 00000 000 00000 1110011', '',
    rule('Svinval_sfence_w_inval_orders_before_sinval_vma'), order('sfence.w.inval')),
  instruction('sfence.inval.ir', '0001100 00001 00000 000 00000 1110011', '',
    rule('Svinval_sequence_reads_writes_after'), order('sfence.inval.ir')),
  instruction('hinval.vvma', '0010011 ..... ..... 000 00000 1110011', 'rs1, rs2',
    rule('Svinval_hinval_vvma_gvma'), invalidate('hinval.vvma')),
  instruction('hinval.gvma', '0110011 ..... ..... 000 00000 1110011', 'rs1, rs2',
    rule('Svinval_hinval_gvma_uses_vmid'), invalidate('hinval.gvma')),
]
