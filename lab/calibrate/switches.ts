/**
 * Switches from one guest to another and back, as the machine sees them: from the trap that leaves the guest that
 * computes until it finds that time is missing, if meanwhile the other one wanted to sleep (a trap of its wfi). A gap in
 * which the hypervisor only looked at its timer is none.
 */
import type { Machine } from '../../hw/index.ts'

/** Virtual instruction: wfi under hstatus.VTW. */
const VIRTUAL_INSTRUCTION = 22

export class Switches {
  #left: number | undefined
  #slept = false
  #cycles = 0
  #round = 0

  /** `number` is that of the benchmark that ends a span when it finds that time is missing. */
  constructor(machine: Machine, number: number) {
    machine.onTrap((_hart, _from, code, cycle) => {
      this.#left ??= cycle
      this.#slept ||= code === VIRTUAL_INSTRUCTION
    })
    machine.onMark((_hart, mark, of, cycle) => {
      if (mark !== 'end') return
      if (of === number && this.#slept && this.#left !== undefined) {
        this.#cycles += cycle - this.#left
        this.#round++
      }
      this.#left = undefined
      this.#slept = false
    })
  }

  /** There and back is two. */
  get operations(): number {
    return this.#round * 2
  }

  /** Cycles of one switch; undefined if there was none. */
  get each(): number | undefined {
    return this.#round === 0 ? undefined : this.#cycles / this.operations
  }
}
