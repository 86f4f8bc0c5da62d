/**
 * The vocabulary of operand templates. A template is written as the assembler reads it ('rd, imm.i(rs1)'); each word
 * in it says which field of a decoded instruction it fills, from which bits, and how it is printed.
 */

/** What a word of a template fills in. */
export type FieldName = 'rd' | 'rs1' | 'rs2' | 'rs3' | 'imm' | 'rm' | 'csr'

/** Bits [high:low] of the instruction hold the bits of the value from `at` upward. */
export type Piece = readonly [high: number, low: number, at: number]

/** How the assembler reads the operand and the disassembler prints it. */
export type Notation = 'x' | 'f' | 'decimal' | 'hex' | 'upper' | 'target' | 'csr' | 'rounding' | 'fence'

export interface OperandKind {
  readonly field: FieldName
  readonly pieces: readonly Piece[]
  readonly notation: Notation
  readonly signed: boolean
  /** Added to what the bits hold: 8 for the three-bit register numbers of compressed instructions. */
  readonly bias: number
}

function register(field: FieldName, notation: 'x' | 'f', high: number, low: number): OperandKind {
  return { field, pieces: [[high, low, 0]], notation, signed: false, bias: high - low === 2 ? 8 : 0 }
}

function unsigned(notation: Notation, ...pieces: readonly Piece[]): OperandKind {
  return { field: 'imm', pieces, notation, signed: false, bias: 0 }
}

function signed(notation: Notation, ...pieces: readonly Piece[]): OperandKind {
  return { field: 'imm', pieces, notation, signed: true, bias: 0 }
}

/** Every word that a template may contain. Those of compressed formats begin with `c.`. */
// biome-ignore format: a table
export const OPERAND_KINDS = {
  'rd': register('rd', 'x', 11, 7),
  'rs1': register('rs1', 'x', 19, 15),
  'rs2': register('rs2', 'x', 24, 20),
  'fd': register('rd', 'f', 11, 7),
  'fs1': register('rs1', 'f', 19, 15),
  'fs2': register('rs2', 'f', 24, 20),
  'fs3': register('rs3', 'f', 31, 27),
  'rm': { field: 'rm', pieces: [[14, 12, 0]], notation: 'rounding', signed: false, bias: 0 },
  'csr': { field: 'csr', pieces: [[31, 20, 0]], notation: 'csr', signed: false, bias: 0 },
  'imm.i': signed('decimal', [31, 20, 0]),
  'imm.s': signed('decimal', [31, 25, 5], [11, 7, 0]),
  'imm.b': signed('target', [31, 31, 12], [30, 25, 5], [11, 8, 1], [7, 7, 11]),
  'imm.u': signed('upper', [31, 12, 12]),
  'imm.j': signed('target', [31, 31, 20], [30, 21, 1], [20, 20, 11], [19, 12, 12]),
  'imm.p': signed('decimal', [31, 25, 5]),
  'shamt': unsigned('hex', [25, 20, 0]),
  'shamt5': unsigned('hex', [24, 20, 0]),
  'zimm': unsigned('decimal', [19, 15, 0]),
  'index': unsigned('decimal', [31, 20, 0]),
  'pred': unsigned('fence', [27, 24, 4]),
  'succ': unsigned('fence', [23, 20, 0]),

  'c.rd': register('rd', 'x', 11, 7),
  'c.rs1': register('rs1', 'x', 11, 7),
  'c.rs2': register('rs2', 'x', 6, 2),
  'c.fd': register('rd', 'f', 11, 7),
  'c.fs2': register('rs2', 'f', 6, 2),
  'c.rd-high': register('rd', 'x', 9, 7),
  'c.rs1-high': register('rs1', 'x', 9, 7),
  'c.rd-low': register('rd', 'x', 4, 2),
  'c.rs2-low': register('rs2', 'x', 4, 2),
  'c.fd-low': register('rd', 'f', 4, 2),
  'c.fs2-low': register('rs2', 'f', 4, 2),
  'c.imm': signed('decimal', [12, 12, 5], [6, 2, 0]),
  'c.shamt': unsigned('hex', [12, 12, 5], [6, 2, 0]),
  'c.upper': signed('upper', [12, 12, 17], [6, 2, 12]),
  'c.sp16': signed('decimal', [12, 12, 9], [6, 6, 4], [5, 5, 6], [4, 3, 7], [2, 2, 5]),
  'c.sp4': unsigned('decimal', [12, 11, 4], [10, 7, 6], [6, 6, 2], [5, 5, 3]),
  'c.lwsp': unsigned('decimal', [12, 12, 5], [6, 4, 2], [3, 2, 6]),
  'c.ldsp': unsigned('decimal', [12, 12, 5], [6, 5, 3], [4, 2, 6]),
  'c.swsp': unsigned('decimal', [12, 9, 2], [8, 7, 6]),
  'c.sdsp': unsigned('decimal', [12, 10, 3], [9, 7, 6]),
  'c.word': unsigned('decimal', [12, 10, 3], [6, 6, 2], [5, 5, 6]),
  'c.double': unsigned('decimal', [12, 10, 3], [6, 5, 6]),
  'c.jump': signed(
    'target',
    [12, 12, 11], [11, 11, 4], [10, 9, 8], [8, 8, 10], [7, 7, 6], [6, 6, 7], [5, 3, 1], [2, 2, 5],
  ),
  'c.branch': signed('target', [12, 12, 8], [11, 10, 3], [6, 5, 6], [4, 3, 1], [2, 2, 5]),
} as const satisfies Readonly<Record<string, OperandKind>>

export type OperandWord = keyof typeof OPERAND_KINDS

/** Bits that the value of this kind may occupy: 12 for imm.i. */
export function widthOf(kind: OperandKind): number {
  return Math.max(...kind.pieces.map(([high, low, at]) => at + high - low + 1))
}

/** The value that an instruction word holds, sign-extended to 32 bits if it is signed. Indexed loops: predecoding waits for it. */
export function extract(kind: OperandKind, word: number): number {
  const { pieces } = kind
  let value = 0
  let width = 0
  for (let index = 0; index < pieces.length; index++) {
    const piece = pieces[index]
    const low = piece[1]
    const at = piece[2]
    const bits = piece[0] - low + 1
    value |= ((word >>> low) & ((1 << bits) - 1)) << at
    if (at + bits > width) width = at + bits
  }
  if (kind.signed && width < 32) value = (value << (32 - width)) >> (32 - width)
  return value + kind.bias
}

/** The bits of an instruction word that hold `value`. Throws RangeError if the field cannot hold it. */
export function insert(kind: OperandKind, value: number): number {
  const raw = value - kind.bias
  let word = 0
  for (const [high, low, at] of kind.pieces) {
    const bits = high - low + 1
    word |= ((raw >> at) & ((1 << bits) - 1)) << low
  }
  if (extract(kind, word) !== value) throw new RangeError(`${value} does not fit (${describeRange(kind)})`)
  return word
}

/** The values that a kind can hold, in words. */
export function describeRange(kind: OperandKind): string {
  const width = widthOf(kind)
  const step = 2 ** Math.min(...kind.pieces.map(([, , at]) => at))
  const low = kind.signed ? -(2 ** (width - 1)) : kind.bias
  const high = (kind.signed ? 2 ** (width - 1) : 2 ** width) - step + kind.bias
  return `${low} to ${high}${step > 1 ? `, multiples of ${step}` : ''}`
}

/** A template taken apart: words of {@link OPERAND_KINDS} and the punctuation between them. */
export type TemplatePart =
  | { readonly word: OperandWord; readonly kind: OperandKind }
  | { readonly literal: string }
  | ','
  | '('
  | ')'

/** Takes a template apart. Words that are no kind are literals (`sp`). */
export function parseTemplate(template: string): readonly TemplatePart[] {
  return (template.match(/[\w.'-]+|[(),]/g) ?? []).map(part => {
    if (part === ',' || part === '(' || part === ')') return part
    if (part in OPERAND_KINDS) return { word: part as OperandWord, kind: OPERAND_KINDS[part as OperandWord] }
    return { literal: part }
  })
}
