/** How `lab` builds machines: tier 0 executes. */
import { type Board, build, type Machine, type MachineOptions } from '../hw/index.ts'
import { tier0 } from '../hw/translate/tier0.ts'

export function buildMachine(board: Board, options: Partial<MachineOptions> = {}): Machine {
  return build(board, { executor: tier0(), ...options })
}
