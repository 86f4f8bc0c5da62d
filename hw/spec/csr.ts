/** The language in which CSRs are declared: one row each. Privilege and read-only follow from the number. */

/** How a field takes a write: any value, none, or only legal ones (else it keeps its old value, WARL). */
export type FieldRule = 'rw' | 'ro' | 'wlrl' | { readonly warl: readonly number[] } | { readonly fixed: number }

export interface CsrField {
  readonly name: string
  readonly high: number
  readonly low: number
  readonly rule: FieldRule
}

export interface Csr {
  readonly name: string
  readonly number: number
  /** The manual's rule name, or section. */
  readonly rule: string
  readonly fields: readonly CsrField[]
  /** A view of another CSR through a mask (sstatus of mstatus, sie of mie): name and bits. */
  readonly alias?: { readonly of: string; readonly mask: bigint }
  /** The CSR that this number reaches when V=1 (sstatus → vsstatus). */
  readonly virtual?: string
  /** What a board must have for it to exist. */
  readonly needs?: 'AIA'
  readonly reset: bigint
}

export type FieldRows = Readonly<Record<string, readonly [high: number, low: number, rule: FieldRule]>>

/** Declares a CSR. */
export function csr(
  name: string,
  number: number,
  rule: string,
  rows: FieldRows,
  more: {
    readonly alias?: { readonly of: string; readonly mask: bigint }
    readonly virtual?: string
    readonly needs?: 'AIA'
    readonly reset?: bigint
  } = {},
): Csr {
  const fields = Object.entries(rows).map(([field, [high, low, fieldRule]]) => ({
    name: field,
    high,
    low,
    rule: fieldRule,
  }))
  const { reset = 0n, ...columns } = more
  return { name, number, rule, fields, reset, ...columns }
}

/** The bits of these fields, of the low 32: an unsigned number. Throws if one is not there. */
export function maskOf(row: Csr, ...names: readonly string[]): number {
  return names.reduce((mask, name) => mask + bitsOf(row, name, 0), 0)
}

/** The same of the high 32. */
export function highMaskOf(row: Csr, ...names: readonly string[]): number {
  return names.reduce((mask, name) => mask + bitsOf(row, name, 32), 0)
}

function bitsOf(row: Csr, name: string, word: 0 | 32): number {
  const field = row.fields.find(candidate => candidate.name === name)
  if (!field || field.low < word || field.high > word + 31)
    throw new Error(`${row.name} has no field ${name} within bits ${word} to ${word + 31}`)
  return (2 ** (field.high - field.low + 1) - 1) * 2 ** (field.low - word)
}
