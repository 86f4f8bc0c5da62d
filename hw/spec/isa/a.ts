/**
 * A, atomic instructions. Memory operations of one hart complete in program order and harts take turns, so aq and rl
 * have nothing left to do.
 */
import { rule } from '../sources.ts'
import { instruction, type Meaning } from './language.ts'
import type { AmoOperation } from './semantics.ts'

const loadReserved =
  (bytes: 4 | 8): Meaning =>
  (m, i) =>
    m.setX(i.rd, m.loadReserved(m.x(i.rs1), bytes))
const storeConditional =
  (bytes: 4 | 8): Meaning =>
  (m, i) =>
    m.setX(i.rd, m.storeConditional(m.x(i.rs1), bytes, m.x(i.rs2)))
/** An AMO faults as a store, never as a load. */
const amo =
  (operation: AmoOperation, bytes: 4 | 8): Meaning =>
  (m, i) =>
    m.setX(i.rd, m.amo(m.x(i.rs1), bytes, operation, m.x(i.rs2)))

// biome-ignore format: a table
export const a = [
  instruction('lr.w', '00010 . . 00000 ..... 010 ..... 0101111', 'rd, (rs1)', rule('lr_w_op'), loadReserved(4)),
  instruction('sc.w', '00011 . . ..... ..... 010 ..... 0101111', 'rd, rs2, (rs1)', rule('sc_w_success'),
    storeConditional(4)),
  instruction('amoswap.w', '00001 . . ..... ..... 010 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('swap', 4)),
  instruction('amoadd.w', '00000 . . ..... ..... 010 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('add', 4)),
  instruction('amoxor.w', '00100 . . ..... ..... 010 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('xor', 4)),
  instruction('amoand.w', '01100 . . ..... ..... 010 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('and', 4)),
  instruction('amoor.w', '01000 . . ..... ..... 010 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('or', 4)),
  instruction('amomin.w', '10000 . . ..... ..... 010 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('min', 4)),
  instruction('amomax.w', '10100 . . ..... ..... 010 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('max', 4)),
  instruction('amominu.w', '11000 . . ..... ..... 010 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('minu', 4)),
  instruction('amomaxu.w', '11100 . . ..... ..... 010 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('maxu', 4)),

  instruction('lr.d', '00010 . . 00000 ..... 011 ..... 0101111', 'rd, (rs1)', rule('lr_sc_rv64'), loadReserved(8)),
  instruction('sc.d', '00011 . . ..... ..... 011 ..... 0101111', 'rd, rs2, (rs1)', rule('lr_sc_rv64'),
    storeConditional(8)),
  instruction('amoswap.d', '00001 . . ..... ..... 011 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('swap', 8)),
  instruction('amoadd.d', '00000 . . ..... ..... 011 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('add', 8)),
  instruction('amoxor.d', '00100 . . ..... ..... 011 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('xor', 8)),
  instruction('amoand.d', '01100 . . ..... ..... 011 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('and', 8)),
  instruction('amoor.d', '01000 . . ..... ..... 011 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('or', 8)),
  instruction('amomin.d', '10000 . . ..... ..... 011 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('min', 8)),
  instruction('amomax.d', '10100 . . ..... ..... 011 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('max', 8)),
  instruction('amominu.d', '11000 . . ..... ..... 011 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('minu', 8)),
  instruction('amomaxu.d', '11100 . . ..... ..... 011 ..... 0101111', 'rd, rs2, (rs1)', rule('amo_operand_size'),
    amo('maxu', 8)),
]
