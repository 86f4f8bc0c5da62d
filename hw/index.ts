/** The machine's door: build a board's machine, run it, save it. What software asks of it is in port.ts. */
import type { Board } from './board.ts'
import { Machine, type MachineOptions } from './machine.ts'

export type { Board, HartLines, TimeSource, Wiring } from './board.ts'
export { BARE_PARTIES, type ModeParties } from './hart/accounts.ts'
export type { MachineState } from './machine-state.ts'
export { Machine, type ExecutorFactory, type MachineOptions, type RunOptions, type StopReason } from './machine.ts'
export { CORES, type CoreChoice, type CoreName, MODELS, pricesFor } from './time/prices-lists.ts'
export { type L2Sharing, L2_SHARINGS } from './time/prices-memory.ts'
export { type Model, rocketFlat, type Prices } from './time/prices.ts'
export { i82576, p3700, type DrivePrices, type NicPrices } from './time/prices-devices.ts'

/** Builds the machine of a board, switched on: every hart at its reset vector. */
export function build(board: Board, options: MachineOptions): Machine {
  return new Machine(board, options)
}
