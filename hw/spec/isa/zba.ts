/** Zba, address generation. */
import { rule } from '../sources.ts'
import { instruction } from './language.ts'
import { immediate, registers, type Binary } from './meanings.ts'

/** b + (a << amount), the shape of sh1add and its kin. */
const shiftedAdd =
  (amount: bigint): Binary =>
  (m, a, b) =>
    m.add(m.shl(a, m.constant(amount)), b)
/** The same on the low word of a. */
const shiftedAddWord =
  (amount: bigint): Binary =>
  (m, a, b) =>
    m.add(m.shl(m.zext(a, 32), m.constant(amount)), b)

// biome-ignore format: a table
export const zba = [
  instruction('sh1add', '0010000 ..... ..... 010 ..... 0110011', 'rd, rs1, rs2', rule('sh1add_op'),
    registers(shiftedAdd(1n))),
  instruction('sh2add', '0010000 ..... ..... 100 ..... 0110011', 'rd, rs1, rs2', rule('sh2add_op'),
    registers(shiftedAdd(2n))),
  instruction('sh3add', '0010000 ..... ..... 110 ..... 0110011', 'rd, rs1, rs2', rule('sh3add_op'),
    registers(shiftedAdd(3n))),
  instruction('sh1add.uw', '0010000 ..... ..... 010 ..... 0111011', 'rd, rs1, rs2', rule('sh1add_uw_op'),
    registers(shiftedAddWord(1n))),
  instruction('sh2add.uw', '0010000 ..... ..... 100 ..... 0111011', 'rd, rs1, rs2', rule('sh2add_uw_op'),
    registers(shiftedAddWord(2n))),
  instruction('sh3add.uw', '0010000 ..... ..... 110 ..... 0111011', 'rd, rs1, rs2', rule('sh3add_uw_op'),
    registers(shiftedAddWord(3n))),
  instruction('add.uw', '0000100 ..... ..... 000 ..... 0111011', 'rd, rs1, rs2', rule('add_uw_op'),
    registers((m, a, b) => m.add(m.zext(a, 32), b))),
  instruction('slli.uw', '000010 ...... ..... 001 ..... 0011011', 'rd, rs1, shamt', rule('slli_uw_op'),
    immediate((m, a, b) => m.shl(m.zext(a, 32), b))),
]
