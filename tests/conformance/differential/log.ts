/** Reads what the monitor wrote, and says where two runs of one program part. */
import {
  CODE,
  DATA,
  G_TABLES,
  LOG,
  MOST_SLOTS,
  RECORD_BYTES,
  RECORD_CSRS,
  RECORD_F,
  RECORDED,
  type Recorded,
} from './arena.ts'

export interface TrapRecord {
  readonly x: readonly bigint[]
  readonly f: readonly bigint[]
  readonly csrs: Readonly<Record<Recorded, bigint>>
}

/** The records in an arena, in order. */
export function readRecords(arena: Uint8Array): TrapRecord[] {
  const view = new DataView(arena.buffer, arena.byteOffset, arena.byteLength)
  const word = (at: number): bigint => view.getBigUint64(at, true)
  const records: TrapRecord[] = []
  for (
    let at = LOG;
    at + RECORD_BYTES <= arena.length && records.length < MOST_SLOTS + 2 && word(at) === 1n;
    at += RECORD_BYTES
  ) {
    records.push({
      x: Array.from({ length: 32 }, (_, n) => (n === 0 ? 0n : word(at + n * 8))),
      f: Array.from({ length: 32 }, (_, n) => word(at + RECORD_F + n * 8)),
      csrs: Object.fromEntries(RECORDED.map((name, n) => [name, word(at + RECORD_CSRS + n * 8)])) as Record<
        Recorded,
        bigint
      >,
    })
  }
  return records
}

export interface Difference {
  /** Number of the record, or -1: memory after the end. */
  readonly record: number
  readonly what: string
  readonly left: bigint
  readonly right: bigint
}

/** Whether two values of a recorded CSR count as equal. */
export type Agreement = (name: Recorded, left: bigint, right: bigint) => boolean

/** The first record that differs, as all its differences; or memory that differs; or nothing. */
export function compareArenas(left: Uint8Array, right: Uint8Array, agree: Agreement): Difference[] {
  const [a, b] = [readRecords(left), readRecords(right)]
  for (let record = 0; record < Math.min(a.length, b.length); record++) {
    const [l, r] = [a[record], b[record]]
    const differences: Difference[] = []
    for (let n = 0; n < 32; n++) {
      if (l.x[n] !== r.x[n]) differences.push({ record, what: `x${n}`, left: l.x[n], right: r.x[n] })
      if (l.f[n] !== r.f[n]) differences.push({ record, what: `f${n}`, left: l.f[n], right: r.f[n] })
    }
    for (const name of RECORDED) {
      if (!agree(name, l.csrs[name], r.csrs[name]))
        differences.push({ record, what: name, left: l.csrs[name], right: r.csrs[name] })
    }
    if (differences.length > 0) return differences
  }
  if (a.length !== b.length)
    return [
      {
        record: Math.min(a.length, b.length),
        what: 'number of traps',
        left: BigInt(a.length),
        right: BigInt(b.length),
      },
    ]
  for (let at = CODE; at < LOG; at++) {
    if (left[at] !== right[at]) {
      const region =
        at < DATA ? 'code' : at < DATA + 0x2000 ? 'data' : at < G_TABLES ? 'tables of satp or vsatp' : 'tables of hgatp'
      return [
        {
          record: -1,
          what: `${region} at arena + 0x${at.toString(16)}`,
          left: BigInt(left[at]),
          right: BigInt(right[at]),
        },
      ]
    }
  }
  return []
}
