/** A guest's chips, in the places that its device tree names. Both VMMs put the same ones there. */
import { GUEST_MAP } from '../../hw/spec/guest-map.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import type { BlockBackend, ConsoleBackend, GuestMemory, NetworkBackend, VirtualLine } from '../virtual/chip.ts'
import { VirtualFinisher } from '../virtual/finisher.ts'
import { VirtualPlic } from '../virtual/plic.ts'
import { VirtualUart } from '../virtual/uart.ts'
import { VirtualBlk } from '../virtual/virtio-blk.ts'
import { VirtualConsole } from '../virtual/virtio-console.ts'
import { VirtualNet } from '../virtual/virtio-net.ts'
import type { VirtualMachine } from './virtual-machine.ts'

export interface GuestDevices {
  readonly plic: VirtualPlic
  /** For the VMM's registered state. */
  readonly state: Readonly<Record<string, StateRecord>>
}

/** What a guest has if it was described so. `memory`: how the chips reach its RAM, unless as its VM does. */
export interface OptionalDevices {
  readonly memory?: GuestMemory
  readonly disk?: { readonly backend: BlockBackend; readonly sectors: number }
  readonly network?: { readonly backend: NetworkBackend; readonly mac: readonly number[] }
}

/** One console with two plugs: what comes in goes to both, and the guest listens to one. */
function plugs(console: ConsoleBackend): readonly [ConsoleBackend, ConsoleBackend] {
  const inputs: ((port: HartPort, byte: number) => void)[] = []
  console.attach((port, byte) => {
    for (let index = 0; index < inputs.length; index++) inputs[index](port, byte)
  })
  const plug = (): ConsoleBackend => ({
    put: (port, byte) => console.put(port, byte),
    attach: input => {
      inputs.push(input)
    },
  })
  return [plug(), plug()]
}

/** Puts a guest's chips where its device tree says. `externals`: the external interrupt of each vCPU. */
export function attachDevices(
  vm: VirtualMachine,
  externals: readonly VirtualLine[],
  console: ConsoleBackend,
  finished: (port: HartPort, code: number) => void,
  { disk, network, memory = vm.ram }: OptionalDevices = {},
): GuestDevices {
  const plic = new VirtualPlic(externals)
  const [serial, virtual] = plugs(console)
  const uart = new VirtualUart(plic.line(GUEST_MAP.uart.source), serial)
  vm.attach('plic', GUEST_MAP.plic.base, GUEST_MAP.plic.bytes, plic)
  vm.attach('uart', GUEST_MAP.uart.base, GUEST_MAP.uart.bytes, uart)
  vm.attach('finisher', GUEST_MAP.finisher.base, GUEST_MAP.finisher.bytes, new VirtualFinisher(finished))
  const name = (part: string) => `vm ${vm.index} ${part}`
  const line = plic.line(GUEST_MAP.console.source)
  const virtioConsole = new VirtualConsole(name('console'), line, memory, vm.later, virtual)
  vm.attach('virtio-console', GUEST_MAP.console.base, GUEST_MAP.console.bytes, virtioConsole.transport)
  vm.addWorker(virtioConsole)
  const virtio: Record<string, StateRecord> = { [name('later')]: vm.later, ...virtioConsole.state }
  if (disk) {
    const blk = new VirtualBlk(
      name('disk'),
      plic.line(GUEST_MAP.disk.source),
      memory,
      vm.later,
      disk.backend,
      disk.sectors,
      vm.label,
    )
    vm.attach('virtio-blk', GUEST_MAP.disk.base, GUEST_MAP.disk.bytes, blk.transport)
    vm.addWorker(blk)
    Object.assign(virtio, blk.state)
  }
  if (network) {
    const net = new VirtualNet(
      name('network'),
      plic.line(GUEST_MAP.network.source),
      memory,
      vm.later,
      network.backend,
      network.mac,
    )
    vm.attach('virtio-net', GUEST_MAP.network.base, GUEST_MAP.network.bytes, net.transport)
    vm.addWorker(net)
    Object.assign(virtio, net.state)
  }
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
      ...virtio,
    },
  }
}
