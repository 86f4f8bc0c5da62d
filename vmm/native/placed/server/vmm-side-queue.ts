/** What the VMM has asked a server, by number: in the order in which it is to be said, and what has been said already. */
import type { StateRecord } from '../../../../hw/port.ts'

export const FREE = 0
/** To be said; said, and not answered. */
export const ASKED = 1
export const SAID = 2

export class ServerQueue {
  readonly state: Readonly<Record<string, StateRecord>>
  /** By number: FREE, ASKED or SAID. */
  readonly stages: Int32Array
  readonly #record = { first: 0, count: 0, next: 0 }
  readonly #order: Int32Array
  /** By number: when it was asked, in order. */
  readonly #turns: Float64Array
  readonly #size: number

  constructor(name: string, size: number) {
    this.#size = size
    this.stages = new Int32Array(size)
    this.#order = new Int32Array(size)
    this.#turns = new Float64Array(size)
    this.state = {
      [`${name} queue`]: this.#record,
      [`${name} stages`]: this.stages,
      [`${name} order`]: this.#order,
      [`${name} turns`]: this.#turns,
    }
  }

  waiting(): number {
    return this.#record.count
  }

  /** The number is to be said after all others. */
  ask(number: number): void {
    const record = this.#record
    this.stages[number] = ASKED
    this.#turns[number] = record.next
    record.next++
    this.#put(number)
  }

  /** The next to be said, which is thereby; there is one. */
  say(): number {
    const record = this.#record
    const number = this.#order[record.first]
    record.first = record.first + 1 === this.#size ? 0 : record.first + 1
    record.count--
    this.stages[number] = SAID
    return number
  }

  /** The turn of what has been said first and is not answered, of the numbers below `end`; -1 if there is nothing. */
  oldest(end: number): number {
    let oldest = -1
    for (let number = 0; number < end; number++) {
      if (this.stages[number] === SAID && (oldest < 0 || this.#turns[number] < oldest)) oldest = this.#turns[number]!
    }
    return oldest
  }

  /** Nobody will answer what was said: it is to be said again, all in the order in which it was asked first. */
  repeat(): void {
    const record = this.#record
    record.first = 0
    record.count = 0
    let after = -1
    let found = this.#nextAfter(after)
    while (found >= 0) {
      this.stages[found] = ASKED
      this.#put(found)
      after = this.#turns[found]
      found = this.#nextAfter(after)
    }
  }

  #put(number: number): void {
    const record = this.#record
    const place = record.first + record.count
    this.#order[place < this.#size ? place : place - this.#size] = number
    record.count++
  }

  /** Of what is not free, the one that was asked first after `turn`; -1 if there is none. */
  #nextAfter(turn: number): number {
    let best = -1
    for (let number = 0; number < this.#size; number++) {
      if (this.stages[number] === FREE || this.#turns[number] <= turn) continue
      if (best < 0 || this.#turns[number] < this.#turns[best]) best = number
    }
    return best
  }
}
