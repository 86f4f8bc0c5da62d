/** A guest's chips, in the places that its device tree names. Both VMMs put the same ones there. */
import { GUEST_MAP } from '../../hw/spec/guest-map.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import type { ConsoleBackend, VirtualLine } from '../virtual/chip.ts'
import { VirtualFinisher } from '../virtual/finisher.ts'
import { VirtualPlic } from '../virtual/plic.ts'
import { VirtualUart } from '../virtual/uart.ts'
import type { VirtualMachine } from './virtual-machine.ts'

export interface GuestDevices {
  readonly plic: VirtualPlic
  /** For the VMM's registered state. */
  readonly state: Readonly<Record<string, StateRecord>>
}

/** What every guest has. `externals`: the external interrupt of each vCPU. */
export function attachDevices(
  vm: VirtualMachine,
  externals: readonly VirtualLine[],
  console: ConsoleBackend,
  finished: (port: HartPort, code: number) => void,
): GuestDevices {
  const plic = new VirtualPlic(externals)
  const uart = new VirtualUart(plic.line(GUEST_MAP.uart.source), console)
  vm.attach('plic', GUEST_MAP.plic.base, GUEST_MAP.plic.bytes, plic)
  vm.attach('uart', GUEST_MAP.uart.base, GUEST_MAP.uart.bytes, uart)
  vm.attach('finisher', GUEST_MAP.finisher.base, GUEST_MAP.finisher.bytes, new VirtualFinisher(finished))
  const name = (part: string) => `vm ${vm.index} ${part}`
  return {
    plic,
    state: {
      [name('plic')]: plic.record,
      [name('plic priorities')]: plic.priorities,
      [name('plic enabled')]: plic.enabled,
      [name('plic thresholds')]: plic.thresholds,
      [name('plic levels')]: plic.levels,
      [name('uart')]: uart.record,
      [name('uart queue')]: uart.queue,
    },
  }
}
