import { COMPRESSED, type Compressed } from '../../../hw/spec/isa/c.ts'
import { encode, type FieldValues } from '../../../hw/spec/isa/encoder.ts'
import { INSTRUCTIONS, type Instruction } from '../../../hw/spec/isa/index.ts'
import { widthOf } from '../../../hw/spec/isa/operands.ts'

/** Registers that point into code or data and are never written: sp, s0, s1, a5. */
export const POINTERS = [2, 8, 9, 15]
const FORMS: readonly (Instruction | Compressed)[] = [
  ...INSTRUCTIONS,
  ...COMPRESSED,
  // Once more what programs are made of.
  ...INSTRUCTIONS.filter(({ extension }) => extension === 'rv64i'),
  ...COMPRESSED,
  ...COMPRESSED,
]

/** Random code of about `parcels` 2-byte parcels in which jumps stay near and memory is reached through POINTERS. */
export function randomProgram(next: () => number, parcels: number): Uint8Array {
  const bytes: number[] = []
  while (bytes.length < parcels * 2) {
    const form = FORMS[next() % FORMS.length]
    const word = randomWord(form, next)
    if (word === undefined) continue
    for (let at = 0; at < form.pattern.length / 8; at++) bytes.push((word >>> (8 * at)) & 0xff)
  }
  return Uint8Array.from(bytes)
}

function randomWord(form: Instruction | Compressed, next: () => number): number | undefined {
  const fields: FieldValues = {}
  for (const kind of form.kinds) {
    const range = 2 ** widthOf(kind)
    if (kind.notation === 'target') fields[kind.field] = ((next() % 128) - 48) * 2
    else if (kind.notation === 'x' && kind.field === 'rs1')
      fields.rs1 = next() % 3 === 0 ? next() % 32 : POINTERS[next() % POINTERS.length]
    else if (kind.notation === 'x' && kind.field === 'rd') fields.rd = next() % 32
    else if (kind.notation === 'x' || kind.notation === 'f') fields[kind.field] = next() % 32
    else fields[kind.field] = (next() % range) - (kind.signed ? range / 2 : 0)
    if (kind.pieces.some(([, , at]) => at > 0)) fields[kind.field] &= kind.field === 'imm' ? ~0 : -1
  }
  if (
    fields.rd !== undefined &&
    form.kinds.some(kind => kind.field === 'rd' && kind.notation === 'x') &&
    POINTERS.includes(fields.rd)
  )
    return undefined
  if ('base' in form && form.nonzero.some(field => fields[field] === 0)) return undefined
  try {
    return encode(form, fields)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
