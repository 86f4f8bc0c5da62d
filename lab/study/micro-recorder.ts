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
  /** Ends that belong to nothing that was due: what the guest took for one was something else. */
  readonly strays: number
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

  merge(other: Sum): void {
    this.begun += other.begun
    this.cycles += other.cycles
    this.instructions += other.instructions
    for (const [key, row] of other.rows) {
      const known = this.rows.get(key)
      if (known) known.cycles += row.cycles
      else this.rows.set(key, row)
    }
  }

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
  /** By number: spans between two marks, and spans that were due at a time. */
  readonly #plain = new Map<number, Sum>()
  readonly #timed = new Map<number, Sum>()
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
    const numbers = [...new Set([...this.#plain.keys(), ...this.#timed.keys()])].toSorted((a, b) => a - b)
    return numbers.flatMap(number => {
      const timed = this.#timed.get(number)
      const plain = this.#plain.get(number)
      if (timed) return spansOf(number, timed, plain?.ended ?? 0)
      return plain && plain.ended > 0 && plain.ended === plain.begun ? spansOf(number, plain, 0) : []
    })
  }

  #begin(number: number, cycle: number): void {
    if (number === 0) return
    const sum = sumOf(this.#plain, number)
    sum.begun++
    sum.add(this.#machine, cycle, -1)
  }

  #fallDue(hart: number, cycle: number): void {
    const due = new Sum()
    due.begun = 1
    due.add(this.#machine, cycle, -1)
    this.#due.set(hart, due)
  }

  #end(hart: number, number: number, cycle: number): void {
    const due = this.#due.get(hart)
    this.#due.delete(hart)
    if (number === 0) return
    const sum = sumOf(due ? this.#timed : this.#plain, number)
    if (due) sum.merge(due)
    sum.ended++
    sum.add(this.#machine, cycle, 1)
  }
}

function sumOf(sums: Map<number, Sum>, number: number): Sum {
  const sum = sums.get(number) ?? new Sum()
  sums.set(number, sum)
  return sum
}

function spansOf(number: number, { ended, cycles, instructions, rows }: Sum, strays: number): Spans {
  const ledger = [...rows.values()].filter(row => row.cycles !== 0)
  return {
    number,
    spans: ended,
    strays,
    cycles,
    instructions,
    ledger: ledger.toSorted((a, b) => a.hart - b.hart || b.cycles - a.cycles),
  }
}
