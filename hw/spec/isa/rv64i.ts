/** RV64I, the base integer instruction set. */
import { rule } from '../sources.ts'
import { instruction, type Meaning } from './language.ts'
import { addw, immediate, low5, registers, type Binary } from './meanings.ts'
import type { Semantics } from './semantics.ts'

const subw: Binary = (m, a, b) => m.sext(m.sub(a, b), 32)
const sllw: Binary = (m, a, b) => m.sext(m.shl(a, low5(m, b)), 32)
const srlw: Binary = (m, a, b) => m.sext(m.shr(m.zext(a, 32), low5(m, b)), 32)
const sraw: Binary = (m, a, b) => m.sar(m.sext(a, 32), low5(m, b))

const branch =
  (condition: Binary): Meaning =>
  (m, i) =>
    m.branch(condition(m, m.x(i.rs1), m.x(i.rs2)), m.add(m.pc(), i.imm))
const not: <V>(m: Semantics<V>, a: V) => V = (m, a) => m.xor(a, m.constant(1n))

const load =
  (bytes: 1 | 2 | 4 | 8, sign: 'signed' | 'unsigned'): Meaning =>
  (m, i) =>
    m.setX(i.rd, m.load(m.add(m.x(i.rs1), i.imm), bytes, sign))
const store =
  (bytes: 1 | 2 | 4 | 8): Meaning =>
  (m, i) =>
    m.store(m.add(m.x(i.rs1), i.imm), bytes, m.x(i.rs2))

// biome-ignore format: a table
export const rv64i = [
  instruction('lui', '.................... ..... 0110111', 'rd, imm.u', rule('lui_op_rv64i'),
    (m, i) => m.setX(i.rd, i.imm)),
  instruction('auipc', '.................... ..... 0010111', 'rd, imm.u', rule('auipc_op_rv64i'),
    (m, i) => m.setX(i.rd, m.add(m.pc(), i.imm))),

  instruction('jal', '.................... ..... 1101111', 'rd, imm.j', rule('jal_op'), (m, i) => {
    m.setX(i.rd, m.nextPc())
    m.jump(m.add(m.pc(), i.imm))
  }),
  instruction('jalr', '............ ..... 000 ..... 1100111', 'rd, imm.i(rs1)', rule('jalr_op'), (m, i) => {
    const target = m.and(m.add(m.x(i.rs1), i.imm), m.constant(-2n)) // rd may be rs1: the target comes first
    m.setX(i.rd, m.nextPc())
    m.jump(target)
  }),

  instruction('beq', '....... ..... ..... 000 ..... 1100011', 'rs1, rs2, imm.b', rule('beq_op'),
    branch((m, a, b) => m.eq(a, b))),
  instruction('bne', '....... ..... ..... 001 ..... 1100011', 'rs1, rs2, imm.b', rule('bne_op'),
    branch((m, a, b) => not(m, m.eq(a, b)))),
  instruction('blt', '....... ..... ..... 100 ..... 1100011', 'rs1, rs2, imm.b', rule('blt_op'),
    branch((m, a, b) => m.lt(a, b))),
  instruction('bge', '....... ..... ..... 101 ..... 1100011', 'rs1, rs2, imm.b', rule('bge_op'),
    branch((m, a, b) => not(m, m.lt(a, b)))),
  instruction('bltu', '....... ..... ..... 110 ..... 1100011', 'rs1, rs2, imm.b', rule('bltu_op'),
    branch((m, a, b) => m.ltu(a, b))),
  instruction('bgeu', '....... ..... ..... 111 ..... 1100011', 'rs1, rs2, imm.b', rule('bgeu_op'),
    branch((m, a, b) => not(m, m.ltu(a, b)))),

  instruction('lb', '............ ..... 000 ..... 0000011', 'rd, imm.i(rs1)', rule('lb_rv64i_op'), load(1, 'signed')),
  instruction('lh', '............ ..... 001 ..... 0000011', 'rd, imm.i(rs1)', rule('lh_op_rv64i'), load(2, 'signed')),
  instruction('lw', '............ ..... 010 ..... 0000011', 'rd, imm.i(rs1)', rule('lw_op_rv64i'), load(4, 'signed')),
  instruction('ld', '............ ..... 011 ..... 0000011', 'rd, imm.i(rs1)', rule('ld_op_rv64i'), load(8, 'signed')),
  instruction('lbu', '............ ..... 100 ..... 0000011', 'rd, imm.i(rs1)', rule('lbu_rv64i_op'),
    load(1, 'unsigned')),
  instruction('lhu', '............ ..... 101 ..... 0000011', 'rd, imm.i(rs1)', rule('lhu_rv64i_op'),
    load(2, 'unsigned')),
  instruction('lwu', '............ ..... 110 ..... 0000011', 'rd, imm.i(rs1)', rule('lwu_op'), load(4, 'unsigned')),
  instruction('sb', '....... ..... ..... 000 ..... 0100011', 'rs2, imm.s(rs1)', rule('sb_op_rv64i'), store(1)),
  instruction('sh', '....... ..... ..... 001 ..... 0100011', 'rs2, imm.s(rs1)', rule('sh_op_rv64i'), store(2)),
  instruction('sw', '....... ..... ..... 010 ..... 0100011', 'rs2, imm.s(rs1)', rule('sw_op_rv64i'), store(4)),
  instruction('sd', '....... ..... ..... 011 ..... 0100011', 'rs2, imm.s(rs1)', rule('sd_op_rv64i'), store(8)),

  instruction('addi', '............ ..... 000 ..... 0010011', 'rd, rs1, imm.i', rule('addi_op'),
    immediate((m, a, b) => m.add(a, b))),
  instruction('slti', '............ ..... 010 ..... 0010011', 'rd, rs1, imm.i', rule('slti_op'),
    immediate((m, a, b) => m.lt(a, b))),
  instruction('sltiu', '............ ..... 011 ..... 0010011', 'rd, rs1, imm.i', rule('sltiu_op'),
    immediate((m, a, b) => m.ltu(a, b))),
  instruction('xori', '............ ..... 100 ..... 0010011', 'rd, rs1, imm.i', rule('xori_op'),
    immediate((m, a, b) => m.xor(a, b))),
  instruction('ori', '............ ..... 110 ..... 0010011', 'rd, rs1, imm.i', rule('ori_op'),
    immediate((m, a, b) => m.or(a, b))),
  instruction('andi', '............ ..... 111 ..... 0010011', 'rd, rs1, imm.i', rule('andi_op'),
    immediate((m, a, b) => m.and(a, b))),
  instruction('slli', '000000 ...... ..... 001 ..... 0010011', 'rd, rs1, shamt', rule('slli_op'),
    immediate((m, a, b) => m.shl(a, b))),
  instruction('srli', '000000 ...... ..... 101 ..... 0010011', 'rd, rs1, shamt', rule('srli_op'),
    immediate((m, a, b) => m.shr(a, b))),
  instruction('srai', '010000 ...... ..... 101 ..... 0010011', 'rd, rs1, shamt', rule('srai_op'),
    immediate((m, a, b) => m.sar(a, b))),

  instruction('add', '0000000 ..... ..... 000 ..... 0110011', 'rd, rs1, rs2', rule('add_op'),
    registers((m, a, b) => m.add(a, b))),
  instruction('sub', '0100000 ..... ..... 000 ..... 0110011', 'rd, rs1, rs2', rule('sub_op'),
    registers((m, a, b) => m.sub(a, b))),
  instruction('sll', '0000000 ..... ..... 001 ..... 0110011', 'rd, rs1, rs2', rule('sll_op'),
    registers((m, a, b) => m.shl(a, b))),
  instruction('slt', '0000000 ..... ..... 010 ..... 0110011', 'rd, rs1, rs2', rule('slt_op'),
    registers((m, a, b) => m.lt(a, b))),
  instruction('sltu', '0000000 ..... ..... 011 ..... 0110011', 'rd, rs1, rs2', rule('sltu_op'),
    registers((m, a, b) => m.ltu(a, b))),
  instruction('xor', '0000000 ..... ..... 100 ..... 0110011', 'rd, rs1, rs2', rule('xor_op'),
    registers((m, a, b) => m.xor(a, b))),
  instruction('srl', '0000000 ..... ..... 101 ..... 0110011', 'rd, rs1, rs2', rule('srl_op'),
    registers((m, a, b) => m.shr(a, b))),
  instruction('sra', '0100000 ..... ..... 101 ..... 0110011', 'rd, rs1, rs2', rule('sra_op'),
    registers((m, a, b) => m.sar(a, b))),
  instruction('or', '0000000 ..... ..... 110 ..... 0110011', 'rd, rs1, rs2', rule('or_op'),
    registers((m, a, b) => m.or(a, b))),
  instruction('and', '0000000 ..... ..... 111 ..... 0110011', 'rd, rs1, rs2', rule('and_op'),
    registers((m, a, b) => m.and(a, b))),

  instruction('addiw', '............ ..... 000 ..... 0011011', 'rd, rs1, imm.i', rule('addiw_op'), immediate(addw)),
  instruction('slliw', '0000000 ..... ..... 001 ..... 0011011', 'rd, rs1, shamt5', rule('slliw_op'), immediate(sllw)),
  instruction('srliw', '0000000 ..... ..... 101 ..... 0011011', 'rd, rs1, shamt5', rule('srliw_op'), immediate(srlw)),
  instruction('sraiw', '0100000 ..... ..... 101 ..... 0011011', 'rd, rs1, shamt5', rule('sraiw_op'), immediate(sraw)),
  instruction('addw', '0000000 ..... ..... 000 ..... 0111011', 'rd, rs1, rs2', rule('addw_op'), registers(addw)),
  instruction('subw', '0100000 ..... ..... 000 ..... 0111011', 'rd, rs1, rs2', rule('subw_op'), registers(subw)),
  instruction('sllw', '0000000 ..... ..... 001 ..... 0111011', 'rd, rs1, rs2', rule('sllw_op'), registers(sllw)),
  instruction('srlw', '0000000 ..... ..... 101 ..... 0111011', 'rd, rs1, rs2', rule('srlw_op'), registers(srlw)),
  instruction('sraw', '0100000 ..... ..... 101 ..... 0111011', 'rd, rs1, rs2', rule('sraw_op'), registers(sraw)),

  // fm, rs1 and rd are reserved: a FENCE with any values there is the full fence (fence_unused_flds_rsv).
  instruction('fence', '.... .... .... ..... 000 ..... 0001111', 'pred, succ', rule('fence_op'),
    (m, i) => m.perform('fence', i.imm, m.constant(0n))),
]
