/** Shares of the harts' time: no process has more than its cap in a period of 100 ms. */
import type { Share, Thread } from '../task.ts'

/** Policy (ticks). */
const PERIOD = 1_000_000

export class Caps {
  /** The number of the period, and how many threads wait for the next. */
  readonly record = { period: 0, throttled: 0 }
  readonly #shares: readonly Share[]

  constructor(tasks: readonly Thread[]) {
    this.#shares = [...new Set(tasks.map(({ share }) => share))]
  }

  /** True if the share has been used up. */
  isReached({ cap, record }: Share): boolean {
    return cap !== 0 && record.used * 100 >= PERIOD * cap
  }

  /** Ticks that are left of a share; 0 if it has no cap, or is used up. */
  left({ cap, record }: Share): number {
    return Math.max(0, (PERIOD * cap) / 100 - record.used)
  }

  /** A thread waits for the next period. */
  throttle(task: Thread): void {
    if (task.record.throttled) return
    task.record.throttled = true
    this.record.throttled++
  }

  /** True if a new period has begun: everybody may have his share again. */
  renew(now: number): boolean {
    const { record } = this
    const period = Math.floor(now / PERIOD)
    if (period === record.period) return false
    record.period = period
    for (let index = 0; index < this.#shares.length; index++) this.#shares[index].record.used = 0
    return true
  }

  /** When the next period begins (ticks). */
  nextPeriod(): number {
    return (this.record.period + 1) * PERIOD
  }
}
