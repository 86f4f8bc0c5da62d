/**
 * Collects what lies between numbered marks (hw/spec/isa/mark.ts): for each number, exact cycles and ledger rows of all
 * its spans together. A span may begin on one hart and end on another; harts take turns, so that its end may be told
 * before its beginning: sums of ends and of beginnings are kept, not pairs.
 */
import type { Machine } from '../../hw/index.ts'
import type { LedgerRow } from '../../hw/time/ledger.ts'

export interface SpanRow extends LedgerRow {
  readonly hart: number
}

/** All spans of one number. */
export interface Spans {
  readonly number: number
  readonly spans: number
  /** From beginning to end, summed over the spans. */
  readonly cycles: number
  /** Retired meanwhile on all harts. */
  readonly instructions: number
  /** What all harts did meanwhile: the rows of each hart sum to the time that went by on it. */
  readonly ledger: readonly SpanRow[]
}

class Sum {
  begun = 0
  ended = 0
  cycles = 0
  instructions = 0
  readonly rows = new Map<
    string,
    { hart: number; party: LedgerRow['party']; cause: string; activity: LedgerRow['activity']; cycles: number }
  >()

  add(machine: Machine, cycle: number, sign: 1 | -1): void {
    this.cycles += sign * cycle
    for (const hart of machine.harts) {
      const { id } = hart
      this.instructions += sign * hart.retired()
      for (const row of machine.ledger(id)) {
        const key = `${id}/${row.party}/${row.cause}/${row.activity}`
        const sum = this.rows.get(key)
        if (sum) sum.cycles += sign * row.cycles
        else this.rows.set(key, { ...row, hart: id, cycles: sign * row.cycles })
      }
    }
  }
}

export class MicroRecorder {
  readonly #machine: Machine
  readonly #sums = new Map<number, Sum>()
  /** What was due on each hart, until the next end there says whose it was. */
  readonly #due = new Map<number, Sum>()

  /** From now on all marks of the machine's guests are recorded. */
  constructor(machine: Machine) {
    this.#machine = machine
    machine.onMark((hart, mark, number, cycle) => {
      if (mark === 'start') this.#begin(number, cycle)
      else if (mark === 'end') this.#end(hart, number, cycle)
      else this.#fallDue(hart, cycle)
    })
  }

  /** The spans of each number, in the order of numbers. Those that did not end are left out. */
  spans(): readonly Spans[] {
    return [...this.#sums]
      .filter(([, sum]) => sum.ended > 0 && sum.ended === sum.begun)
      .map(([number, { ended, cycles, instructions, rows }]) => ({
        number,
        spans: ended,
        cycles,
        instructions,
        ledger: [...rows.values()]
          .filter(row => row.cycles !== 0)
          .toSorted((a, b) => a.hart - b.hart || b.cycles - a.cycles),
      }))
      .toSorted((a, b) => a.number - b.number)
  }

  #begin(number: number, cycle: number): void {
    if (number === 0) return
    const sum = this.#sumOf(number)
    sum.begun++
    sum.add(this.#machine, cycle, -1)
  }

  #fallDue(hart: number, cycle: number): void {
    const due = new Sum()
    due.add(this.#machine, cycle, -1)
    this.#due.set(hart, due)
  }

  #end(hart: number, number: number, cycle: number): void {
    const due = this.#due.get(hart)
    this.#due.delete(hart)
    if (number === 0) return
    const sum = this.#sumOf(number)
    if (due) {
      sum.begun++
      sum.cycles += due.cycles
      sum.instructions += due.instructions
      for (const [key, row] of due.rows) {
        const known = sum.rows.get(key)
        if (known) known.cycles += row.cycles
        else sum.rows.set(key, row)
      }
    }
    sum.ended++
    sum.add(this.#machine, cycle, 1)
  }

  #sumOf(number: number): Sum {
    const known = this.#sums.get(number)
    if (known) return known
    const sum = new Sum()
    this.#sums.set(number, sum)
    return sum
  }
}
