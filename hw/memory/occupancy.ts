/**
 * Something that serves one transfer at a time, as harts that take turns see it. A hart that had the earlier turn may be
 * ahead by a whole turn; if one that comes later had to wait until the resource became free last, it would stand behind
 * transfers of its future. So time is cut into windows, and a transfer takes what is left of its window, or of the next
 * that has room. Who comes earlier by the clock but later by turn therefore pays for all that others have taken of his
 * window, and never for more than a window's length beyond what the resource is short of.
 */
const WINDOW = 32
/** What is further back is forgotten: more than twice the longest entry of TypeScript software, which no turn's end interrupts. */
const WINDOWS = 8192

export interface OccupancyState {
  readonly window: readonly number[]
  readonly taken: readonly number[]
}

export class Occupancy {
  readonly #window = new Float64Array(WINDOWS).fill(-1)
  readonly #taken = new Uint8Array(WINDOWS)

  /** Occupies the resource for `cycles` from `now` on. How long that has to wait. */
  take(now: number, cycles: number): number {
    const wait = this.#takeSome(now, Math.min(cycles, WINDOW))
    for (let rest = cycles - WINDOW; rest > 0; rest -= WINDOW) this.#takeSome(now, Math.min(rest, WINDOW))
    return wait
  }

  save(): OccupancyState {
    return { window: [...this.#window], taken: [...this.#taken] }
  }

  restore(state: OccupancyState): void {
    this.#window.set(state.window)
    this.#taken.set(state.taken)
  }

  /** At most a window. */
  #takeSome(now: number, cycles: number): number {
    let window = Math.floor(now / WINDOW)
    for (;;) {
      const at = window % WINDOWS
      const known = this.#window[at]
      if (known > window) return 0
      const taken = known < window ? 0 : this.#taken[at]
      if (taken + cycles <= WINDOW) {
        this.#window[at] = window
        this.#taken[at] = taken + cycles
        return Math.max(0, window * WINDOW + taken - now)
      }
      window++
    }
  }
}
