/** Instruction words with random operands. */
import { INSTRUCTIONS, type Instruction } from '../../../hw/spec/isa/index.ts'
import { insert, type FieldName, type OperandKind } from '../../../hw/spec/isa/operands.ts'
import type { Random } from './random.ts'

/** Operands that are not random. */
export type Fixed = Readonly<Partial<Record<FieldName, number>>>

/** The instruction of that name. */
export function named(name: string): Instruction {
  const found = INSTRUCTIONS.find(instruction => instruction.name === name)
  if (!found) throw new Error(`no instruction ${name}`)
  return found
}

/** A word of the instruction: operands that are not given are random. */
export function encode(random: Random, instruction: Instruction, fixed: Fixed = {}): number {
  let word = instruction.match
  for (const kind of instruction.kinds) word |= insert(kind, field(random, kind, fixed))
  // Bits that are neither fixed nor an operand (aq and rl) are random.
  const free = instruction.pattern.split('').reduce((bits, bit) => (bits << 1) | (bit === '.' ? 1 : 0), 0)
  const used = instruction.kinds.reduce(
    (bits, kind) => bits | kind.pieces.reduce((p, [high, low]) => p | ((2 ** (high - low + 1) - 1) << low), 0),
    0,
  )
  return (word | (free & ~used & random.below(2 ** 31))) >>> 0
}

function field(random: Random, kind: OperandKind, fixed: Fixed): number {
  const given = fixed[kind.field]
  if (given !== undefined) return given
  switch (kind.field) {
    case 'rm':
      return random.chance(1, 3) ? random.below(8) : random.pick([0, 1, 2, 3, 4, 7, 7])
    case 'imm': {
      const width = Math.max(...kind.pieces.map(([high, low, at]) => at + high - low + 1))
      const step = 2 ** Math.min(...kind.pieces.map(([, , at]) => at))
      const raw = Math.floor(random.below(2 ** width) / step) * step
      return kind.signed && raw >= 2 ** (width - 1) ? raw - 2 ** width : raw
    }
    default:
      return random.below(32)
  }
}
