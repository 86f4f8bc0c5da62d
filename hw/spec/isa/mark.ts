/**
 * Marks, with which a guest says where the part that is to be measured begins and ends: two of the HINTs that the
 * manual leaves to software (slti with rd = x0), so that they do nothing on any other machine or hypervisor.
 */
import { rule } from '../sources.ts'
import { instruction } from './language.ts'

export const mark = [
  instruction('mark.start', '011010100000 00000 010 00000 0010011', '', rule('hints_enc'), m =>
    m.perform('mark', m.constant(0n), m.constant(0n)),
  ),
  instruction('mark.end', '011010100001 00000 010 00000 0010011', '', rule('hints_enc'), m =>
    m.perform('mark', m.constant(1n), m.constant(0n)),
  ),
]
