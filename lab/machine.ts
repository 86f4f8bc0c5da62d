/** How `lab` builds machines: tier 0 executes. */
import { type Board, build, type Machine, type MachineOptions } from '../hw/index.ts'
import { Tier0, Tier0Code } from '../hw/translate/tier0.ts'
import type { Memory } from '../hw/memory/memory.ts'

/** One compiled interpreter for all harts of a machine. */
export function tier0(): MachineOptions['executor'] {
  const compiled = new Map<Memory, Tier0Code>()
  return (memory, hart, index) => {
    const code = compiled.get(memory) ?? new Tier0Code(memory)
    compiled.set(memory, code)
    return new Tier0(memory, hart, index, code)
  }
}

export function buildMachine(board: Board, options: Partial<MachineOptions> = {}): Machine {
  return build(board, { executor: tier0(), ...options })
}
