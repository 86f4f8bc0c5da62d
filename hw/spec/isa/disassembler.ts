/** The disassembler: GNU objdump's notation with `-M no-aliases`, a space after the mnemonic, no symbols. */
import { csrByNumber } from '../csrs/index.ts'
import type { Compressed } from './c.ts'
import { findCompressed, findInstruction } from './decoder.ts'
import type { Instruction } from './language.ts'
import { extract, type OperandKind, type TemplatePart } from './operands.ts'
import { EXACT_CONVERSIONS, F_NAMES, FENCE_LETTERS, ROUNDING_NAMES, X_NAMES } from './register-names.ts'

const ATOMIC_OPCODE = 0x2f
const ORDERINGS: readonly string[] = ['', '.rl', '.aq', '.aqrl']
const FENCE_TSO = 0x8330000f
const DYNAMIC = 7

/** One instruction as text; `pc` is its address. What is no instruction is a `.word` or `.half`. */
export function disassemble(word: number, pc: number): string {
  if ((word & 3) !== 3) {
    const form = findCompressed(word & 0xffff)
    return form ? text(form, form.name, word & 0xffff, pc) : `.half 0x${(word & 0xffff).toString(16).padStart(4, '0')}`
  }
  const unsigned = word >>> 0
  const instruction = findInstruction(unsigned)
  if (!instruction) return `.word 0x${unsigned.toString(16).padStart(8, '0')}`
  if (unsigned === FENCE_TSO) return 'fence.tso'
  const ordering = (word & 0x7f) === ATOMIC_OPCODE ? ORDERINGS[(word >>> 25) & 3] : ''
  return text(instruction, instruction.name + ordering, unsigned, pc)
}

function text(form: Instruction | Compressed, name: string, word: number, pc: number): string {
  const parts = withoutDefaultRounding(form, word)
  const operands = parts.map(part => {
    if (typeof part === 'string') return part
    return 'literal' in part ? part.literal : operand(part.kind, extract(part.kind, word), pc)
  })
  return operands.length === 0 ? name : `${name} ${operands.join('')}`
}

/** A rounding mode that the assembler would choose itself is not shown: dyn, and rne where the conversion is exact. */
function withoutDefaultRounding(form: Instruction | Compressed, word: number): readonly TemplatePart[] {
  const { template } = form
  const rounding = form.kinds.find(kind => kind.notation === 'rounding')
  if (!rounding) return template
  const usual = EXACT_CONVERSIONS.includes(form.name) ? 0 : DYNAMIC
  return extract(rounding, word) === usual ? template.slice(0, -2) : template
}

function operand(kind: OperandKind, value: number, pc: number): string {
  switch (kind.notation) {
    case 'x':
      return X_NAMES[value]
    case 'f':
      return F_NAMES[value]
    case 'decimal':
      return String(value)
    case 'hex':
      return `0x${value.toString(16)}`
    case 'upper':
      return `0x${((value >>> 12) & 0xfffff).toString(16)}`
    case 'target':
      return `0x${BigInt.asUintN(64, BigInt(pc + value)).toString(16)}`
    case 'csr':
      return csrByNumber.get(value)?.name ?? `0x${value.toString(16)}`
    case 'rounding':
      return ROUNDING_NAMES[value]
    default:
      return fenceSet(kind.pieces[0][2] === 4 ? value >> 4 : value)
  }
}

function fenceSet(set: number): string {
  return (
    FENCE_LETTERS.split('')
      .filter((_, index) => (set & (8 >> index)) !== 0)
      .join('') || '0'
  )
}
