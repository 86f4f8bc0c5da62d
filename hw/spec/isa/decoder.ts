/**
 * The decoder. 32-bit words are looked up by opcode and funct3; compressed ones decode to the base instruction that
 * they stand for, with length 2, so that executors have no handlers of their own for them.
 */
import { COMPRESSED, type Compressed } from './c.ts'
import { INSTRUCTIONS } from './instructions.ts'
import type { Instruction } from './language.ts'
import { extract } from './operands.ts'

/** Fields that the instruction does not have are 0. */
export interface Decoded {
  readonly instruction: Instruction
  readonly length: 2 | 4
  readonly rd: number
  readonly rs1: number
  readonly rs2: number
  readonly rs3: number
  /** The immediate, sign-extended to 32 bits as the format says. */
  readonly imm: number
  readonly rm: number
  readonly csr: number
  /** The instruction as it lies in memory: 16 bits if compressed, else 32, unsigned. */
  readonly word: number
}

type Fields = { rd: number; rs1: number; rs2: number; rs3: number; imm: number; rm: number; csr: number }

function specificity(mask: number): number {
  let bits = 0
  for (let rest = mask >>> 0; rest !== 0; rest >>>= 1) bits += rest & 1
  return bits
}

/** All 32-bit instructions that a word with this opcode (bits 6:2) and funct3 may be, the most specific first. */
const candidates: readonly (readonly Instruction[])[] = Array.from({ length: 256 }, (_, slot) => {
  const word = ((slot >> 3) << 2) | 3 | ((slot & 7) << 12)
  return INSTRUCTIONS.filter(({ mask, match }) => ((word ^ match) & mask & 0x707f) === 0).toSorted(
    (a, b) => specificity(b.mask) - specificity(a.mask),
  )
})

/** The 32-bit instruction that `word` is, or undefined. */
export function findInstruction(word: number): Instruction | undefined {
  for (const instruction of candidates[((word << 1) & 0xf8) | ((word >>> 12) & 7)]) {
    if (((word ^ instruction.match) & instruction.mask) === 0) return instruction
  }
  return undefined
}

/** Fills in what the operands say. pred and succ share the immediate. */
function fill(fields: Fields, kinds: Instruction['kinds'], word: number): void {
  for (let index = 0; index < kinds.length; index++) {
    const kind = kinds[index]
    const value = extract(kind, word)
    switch (kind.field) {
      case 'rd':
        fields.rd = value
        break
      case 'rs1':
        fields.rs1 = value
        break
      case 'rs2':
        fields.rs2 = value
        break
      case 'imm':
        fields.imm |= value
        break
      default:
        fields[kind.field] = value
    }
  }
}

const compressedForms: readonly Compressed[] = COMPRESSED.toSorted((a, b) => specificity(b.mask) - specificity(a.mask))

/** The compressed form that a 16-bit word is, or undefined. */
export function findCompressed(word: number): Compressed | undefined {
  return compressedForms.find(({ mask, match, kinds, nonzero }) => {
    if (((word ^ match) & mask) !== 0) return false
    return kinds.every(kind => !nonzero.includes(kind.field) || extract(kind, word) !== 0)
  })
}

function decodeCompressed(word: number): Decoded | undefined {
  const form = findCompressed(word)
  if (!form) return undefined
  const fields = { rd: 0, rs1: 0, rs2: 0, rs3: 0, imm: 0, rm: 0, csr: 0 }
  fill(fields, form.kinds, word)
  const expanded = { rd: 0, rs1: 0, rs2: 0, rs3: 0, imm: 0, rm: 0, csr: 0 }
  for (const { field, from } of form.expansion) expanded[field] = typeof from === 'number' ? from : fields[from]
  return { instruction: form.base, length: 2, ...expanded, word }
}

/** What each 16-bit word decodes to, once asked for. */
const compressedWords = Array.from<Decoded | 'illegal' | 'unknown'>({ length: 0x10000 }).fill('unknown')

/** Decodes the instruction in `word`, compressed if bits 1:0 are not 11. Undefined: it is illegal. */
export function decode(word: number): Decoded | undefined {
  if ((word & 3) !== 3) {
    const half = word & 0xffff
    let known = compressedWords[half]
    if (known === 'unknown') known = compressedWords[half] = decodeCompressed(half) ?? 'illegal'
    return known === 'illegal' ? undefined : known
  }
  const instruction = findInstruction(word)
  if (!instruction) return undefined
  const decoded = {
    instruction,
    length: 4 as const,
    rd: 0,
    rs1: 0,
    rs2: 0,
    rs3: 0,
    imm: 0,
    rm: 0,
    csr: 0,
    word: word >>> 0,
  }
  fill(decoded, instruction.kinds, word)
  return decoded
}
