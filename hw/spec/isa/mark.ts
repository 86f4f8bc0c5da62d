/**
 * Marks, with which a guest says where the parts that are to be measured begin and end: some of the HINTs that the
 * manual leaves to software (slti with rd = x0), so that they do nothing on any other machine or hypervisor.
 * `mark.start` and `mark.end` enclose a workload. The others have a register: of several parts `mark.begin` and
 * `mark.finish` say by number which, and `mark.due` says when one begins that will be finished next on this hart: at a
 * time, as the guest's time CSR has it.
 */
import { rule } from '../sources.ts'
import { instruction } from './language.ts'

/** What a mark says, by the number that its meaning performs. */
export const MARKS = ['start', 'end', 'due'] as const
export type MarkKind = (typeof MARKS)[number]
/** A part begins, or ends. */
export type PartMark = Exclude<MarkKind, 'due'>

export const mark = [
  instruction('mark.start', '011010100000 00000 010 00000 0010011', '', rule('hints_enc'), m =>
    m.perform('mark', m.constant(0n), m.constant(0n)),
  ),
  instruction('mark.end', '011010100001 00000 010 00000 0010011', '', rule('hints_enc'), m =>
    m.perform('mark', m.constant(1n), m.constant(0n)),
  ),
  instruction('mark.begin', '011010100000 ..... 010 00000 0010011', 'rs1', rule('hints_enc'), (m, i) =>
    m.perform('mark', m.constant(0n), m.x(i.rs1)),
  ),
  instruction('mark.finish', '011010100001 ..... 010 00000 0010011', 'rs1', rule('hints_enc'), (m, i) =>
    m.perform('mark', m.constant(1n), m.x(i.rs1)),
  ),
  instruction('mark.due', '011010100010 ..... 010 00000 0010011', 'rs1', rule('hints_enc'), (m, i) =>
    m.perform('mark', m.constant(2n), m.x(i.rs1)),
  ),
]
