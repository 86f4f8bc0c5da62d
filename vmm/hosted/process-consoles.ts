/** What is left for a VMM process if the kernel has its guest's other devices. Set-up. */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { attachConsoles } from '../core/devices.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import type { ConsoleBackend, VirtualLine, WorkingChip } from '../virtual/chip.ts'
import type { ProcessMemory } from './process-memory.ts'

/** Consoles, and the switch that ends it all; their state. */
export function attachOnlyConsoles(
  vm: VirtualMachine,
  memory: ProcessMemory,
  lines: readonly VirtualLine[],
  console: ConsoleBackend,
  finished: (port: HartPort, code: number) => void,
): Readonly<Record<string, StateRecord>> {
  const wiring = { lines, memory, later: vm.later, addWorker: (chip: WorkingChip) => vm.addWorker(chip) }
  return { [`vm ${vm.index} later`]: vm.later, ...attachConsoles(vm, wiring, console, finished) }
}
