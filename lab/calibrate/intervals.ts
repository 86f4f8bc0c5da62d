/** What lies between the marks of somebody else's system on our machine: cycles, instructions, and the ledger's rows. */
import type { Machine } from '../../hw/index.ts'
import type { Activity, Party } from '../../hw/spec/ledger.ts'
import type { Mark } from '../linux/console.ts'

export interface IntervalRow {
  readonly party: Party
  readonly cause: string
  readonly activity: Activity
  readonly cycles: number
}

/** From a start mark to the next end mark. Cycles elapsed are those of the hart that came to the marks. */
export interface Interval {
  readonly hart: number
  readonly cycles: number
  readonly instructions: number
  /** Of all harts together. */
  readonly rows: readonly IntervalRow[]
}

interface Snapshot {
  readonly cycles: number
  readonly instructions: number
  readonly rows: ReadonlyMap<string, IntervalRow>
}

function snapshot(machine: Machine, hart: number): Snapshot {
  const rows = new Map<string, IntervalRow>()
  for (const { id } of machine.harts) {
    for (const row of machine.ledger(id)) {
      const key = `${row.party}/${row.cause}/${row.activity}`
      rows.set(key, { ...row, cycles: row.cycles + (rows.get(key)?.cycles ?? 0) })
    }
  }
  return { cycles: machine.harts[hart].now(), instructions: machine.harts[hart].retired(), rows }
}

/** Collects intervals: `marked` is to be told of every mark. An end without a start is ignored, a start begins anew. */
export class Intervals {
  readonly found: Interval[] = []
  #start: Snapshot | undefined

  marked(machine: Machine, { hart, mark }: Mark): void {
    const now = snapshot(machine, hart)
    const start = this.#start
    this.#start = mark === 'start' ? now : undefined
    if (mark === 'start' || !start) return
    this.found.push({
      hart,
      cycles: now.cycles - start.cycles,
      instructions: now.instructions - start.instructions,
      rows: [...now.rows]
        .map(([key, row]) => ({ ...row, cycles: row.cycles - (start.rows.get(key)?.cycles ?? 0) }))
        .filter(({ cycles }) => cycles > 0)
        .toSorted((a, b) => b.cycles - a.cycles),
    })
  }
}
