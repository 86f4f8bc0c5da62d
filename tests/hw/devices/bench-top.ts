/** A bench for chips: a clock that the test turns by hand, and wires that remember. */
import type { Clock, Line, Plain, Timed } from '../../../hw/bus/chip.ts'

/** A clock at 1 GHz, 100 cycles a tick. `connect` says whose events it delivers. */
export class HandClock implements Clock {
  readonly cyclesPerTick = 100
  readonly frequency = 1_000_000_000
  #cycle = 0
  #next = 1
  #events = new Map<number, { cycle: number; kind: string; payload: Plain }>()
  #chip: Timed | undefined

  connect(chip: Timed): void {
    this.#chip = chip
  }

  now(): number {
    return this.#cycle
  }

  at(cycle: number, kind: string, payload: Plain = null): number {
    this.#events.set(this.#next, { cycle, kind, payload })
    return this.#next++
  }

  cancel(event: number): void {
    this.#events.delete(event)
  }

  /** Turns the clock on, delivering what falls due on the way. */
  advance(cycles: number): void {
    const end = this.#cycle + cycles
    for (;;) {
      const [first] = [...this.#events]
        .filter(([, event]) => event.cycle <= end)
        .sort(([, a], [, b]) => a.cycle - b.cycle)
      if (!first) break
      const [number, { cycle, kind, payload }] = first
      this.#events.delete(number)
      this.#cycle = Math.max(this.#cycle, cycle)
      this.#chip?.due(kind, payload)
    }
    this.#cycle = end
  }
}

/** A wire that remembers its level and counts its rises. */
export class Wire implements Line {
  level = false
  rises = 0

  set(level: boolean): void {
    if (level && !this.level) this.rises++
    this.level = level
  }
}
