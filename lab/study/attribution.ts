/** What a difference is made of: one ledger less another, row by row, to the cycle. */
import type { Activity, Party } from '../../hw/spec/ledger.ts'
import type { Result } from './measure.ts'

/** A row of a ledger over all harts, or of the difference between two. */
export interface DifferenceRow {
  readonly party: Party
  readonly cause: string
  readonly activity: Activity
  readonly cycles: number
}

/** What `b` spent beyond `a`, largest first: the rows sum to the difference of their cycles. */
export function ledgerDifference(a: Result, b: Result): readonly DifferenceRow[] {
  const sums = new Map<string, DifferenceRow>()
  const add = ({ ledger }: Result, sign: 1 | -1) => {
    for (const { party, cause, activity, cycles } of ledger) {
      const key = `${party}\n${cause}\n${activity}`
      sums.set(key, { party, cause, activity, cycles: (sums.get(key)?.cycles ?? 0) + sign * cycles })
    }
  }
  add(b, 1)
  add(a, -1)
  return [...sums.values()]
    .filter(({ cycles }) => cycles !== 0)
    .toSorted((first, second) => Math.abs(second.cycles) - Math.abs(first.cycles))
}
