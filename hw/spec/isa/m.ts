/** M, integer multiplication and division. */
import { rule } from '../sources.ts'
import { instruction } from './language.ts'
import { registers } from './meanings.ts'

// biome-ignore format: a table
export const m = [
  instruction('mul', '0000001 ..... ..... 000 ..... 0110011', 'rd, rs1, rs2', rule('mul_op'),
    registers((m, a, b) => m.mul(a, b))),
  instruction('mulh', '0000001 ..... ..... 001 ..... 0110011', 'rd, rs1, rs2', rule('mulh_op'),
    registers((m, a, b) => m.mulh(a, b, 'ss'))),
  instruction('mulhsu', '0000001 ..... ..... 010 ..... 0110011', 'rd, rs1, rs2', rule('mulhsu_op'),
    registers((m, a, b) => m.mulh(a, b, 'su'))),
  instruction('mulhu', '0000001 ..... ..... 011 ..... 0110011', 'rd, rs1, rs2', rule('mulhu_op'),
    registers((m, a, b) => m.mulh(a, b, 'uu'))),
  instruction('div', '0000001 ..... ..... 100 ..... 0110011', 'rd, rs1, rs2', rule('div_op'),
    registers((m, a, b) => m.div(a, b, 'signed', 64))),
  instruction('divu', '0000001 ..... ..... 101 ..... 0110011', 'rd, rs1, rs2', rule('divu_op'),
    registers((m, a, b) => m.div(a, b, 'unsigned', 64))),
  instruction('rem', '0000001 ..... ..... 110 ..... 0110011', 'rd, rs1, rs2', rule('rem_op'),
    registers((m, a, b) => m.rem(a, b, 'signed', 64))),
  instruction('remu', '0000001 ..... ..... 111 ..... 0110011', 'rd, rs1, rs2', rule('remu_op'),
    registers((m, a, b) => m.rem(a, b, 'unsigned', 64))),

  instruction('mulw', '0000001 ..... ..... 000 ..... 0111011', 'rd, rs1, rs2', rule('mulw_op'),
    registers((m, a, b) => m.sext(m.mul(a, b), 32))),
  instruction('divw', '0000001 ..... ..... 100 ..... 0111011', 'rd, rs1, rs2', rule('divw_op'),
    registers((m, a, b) => m.div(a, b, 'signed', 32))),
  instruction('divuw', '0000001 ..... ..... 101 ..... 0111011', 'rd, rs1, rs2', rule('divuw_op'),
    registers((m, a, b) => m.div(a, b, 'unsigned', 32))),
  instruction('remw', '0000001 ..... ..... 110 ..... 0111011', 'rd, rs1, rs2', rule('remw_op'),
    registers((m, a, b) => m.rem(a, b, 'signed', 32))),
  instruction('remuw', '0000001 ..... ..... 111 ..... 0111011', 'rd, rs1, rs2', rule('remuw_op'),
    registers((m, a, b) => m.rem(a, b, 'unsigned', 32))),
]
