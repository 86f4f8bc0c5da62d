/** Zicsr: a CSR is not read if rd is x0 (csrrw), and not written if rs1 is x0 or the immediate 0 (set and clear). */
import { rule } from '../sources.ts'
import { instruction, type Meaning } from './language.ts'

const write: Meaning = (m, i) => m.setX(i.rd, m.csr(i.csr, 'write', m.x(i.rs1), i.number(i.rd), m.constant(1n)))
const change =
  (operation: 'set' | 'clear'): Meaning =>
  (m, i) =>
    m.setX(i.rd, m.csr(i.csr, operation, m.x(i.rs1), m.constant(1n), i.number(i.rs1)))
const writeImmediate: Meaning = (m, i) => m.setX(i.rd, m.csr(i.csr, 'write', i.imm, i.number(i.rd), m.constant(1n)))
const changeImmediate =
  (operation: 'set' | 'clear'): Meaning =>
  (m, i) =>
    m.setX(i.rd, m.csr(i.csr, operation, i.imm, m.constant(1n), i.imm))

// biome-ignore format: a table
export const zicsr = [
  instruction('csrrw', '............ ..... 001 ..... 1110011', 'rd, csr, rs1', rule('csrrw_op'), write),
  instruction('csrrs', '............ ..... 010 ..... 1110011', 'rd, csr, rs1', rule('csrrs_op'), change('set')),
  instruction('csrrc', '............ ..... 011 ..... 1110011', 'rd, csr, rs1', rule('csrrc_op'), change('clear')),
  instruction('csrrwi', '............ ..... 101 ..... 1110011', 'rd, csr, zimm', rule('csrrwi_op'), writeImmediate),
  instruction('csrrsi', '............ ..... 110 ..... 1110011', 'rd, csr, zimm', rule('csrrsi_op'),
    changeImmediate('set')),
  instruction('csrrci', '............ ..... 111 ..... 1110011', 'rd, csr, zimm', rule('csrrci_op'),
    changeImmediate('clear')),
]
