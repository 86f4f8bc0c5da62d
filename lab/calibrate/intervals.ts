/** What lies between the marks of somebody else's system on our machine: cycles, instructions, and the ledger's rows. */
import type { Machine } from '../../hw/index.ts'
import type { Activity, Party } from '../../hw/spec/ledger.ts'

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
  readonly cycle: number
  readonly instructions: number
  readonly rows: ReadonlyMap<string, IntervalRow>
}

function snapshot(machine: Machine, hart: number, cycle: number): Snapshot {
  const rows = new Map<string, IntervalRow>()
  for (const { id } of machine.harts) {
    for (const row of machine.ledger(id)) {
      const key = `${row.party}/${row.cause}/${row.activity}`
      rows.set(key, { ...row, cycles: row.cycles + (rows.get(key)?.cycles ?? 0) })
    }
  }
  return { cycle, instructions: machine.harts[hart].retired(), rows }
}

/** Collects what lies between start and end marks. An end without a start is ignored, a start begins anew. */
export class Intervals {
  readonly found: Interval[] = []
  #start: Snapshot | undefined

  constructor(machine: Machine) {
    machine.onMark((hart, mark, number, cycle) => {
      if (number !== 0 || mark === 'due') return
      const now = snapshot(machine, hart, cycle)
      const start = this.#start
      this.#start = mark === 'start' ? now : undefined
      if (mark === 'end' && start) this.found.push(interval(hart, start, now))
    })
  }
}

function interval(hart: number, start: Snapshot, end: Snapshot): Interval {
  return {
    hart,
    cycles: end.cycle - start.cycle,
    instructions: end.instructions - start.instructions,
    rows: [...end.rows]
      .map(([key, row]) => ({ ...row, cycles: row.cycles - (start.rows.get(key)?.cycles ?? 0) }))
      .filter(({ cycles }) => cycles > 0)
      .toSorted((a, b) => b.cycles - a.cycles),
  }
}
