/** Instruction words from fields, and their compressed forms. */
import { COMPRESSED, type Compressed } from './c.ts'
import { findCompressed } from './decoder.ts'
import type { Instruction } from './language.ts'
import { insert, type FieldName, type OperandKind } from './operands.ts'

/** Values of the fields that an instruction has. */
export type FieldValues = { [F in FieldName]?: number }

/** The word of an instruction, or of a compressed form, with these fields. Throws RangeError if one does not fit. */
export function encode(form: Instruction | Compressed, fields: Readonly<FieldValues>): number {
  let word = form.match
  for (const kind of form.kinds) word |= insert(kind, valueFor(kind, fields))
  return word >>> 0
}

/** pred and succ share the immediate: each inserts its own bits. */
function valueFor(kind: OperandKind, fields: Readonly<FieldValues>): number {
  const value = fields[kind.field] ?? 0
  if (kind.notation !== 'fence') return value
  return kind.pieces[0][2] === 4 ? value & 0xf0 : value & 0xf
}

/** The 16-bit word that does the same as the instruction with these fields, or undefined if there is none. */
export function compress(instruction: Instruction, fields: Readonly<FieldValues>): number | undefined {
  for (const form of COMPRESSED) {
    if (form.base !== instruction) continue
    const own: FieldValues = {}
    const agrees = form.expansion.every(({ field, from }) => {
      const value = fields[field] ?? 0
      if (typeof from === 'number') return value === from
      if (own[from] !== undefined) return own[from] === value
      own[from] = value
      return true
    })
    if (!agrees) continue
    const word = fitting(form, own)
    if (word !== undefined && findCompressed(word) === form) return word
  }
  return undefined
}

function fitting(form: Compressed, fields: Readonly<FieldValues>): number | undefined {
  try {
    return encode(form, fields)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
