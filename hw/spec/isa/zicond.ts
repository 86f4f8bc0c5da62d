/** Zicond, integer conditional operations. */
import { rule } from '../sources.ts'
import { instruction } from './language.ts'
import { registers } from './meanings.ts'

// biome-ignore format: a table
export const zicond = [
  instruction('czero.eqz', '0000111 ..... ..... 101 ..... 0110011', 'rd, rs1, rs2', rule('czero-eqz_op'),
    registers((m, a, b) => m.select(b, a, m.constant(0n)))),
  instruction('czero.nez', '0000111 ..... ..... 111 ..... 0110011', 'rd, rs1, rs2', rule('czero-nez_op'),
    registers((m, a, b) => m.select(b, m.constant(0n), a))),
]
