/**
 * The language in which structures in memory are declared (PTE, virtqueue, NVMe queue entry, descriptor): little
 * endian, offsets and sizes in bytes, in the words of their manual.
 */
import type { BitRange, Field } from './registers.ts'

export interface MemberRow {
  readonly at: number
  readonly bytes: 1 | 2 | 4 | 8 | 16
  readonly fields?: Readonly<Record<string, BitRange>>
}

export type Member<Row extends MemberRow = MemberRow> = Omit<Row, 'fields'> & {
  readonly name: string
  readonly fields: { readonly [F in keyof NonNullable<Row['fields']>]: Field }
}

export type Layout<Rows extends Readonly<Record<string, MemberRow>>> = {
  readonly [N in keyof Rows]: Member<Rows[N]>
} & { readonly size: number }

/** Declares a structure of `size` bytes, with the manual's section as its source. */
export function layout<const Rows extends Readonly<Record<string, MemberRow>>>(
  size: number,
  _spec: string,
  rows: Rows,
): Layout<Rows> {
  const members: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(rows)) {
    const fields: Record<string, Field> = {}
    for (const [field, range] of Object.entries(row.fields ?? {})) {
      const [high, low] = typeof range === 'number' ? [range, range] : range
      fields[field] = { name: field, high, low }
    }
    members[name] = { ...row, name, fields }
  }
  return { ...members, size } as Layout<Rows>
}
