/** A process that sums a table, one element at a time: in registers, in registered state, and by counting in memory. */
import type { HartPort, Software } from '../../../../hw/port.ts'

export const ELEMENTS = 60

export interface AdderAddresses {
  readonly table: number
  readonly turns: number
  readonly result: number
  /** The instruction that the entry ends at. */
  readonly after: number
}

export function adder({ table, turns, result, after }: AdderAddresses): Software {
  const state = { sum: 0, rounds: 0 }

  function addUp(port: HartPort): void {
    let sum = 0
    for (let i = 0; i < ELEMENTS; i++) {
      sum += port.load32(table + i * 4)
      state.sum += 1
      port.add32(turns, 1)
    }
    state.rounds += 1
    port.store64(result, sum)
    port.store64(result + 8, state.sum)
    port.store64(result + 16, state.rounds)
    port.jump(after)
  }

  return { name: 'adder', entries: [addUp], state: { state } }
}
