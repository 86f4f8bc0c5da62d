/**
 * C, compressed instructions (Zca and Zcd). Each is a form of a base instruction and has no meaning of its own: the
 * decoder hands out the base instruction with length 2. The forms of Zcb are not part of this machine.
 */
import { rule } from '../sources.ts'
import { instructionNamed } from './instructions.ts'
import { kindsOf, parsePattern, type Instruction } from './language.ts'
import { parseTemplate, type FieldName, type OperandKind, type TemplatePart } from './operands.ts'

/** A field of the base instruction, and where its value comes from: a field of the compressed one, or a constant. */
export interface Assignment {
  readonly field: FieldName
  readonly from: FieldName | number
}

export interface Compressed {
  readonly name: string
  readonly pattern: string
  readonly mask: number
  readonly match: number
  readonly operands: string
  readonly template: readonly TemplatePart[]
  readonly kinds: readonly OperandKind[]
  /** Fields that must not be zero: with zero the encoding is reserved, or another instruction. */
  readonly nonzero: readonly FieldName[]
  readonly rule: string
  readonly base: Instruction
  readonly expansion: readonly Assignment[]
  /** The expansion as written: 'addi rd, sp, imm'. */
  readonly standsFor: string
}

const CONSTANTS: Readonly<Record<string, number>> = { zero: 0, ra: 1, sp: 2 }

/**
 * Declares a compressed form. `standsFor` is the base instruction's name and, in the order of its own template, for
 * each operand a field of the compressed form, a register or a number.
 */
function compressed(
  name: string,
  pattern: string,
  operands: string,
  citation: string,
  standsFor: string,
  nonzero: readonly FieldName[] = [],
): Compressed {
  const [baseName, ...sources] = standsFor.match(/[\w.-]+/g) ?? []
  const base = instructionNamed(baseName ?? '')
  if (!base) throw new Error(`${name} stands for "${standsFor}", which is no declared instruction`)
  const template = parseTemplate(operands)
  const kinds = kindsOf(template)
  const expansion = base.kinds.map(({ field }, position): Assignment => {
    const source = sources[position] ?? ''
    const own = kinds.find(kind => kind.field === source)
    if (own) return { field, from: own.field }
    const from = CONSTANTS[source] ?? Number(source)
    if (source === '' || Number.isNaN(from)) throw new Error(`${name}: "${source}" of "${standsFor}" is no operand`)
    return { field, from }
  })
  const bits = parsePattern(name, pattern, 16)
  return { name, ...bits, operands, template, kinds, nonzero, rule: citation, base, expansion, standsFor }
}

// biome-ignore format: a table
export const COMPRESSED: readonly Compressed[] = [
  compressed('c.addi4spn', '000 ........ ... 00', 'c.rd-low, sp, c.sp4', rule('c-addi4spn_op'),
    'addi rd, sp, imm', ['imm']),
  compressed('c.lw', '010 ... ... .. ... 00', 'c.rd-low, c.word(c.rs1-high)', rule('c-lw_op'), 'lw rd, imm(rs1)'),
  compressed('c.ld', '011 ... ... .. ... 00', 'c.rd-low, c.double(c.rs1-high)', rule('c-ld_op'), 'ld rd, imm(rs1)'),
  compressed('c.fld', '001 ... ... .. ... 00', 'c.fd-low, c.double(c.rs1-high)', rule('c-fld_op'), 'fld rd, imm(rs1)'),
  compressed('c.fsd', '101 ... ... .. ... 00', 'c.fs2-low, c.double(c.rs1-high)', rule('c-fsd_op'),
    'fsd rs2, imm(rs1)'),
  compressed('c.sw', '110 ... ... .. ... 00', 'c.rs2-low, c.word(c.rs1-high)', rule('c-sw_op'), 'sw rs2, imm(rs1)'),
  compressed('c.sd', '111 ... ... .. ... 00', 'c.rs2-low, c.double(c.rs1-high)', rule('c-sd_op'), 'sd rs2, imm(rs1)'),

  compressed('c.nop', '000 0 00000 00000 01', '', rule('c-nop_op'), 'addi zero, zero, 0'),
  compressed('c.addi', '000 . ..... ..... 01', 'c.rd, c.imm', rule('c-addi_op'), 'addi rd, rd, imm'),
  compressed('c.addiw', '001 . ..... ..... 01', 'c.rd, c.imm', rule('c-addiw_op'), 'addiw rd, rd, imm', ['rd']),
  compressed('c.li', '010 . ..... ..... 01', 'c.rd, c.imm', rule('c-li_op'), 'addi rd, zero, imm'),
  compressed('c.addi16sp', '011 . 00010 ..... 01', 'sp, c.sp16', rule('c-addi16sp_op'), 'addi sp, sp, imm', ['imm']),
  compressed('c.lui', '011 . ..... ..... 01', 'c.rd, c.upper', rule('c-lui_op'), 'lui rd, imm', ['imm']),
  compressed('c.srli', '100 . 00 ... ..... 01', 'c.rd-high, c.shamt', rule('c-srli_op'), 'srli rd, rd, imm'),
  compressed('c.srai', '100 . 01 ... ..... 01', 'c.rd-high, c.shamt', rule('c-srai_op'), 'srai rd, rd, imm'),
  compressed('c.andi', '100 . 10 ... ..... 01', 'c.rd-high, c.imm', rule('c-andi_op'), 'andi rd, rd, imm'),
  compressed('c.sub', '100 0 11 ... 00 ... 01', 'c.rd-high, c.rs2-low', rule('c-sub_op'), 'sub rd, rd, rs2'),
  compressed('c.xor', '100 0 11 ... 01 ... 01', 'c.rd-high, c.rs2-low', rule('c-xor_op'), 'xor rd, rd, rs2'),
  compressed('c.or', '100 0 11 ... 10 ... 01', 'c.rd-high, c.rs2-low', rule('c-or_op'), 'or rd, rd, rs2'),
  compressed('c.and', '100 0 11 ... 11 ... 01', 'c.rd-high, c.rs2-low', rule('c-and_op'), 'and rd, rd, rs2'),
  compressed('c.subw', '100 1 11 ... 00 ... 01', 'c.rd-high, c.rs2-low', rule('c-subw_op'), 'subw rd, rd, rs2'),
  compressed('c.addw', '100 1 11 ... 01 ... 01', 'c.rd-high, c.rs2-low', rule('c-addw_op'), 'addw rd, rd, rs2'),
  compressed('c.j', '101 ........... 01', 'c.jump', rule('c-j_op'), 'jal zero, imm'),
  compressed('c.beqz', '110 ... ... ..... 01', 'c.rs1-high, c.branch', rule('c-beqz_op'), 'beq rs1, zero, imm'),
  compressed('c.bnez', '111 ... ... ..... 01', 'c.rs1-high, c.branch', rule('c-bnez_op'), 'bne rs1, zero, imm'),

  compressed('c.slli', '000 . ..... ..... 10', 'c.rd, c.shamt', rule('c-slli_op'), 'slli rd, rd, imm'),
  compressed('c.fldsp', '001 . ..... ..... 10', 'c.fd, c.ldsp(sp)', rule('c-fldsp_op'), 'fld rd, imm(sp)'),
  compressed('c.fsdsp', '101 ...... ..... 10', 'c.fs2, c.sdsp(sp)', rule('c-fsdwsp_op'), 'fsd rs2, imm(sp)'),
  compressed('c.lwsp', '010 . ..... ..... 10', 'c.rd, c.lwsp(sp)', rule('c-lwsp_op'), 'lw rd, imm(sp)', ['rd']),
  compressed('c.ldsp', '011 . ..... ..... 10', 'c.rd, c.ldsp(sp)', rule('c-ldsp_op'), 'ld rd, imm(sp)', ['rd']),
  compressed('c.jr', '100 0 ..... 00000 10', 'c.rs1', rule('c-jr_op'), 'jalr zero, 0(rs1)', ['rs1']),
  compressed('c.mv', '100 0 ..... ..... 10', 'c.rd, c.rs2', rule('c-mv_op'), 'add rd, zero, rs2', ['rs2']),
  compressed('c.ebreak', '100 1 00000 00000 10', '', rule('c-ebreak_op'), 'ebreak'),
  compressed('c.jalr', '100 1 ..... 00000 10', 'c.rs1', rule('c-jalr_op'), 'jalr ra, 0(rs1)', ['rs1']),
  compressed('c.add', '100 1 ..... ..... 10', 'c.rd, c.rs2', rule('c-add_op'), 'add rd, rd, rs2', ['rs2']),
  compressed('c.swsp', '110 ...... ..... 10', 'c.rs2, c.swsp(sp)', rule('c-swsp_op'), 'sw rs2, imm(sp)'),
  compressed('c.sdsp', '111 ...... ..... 10', 'c.rs2, c.sdsp(sp)', rule('c-sdsp_op'), 'sd rs2, imm(sp)'),
]
