/** Zbs, single-bit instructions. */
import { rule } from '../sources.ts'
import { instruction } from './language.ts'
import { immediate, invert, registers, type Binary } from './meanings.ts'

const bit: Binary = (m, _, index) => m.shl(m.constant(1n), index)
const bclr: Binary = (m, a, index) => m.and(a, invert(m, bit(m, a, index)))
const bext: Binary = (m, a, index) => m.and(m.shr(a, index), m.constant(1n))
const binv: Binary = (m, a, index) => m.xor(a, bit(m, a, index))
const bset: Binary = (m, a, index) => m.or(a, bit(m, a, index))

// biome-ignore format: a table
export const zbs = [
  instruction('bclr', '0100100 ..... ..... 001 ..... 0110011', 'rd, rs1, rs2', rule('bclr_op'), registers(bclr)),
  instruction('bclri', '010010 ...... ..... 001 ..... 0010011', 'rd, rs1, shamt', rule('bclri_op'), immediate(bclr)),
  instruction('bext', '0100100 ..... ..... 101 ..... 0110011', 'rd, rs1, rs2', rule('bext_op'), registers(bext)),
  instruction('bexti', '010010 ...... ..... 101 ..... 0010011', 'rd, rs1, shamt', rule('bexti_op'), immediate(bext)),
  instruction('binv', '0110100 ..... ..... 001 ..... 0110011', 'rd, rs1, rs2', rule('binv_op'), registers(binv)),
  instruction('binvi', '011010 ...... ..... 001 ..... 0010011', 'rd, rs1, shamt', rule('binvi_op'), immediate(binv)),
  instruction('bset', '0010100 ..... ..... 001 ..... 0110011', 'rd, rs1, rs2', rule('bset_op'), registers(bset)),
  instruction('bseti', '001010 ...... ..... 001 ..... 0010011', 'rd, rs1, shamt', rule('bseti_op'), immediate(bset)),
]
