/** Watches that a guest that has ended does not go on. */
import type { Arena } from './arena.ts'
import type { Sighting } from './finding.ts'
import type { Observer } from './observer.ts'

/** What other harts may take to stop. */
const GRACE = 200_000

export class AfterEnd implements Observer {
  sighting: Sighting | undefined
  #arena!: Arena
  /** By guest: when it was first seen to have ended. */
  #ended: number[] = []

  begin(arena: Arena): void {
    this.#arena = arena
    this.sighting = undefined
    this.#ended = arena.system.guests.map(() => Infinity)
  }

  left(): void {
    const { machine, system } = this.#arena
    const now = machine.now()
    for (const { record, index } of system.guests)
      if (record.ended && this.#ended[index] > now) this.#ended[index] = now
  }

  resumed(hart: number, guest: number, vcpu: number): void {
    const now = this.#arena.machine.now()
    if (this.sighting || !(now > this.#ended[guest] + GRACE)) return
    this.sighting = {
      what: `guest ${guest}, vCPU ${vcpu} goes on on hart ${hart} though its guest has ended`,
      where: this.#arena.where(),
    }
  }
}
