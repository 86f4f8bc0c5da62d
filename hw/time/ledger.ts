/** Where one hart's cycles went: rows of (party, cause, activity). The rows, idle included, sum to the elapsed clock. */
import { ACTIVITIES, PARTIES, type Activity, type Party } from '../spec/ledger.ts'

export interface LedgerRow {
  readonly party: Party
  readonly cause: string
  readonly activity: Activity
  readonly cycles: number
}

export interface LedgerState {
  readonly rows: readonly LedgerRow[]
  readonly current: number
  readonly since: number
}

const IDLE = 0
const NONE = -1
/** What follows a cause in the rows of cycles that its party waited for caches to be filled. */
export const MISSES = ', cache misses'

export interface LedgerKey {
  readonly party: Party
  readonly cause: string
  readonly activity: Activity
}

export class Ledger {
  /** The row that is charged now. */
  current: number
  /** Told of each stretch of time when it is charged: its row, and from which cycle to which. For recordings. */
  observer: ((row: number, from: number, to: number) => void) | undefined
  #keys: LedgerKey[] = []
  /** By cause: the row of each party and activity, or NONE. */
  #index = new Map<string, Int32Array>()
  #cycles = new Float64Array(64)
  /** Row with the same party and cause, by activity; 0 until asked for (row 0 is idle's, which nothing splits). */
  #siblings = new Int32Array(64 * ACTIVITIES.length)
  /** Row of the misses of a row; 0 until asked for. */
  #misses = new Int32Array(64)
  /** All cycles before this one are charged. Charges in between move it on. */
  #since = 0

  constructor(party: Party, cause: string, activity: Activity) {
    this.row('idle', 'wfi', 'waiting')
    this.current = this.row(party, cause, activity)
  }

  /** The number of a row, made when first asked for. */
  row(party: Party, cause: string, activity: Activity): number {
    let of = this.#index.get(cause)
    if (of === undefined) {
      of = new Int32Array(PARTIES.length * ACTIVITIES.length).fill(NONE)
      this.#index.set(cause, of)
    }
    const at = placeOf(party, activity)
    if (of[at] !== NONE) return of[at]
    const row = this.#keys.length
    this.#keys.push({ party, cause, activity })
    of[at] = row
    if (row === this.#cycles.length) {
      const grown = new Float64Array(row * 2)
      grown.set(this.#cycles)
      this.#cycles = grown
      const siblings = new Int32Array(row * 2 * ACTIVITIES.length)
      siblings.set(this.#siblings)
      this.#siblings = siblings
      const misses = new Int32Array(row * 2)
      misses.set(this.#misses)
      this.#misses = misses
    }
    return row
  }

  /** What a row stands for. */
  key(row: number): LedgerKey {
    return this.#keys[row]
  }

  party(row: number): Party {
    return this.#keys[row].party
  }

  /** From cycle `now` on, charges `row`. */
  switchTo(row: number, now: number): void {
    this.#cycles[this.current] += now - this.#since
    this.observer?.(this.current, this.#since, now)
    this.#since = now
    this.current = row
  }

  /** Of the cycles up to the present, `cycles` go to another activity of the current party and cause. */
  charge(activity: Activity, cycles: number): void {
    const row = this.#sibling(activity)
    this.#cycles[row] += cycles
    this.observer?.(row, this.#since, this.#since + cycles)
    this.#since += cycles
  }

  /** The same for cycles in which caches were filled: the cause says so. */
  miss(cycles: number, activity?: Activity): void {
    const of = activity === undefined ? this.current : this.#sibling(activity)
    let row = this.#misses[of]
    if (row === 0) {
      const key = this.#keys[of]
      row = this.row(key.party, key.cause + MISSES, key.activity)
      this.#misses[of] = row
    }
    this.#cycles[row] += cycles
    this.observer?.(row, this.#since, this.#since + cycles)
    this.#since += cycles
  }

  /** From cycle `from` to `to` the hart slept. */
  idle(from: number, to: number): void {
    this.switchTo(this.current, from)
    this.#cycles[IDLE] += to - from
    this.observer?.(IDLE, from, to)
    this.#since = to
  }

  /** All rows with cycles as of `now`, in the order in which they were first used. */
  rows(now: number): readonly LedgerRow[] {
    this.switchTo(this.current, now)
    return this.#keys.map((key, row) => ({ ...key, cycles: this.#cycles[row] })).filter(row => row.cycles !== 0)
  }

  save(): LedgerState {
    return {
      rows: this.#keys.map((key, row) => ({ ...key, cycles: this.#cycles[row] })),
      current: this.current,
      since: this.#since,
    }
  }

  restore(state: LedgerState): void {
    const { rows } = state
    const known = this.#keys
    // Rows only ever come behind others: mostly, those of the state are the first.
    const isBeginning = rows.length <= known.length && rows.every((row, index) => isSame(row, known[index]))
    for (const { party, cause, activity } of known.splice(isBeginning ? rows.length : 0)) {
      const of = this.#index.get(cause)!
      of[placeOf(party, activity)] = NONE
      if (of.every(row => row === NONE)) this.#index.delete(cause)
    }
    this.#siblings.fill(0)
    this.#misses.fill(0)
    this.#cycles.fill(0)
    for (const { party, cause, activity, cycles } of rows) {
      const row = this.row(party, cause, activity)
      this.#cycles[row] = cycles
    }
    this.current = state.current
    this.#since = state.since
  }

  /** The row of another activity of whoever is charged now. */
  #sibling(activity: Activity): number {
    const at = this.current * ACTIVITIES.length + ACTIVITIES.indexOf(activity)
    let row = this.#siblings[at]
    if (row === 0) {
      const { party, cause } = this.#keys[this.current]
      row = this.row(party, cause, activity)
      this.#siblings[at] = row
    }
    return row
  }
}

/** Where in a cause's rows. */
function placeOf(party: Party, activity: Activity): number {
  const first = PARTIES.indexOf(party)
  const second = ACTIVITIES.indexOf(activity)
  if (first < 0 || second < 0) throw new Error(`no party "${party}" or activity "${activity}" in the ledger`)
  return first * ACTIVITIES.length + second
}

function isSame(a: LedgerKey, b: LedgerKey): boolean {
  return a.party === b.party && a.cause === b.cause && a.activity === b.activity
}
