/**
 * The language in which instructions are declared: name, bit pattern, operand template, the manual's rule, meaning.
 * Decoder, assembler, disassembler, evaluator, tier 0, docs and random programs all read these declarations.
 */
import { parseTemplate, type OperandKind, type TemplatePart } from './operands.ts'
import type { Operand, Semantics } from './semantics.ts'

/** The operands of one instruction as its meaning sees them. */
export interface Operands<V> {
  readonly rd: Operand
  readonly rs1: Operand
  readonly rs2: Operand
  readonly rs3: Operand
  /** The immediate, extended to 64 bits as the format says: offset, shift amount, CSR immediate, entry index. */
  readonly imm: V
  /** The rounding-mode field. */
  readonly rm: V
  /** The CSR number. */
  readonly csr: V
  /** The number of a register: zero exactly if it is x0. */
  number(register: Operand): V
}

export type Meaning = <V>(m: Semantics<V>, i: Operands<V>) => void

export interface Declaration {
  readonly name: string
  /** Bits from 31 to 0, '0', '1' or '.'. */
  readonly pattern: string
  readonly mask: number
  readonly match: number
  /** The template as written. */
  readonly operands: string
  readonly template: readonly TemplatePart[]
  readonly kinds: readonly OperandKind[]
  readonly rule: string
  readonly meaning: Meaning
}

/** A declared instruction of the machine. `index` is dense, and the same in every run. */
export interface Instruction extends Declaration {
  readonly index: number
  readonly extension: string
}

/** Mask and match of a pattern of `bits` bits (spaces do not count). */
export function parsePattern(
  name: string,
  pattern: string,
  bits: 16 | 32,
): Pick<Declaration, 'pattern' | 'mask' | 'match'> {
  const packed = pattern.replaceAll(' ', '')
  if (!new RegExp(`^[01.]{${bits}}$`).test(packed)) {
    throw new Error(`pattern of ${name} is not ${bits} bits of 0, 1 or .: "${pattern}"`)
  }
  let mask = 0
  let match = 0
  for (const bit of packed) {
    mask = (mask << 1) | (bit === '.' ? 0 : 1)
    match = (match << 1) | (bit === '1' ? 1 : 0)
  }
  return { pattern: packed, mask: mask >>> 0, match: match >>> 0 }
}

/** The operand kinds of a template, in order. */
export function kindsOf(template: readonly TemplatePart[]): readonly OperandKind[] {
  return template.flatMap(part => (typeof part === 'object' && 'kind' in part ? [part.kind] : []))
}

/** Declares an instruction. Patterns may overlap: the one that fixes more bits is the instruction. */
export function instruction(
  name: string,
  pattern: string,
  operands: string,
  rule: string,
  meaning: Meaning,
): Declaration {
  const template = parseTemplate(operands)
  return { name, ...parsePattern(name, pattern, 32), operands, template, kinds: kindsOf(template), rule, meaning }
}
