/**
 * The language in which a chip's registers are declared: one row a register, read by the chip, its driver, its
 * virtual twin, the tracer and the docs. A write to a read-only register does not type-check.
 */

export type Access = 'ro' | 'wo' | 'rw' | 'rw1c' | 'rc'
/** A bit, or [high, low]. */
export type BitRange = number | readonly [high: number, low: number]

export interface RegisterRow {
  /** Byte offset in the chip's window (of element 0, if `count` is given). */
  readonly at: number
  /** Width in bits. */
  readonly width: 8 | 16 | 32 | 64
  readonly access: Access
  /** Value after reset; 0 unless given. */
  readonly reset?: number
  /** Elements of a register array, and the bytes from one to the next. */
  readonly count?: number
  readonly stride?: number
  /** Section of the chip's manual (see sources.ts). */
  readonly spec: string
  readonly fields?: Readonly<Record<string, BitRange>>
}

/** One field of a register: `(value >>> shift) & mask`, for fields within the low 32 bits of their word. */
export interface Field {
  readonly name: string
  readonly high: number
  readonly low: number
}

export type Register<Row extends RegisterRow = RegisterRow> = Omit<Row, 'fields'> & {
  readonly name: string
  readonly fields: { readonly [F in keyof NonNullable<Row['fields']>]: Field }
}

export type Readable = { readonly access: 'ro' | 'rw' | 'rw1c' | 'rc' } & Register
export type Writable = { readonly access: 'wo' | 'rw' | 'rw1c' } & Register

export type RegisterTable<Rows extends Readonly<Record<string, RegisterRow>>> = {
  readonly [N in keyof Rows]: Register<Rows[N]>
}

/** Declares a chip's registers. Keys are the manual's own register names. */
export function registers<const Rows extends Readonly<Record<string, RegisterRow>>>(rows: Rows): RegisterTable<Rows> {
  const table: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(rows)) {
    const fields: Record<string, Field> = {}
    for (const [field, range] of Object.entries(row.fields ?? {})) {
      const [high, low] = typeof range === 'number' ? [range, range] : range
      fields[field] = { name: field, high, low }
    }
    table[name] = { ...row, name, fields }
  }
  return table as RegisterTable<Rows>
}

/** The value of a field in a 32-bit word of its register (unsigned). */
export function fieldOf(field: Field, word: number): number {
  const width = field.high - field.low + 1
  return width === 32 ? word >>> 0 : (word >>> (field.low & 31)) & ((1 << width) - 1)
}

/** The 32-bit word with the field set to `value` (unsigned result). */
export function withField(field: Field, word: number, value: number): number {
  const width = field.high - field.low + 1
  const mask = width === 32 ? -1 : ((1 << width) - 1) << (field.low & 31)
  return ((word & ~mask) | ((value << (field.low & 31)) & mask)) >>> 0
}
