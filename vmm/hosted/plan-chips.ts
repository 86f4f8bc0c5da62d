/** The machine's interrupt controller and serial line, as the host's kernel has them. Set-up. */
import { plicDriver } from '../../drivers/plic.ts'
import type { InterruptController } from '../../drivers/environment.ts'
import type { CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import { uartDriver } from '../../drivers/uart.ts'
import type { StateRecord } from '../../hw/port.ts'
import { type Fdt, fdtCells } from '../../hw/spec/layouts/fdt.ts'
import type { GuestNode } from '../../hw/spec/layouts/guest-node.ts'
import { windowOf } from '../core/machine-tree.ts'
import { SerialConsole } from '../core/serial-console.ts'

/** PLIC contexts come in pairs a hart, M and S: hart 0's S. */
const CONTEXT = 1
const PLIC_SOURCES = 95

/** The interrupt controller, as the kernel's context of hart 0 sees it. */
export interface Controller {
  start(): void
  enable(source: number): void
  claim(): number
  complete(source: number): void
}

export interface Chips {
  readonly plic: InterruptController
  readonly controller: Controller
  readonly serial: SerialConsole
  readonly registered: Readonly<Record<string, StateRecord>>
}

/** Interrupts go to `hart`; the serial line is shared among the guests. */
export function makeChips(
  current: CurrentPort,
  tree: Fdt,
  place: (name: string, registers: number, interrupts?: readonly ((masked: boolean) => void)[]) => PortEnvironment,
  hart: number,
  guests: readonly GuestNode[],
): Chips {
  const plicEnvironment = place('plic', windowOf(tree, 'riscv,plic0').base)
  const plic = plicDriver(plicEnvironment, { context: CONTEXT + 2 * hart, sources: PLIC_SOURCES })
  const controller: Controller = {
    start: () => {
      plic.start()
      plic.threshold(0)
    },
    enable: source => plic.enable(source, 1),
    claim: () => plic.claim(),
    complete: source => plic.complete(source),
  }

  const uart = windowOf(tree, 'ns16550a')
  const uartEnvironment = place('uart', uart.base, [() => {}])
  const serial = new SerialConsole(
    current,
    uartEnvironment,
    uartDriver(uartEnvironment),
    fdtCells(uart.node, 'interrupts')[0],
    guests.map(({ label }) => label),
  )
  return { plic, controller, serial, registered: plicEnvironment.registered }
}
