/** How long each guest has had a hart. */
import type { Arena } from './arena.ts'
import { type Exit, NOBODY, type Observer } from './observer.ts'

/** Whoever it is that leaves first has had the hart since the run began. */
const UNKNOWN = -2

export class SharesHad implements Observer {
  readonly sighting = undefined
  /** By guest, in cycles. */
  had: number[] = []
  #arena!: Arena
  /** By hart: since when whose. */
  #since: { guest: number; at: number }[] = []

  begin(arena: Arena): void {
    this.#arena = arena
    this.had = arena.guests.map(() => 0)
    this.#since = arena.machine.harts.map(() => ({ guest: UNKNOWN, at: arena.began }))
  }

  left({ hart, guest }: Exit): void {
    const since = this.#since[hart]
    if (since.guest === guest || since.guest === UNKNOWN) this.had[guest] += this.#now(hart) - since.at
    since.guest = NOBODY
  }

  resumed(hart: number, guest: number): void {
    this.#since[hart] = { guest, at: this.#now(hart) }
  }

  end(): void {
    for (const [hart, { guest, at }] of this.#since.entries()) if (guest >= 0) this.had[guest] += this.#now(hart) - at
  }

  #now(hart: number): number {
    return this.#arena.machine.harts[hart].now()
  }
}
