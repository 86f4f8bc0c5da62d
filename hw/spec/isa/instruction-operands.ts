/** How an operand as written becomes a field: register names, CSR names, expressions, %hi and its kin. */
import { csrByName } from '../csrs/index.ts'
import { Complaint } from './assembly-error.ts'
import { absolute, type Expression } from './expressions.ts'
import type { OperandKind, TemplatePart } from './operands.ts'
import { F_NUMBERS, FENCE_LETTERS, ROUNDING_NAMES, X_NUMBERS } from './register-names.ts'

/** How the value of a symbol goes into a field. */
export type Reference = 'plain' | 'hi' | 'lo' | 'pcrel_hi' | 'pcrel_lo' | 'pcrel_lo_previous'

/** What was written for one operand. */
export interface Written {
  readonly kind: OperandKind
  readonly reference: Reference
  readonly expression: Expression
}

type Parse = (text: string) => Expression

/**
 * Matches what was written against a template. `operands` are the texts between commas; an offset and its register in
 * parentheses are one. A rounding mode at the end may be left out, as may an offset.
 */
export function matchOperands(template: readonly TemplatePart[], operands: readonly string[], parse: Parse): Written[] {
  const groups = splitTemplate(template)
  const last = groups.at(-1)?.[0]
  const optional = typeof last === 'object' && 'word' in last && last.word === 'rm' ? 1 : 0
  if (operands.length < groups.length - optional || operands.length > groups.length) {
    throw new Complaint(`takes ${groups.length} operands (${shown(template)}), found ${operands.length}`)
  }
  return operands.flatMap((text, index) => matchGroup(groups[index], text, parse))
}

/** A template as the assembler reads it. */
export function shown(template: readonly TemplatePart[]): string {
  return template.map(part => (typeof part === 'string' ? part : 'word' in part ? part.word : part.literal)).join('')
}

function splitTemplate(template: readonly TemplatePart[]): TemplatePart[][] {
  const groups: TemplatePart[][] = [[]]
  for (const part of template) {
    if (part === ',') groups.push([])
    else groups.at(-1)!.push(part)
  }
  return groups.filter(group => group.length > 0)
}

function matchGroup(group: readonly TemplatePart[], text: string, parse: Parse): Written[] {
  if (!group.includes('(')) return matchPart(group[0], text, parse)
  const memory = /^(.*)\(\s*([\w.]+)\s*\)$/s.exec(text)
  if (!memory) throw new Complaint(`"${text}" is no memory operand: write offset(register)`)
  const [offset, register] = [memory[1].trim(), memory[2]]
  const base = matchPart(group[group.indexOf('(') + 1], register, parse)
  if (group[0] !== '(') return [...matchPart(group[0], offset === '' ? '0' : offset, parse), ...base]
  if (offset !== '' && Number(offset) !== 0) throw new Complaint(`takes no offset: put the address in a register`)
  return base
}

function matchPart(part: TemplatePart, text: string, parse: Parse): Written[] {
  if (typeof part === 'string') return []
  if ('literal' in part) {
    const { literal } = part
    if (X_NUMBERS.get(text) !== X_NUMBERS.get(literal)) throw new Complaint(`needs ${literal}, found "${text}"`)
    return []
  }
  const { kind } = part
  const known = (value: number): Written[] => {
    return [{ kind, reference: 'plain', expression: { kind: 'value', value: absolute(BigInt(value)) } }]
  }
  switch (kind.notation) {
    case 'x':
      return known(numberOf(X_NUMBERS, text, 'an integer register'))
    case 'f':
      return known(numberOf(F_NUMBERS, text, 'a floating-point register'))
    case 'rounding':
      return known(roundingMode(text))
    case 'fence': {
      const set = fenceSet(text)
      return known(kind.pieces[0][2] === 4 ? set << 4 : set)
    }
    case 'csr': {
      const named = csrByName.get(text)
      return named ? known(named.number) : [{ kind, reference: 'plain', expression: parse(text) }]
    }
    default:
      return [{ kind, ...reference(text, parse) }]
  }
}

function numberOf(names: ReadonlyMap<string, number>, text: string, wanted: string): number {
  const number = names.get(text)
  if (number === undefined) throw new Complaint(`"${text}" is not ${wanted}`)
  return number
}

function roundingMode(text: string): number {
  const mode = ROUNDING_NAMES.indexOf(text)
  if (mode < 0 || text === 'unknown') {
    throw new Complaint(`"${text}" is no rounding mode: use rne, rtz, rdn, rup, rmm or dyn`)
  }
  return mode
}

function fenceSet(text: string): number {
  if (text === '0') return 0
  let set = 0
  for (const letter of text) {
    const position = FENCE_LETTERS.indexOf(letter)
    if (position < 0) throw new Complaint(`"${text}" is no fence set: use letters of iorw, or 0`)
    set |= 8 >> position
  }
  return set
}

function reference(text: string, parse: Parse): { reference: Reference; expression: Expression } {
  const modified = /^%(\w+)\s*\((.*)\)$/s.exec(text)
  if (!modified) return { reference: 'plain', expression: parse(text) }
  const name = modified[1] as Reference
  if (!['hi', 'lo', 'pcrel_hi', 'pcrel_lo', 'pcrel_lo_previous'].includes(name)) {
    throw new Complaint(`%${name} is unknown: use %hi, %lo, %pcrel_hi or %pcrel_lo`)
  }
  return { reference: name, expression: parse(modified[2]) }
}

const REACH = 'reaches 2 GiB either way: use li, or load the address from memory'

/**
 * The field for a value. `pc` is the instruction's address; `targetOf` finds what the %pcrel_hi at an address was
 * about.
 */
export function fieldFor(written: Written, value: bigint, pc: bigint, targetOf: (address: bigint) => bigint): number {
  const { kind } = written
  switch (written.reference) {
    case 'plain': {
      if (kind.notation === 'target') return exact(value - pc)
      if (kind.notation !== 'upper') return exact(value)
      if (value < -0x80000n || value > 0xfffffn) throw new Complaint(`${value} is no 20-bit upper immediate`)
      return Number(value) << 12
    }
    case 'hi': {
      if (value !== BigInt.asIntN(32, value)) throw new Complaint(`%hi of 0x${value.toString(16)} ${REACH}`)
      return Number((value + 0x800n) >> 12n) << 12
    }
    case 'pcrel_hi':
      return upperPart(value - pc)
    case 'lo':
      return Number(BigInt.asIntN(12, value))
    case 'pcrel_lo_previous':
      return Number(BigInt.asIntN(12, value - (pc - 4n)))
    default:
      return Number(BigInt.asIntN(12, targetOf(value) - value))
  }
}

function upperPart(distance: bigint): number {
  const upper = (distance + 0x800n) >> 12n
  if (upper !== BigInt.asIntN(20, upper)) throw new Complaint(`auipc with distance ${distance} ${REACH}`)
  return Number(upper) << 12
}

function exact(value: bigint): number {
  if (value !== BigInt.asIntN(53, value)) {
    throw new Complaint(`0x${value.toString(16)} does not fit in an instruction: use li`)
  }
  return Number(value)
}
