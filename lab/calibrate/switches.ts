/**
 * Switches from one guest to another and back, as the machine sees them: from the trap that leaves the guest that
 * computes, the last before the other one wants to sleep (a trap of its wfi), until the first finds that time is missing.
 */
import type { Machine } from '../../hw/index.ts'
import { VIRTUAL } from '../../hw/hart/state.ts'

/** Virtual instruction: wfi under hstatus.VTW. */
const VIRTUAL_INSTRUCTION = 22

export class Switches {
  /** When a guest was left last; and when for the one that then slept. */
  #last = 0
  #left: number | undefined
  #cycles = 0
  #rounds = 0

  /** `number` is that of the benchmark that ends a span when it finds that time is missing. */
  constructor(machine: Pick<Machine, 'onTrap' | 'onMark'>, number: number) {
    machine.onTrap((_hart, from, code, cycle) => {
      if (from < VIRTUAL) return
      if (code === VIRTUAL_INSTRUCTION) this.#left ??= this.#last
      this.#last = cycle
    })
    machine.onMark((_hart, mark, of, cycle) => {
      if (mark !== 'end') return
      if (of === number && this.#left !== undefined) {
        this.#cycles += cycle - this.#left
        this.#rounds++
      }
      this.#left = undefined
    })
  }

  /** There and back is two. */
  get operations(): number {
    return this.#rounds * 2
  }

  /** Cycles of one switch; undefined if there was none. */
  get each(): number | undefined {
    return this.#rounds === 0 ? undefined : this.#cycles / this.operations
  }
}
