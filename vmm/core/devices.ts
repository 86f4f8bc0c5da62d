/** A guest's chips, in the places that its device tree names. Both VMMs put the same ones there. */
import { GUEST_AIA, GUEST_MAP, GUEST_PCIE } from '../../hw/spec/guest-map.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { swizzle } from '../../hw/spec/devices/pcie.ts'
import type {
  BlockBackend,
  ConsoleBackend,
  GuestMemory,
  Later,
  NetworkBackend,
  VirtualLine,
  WorkingChip,
} from '../virtual/chip.ts'
import { VirtualAplic } from '../virtual/aplic.ts'
import { CompletingPlic } from '../virtual/completing-plic.ts'
import { VirtualFinisher } from '../virtual/finisher.ts'
import { VirtualEcam, VirtualPcieMemory } from '../virtual/pcie-bus.ts'
import type { VirtualPcieFunction } from '../virtual/pcie-function.ts'
import { PLIC_SOURCES, VirtualPlic } from '../virtual/plic.ts'
import { VirtualUart } from '../virtual/uart.ts'
import { VirtualBlk } from '../virtual/virtio-blk.ts'
import { VirtualConsole } from '../virtual/virtio-console.ts'
import { VirtualNet } from '../virtual/virtio-net.ts'
import { cableWindow } from './guest-tree.ts'
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
  readonly network?: NetworkPlug
  /** Cards on cables to other guests. */
  readonly cables?: readonly NetworkPlug[]
  readonly own?: OwnDevices
}

/** A network card: what it is plugged into, and its station address. */
export interface NetworkPlug {
  readonly backend: NetworkBackend
  readonly mac: readonly number[]
}

/** Functions that the guest drives itself. */
export interface OwnDevices {
  readonly functions: readonly VirtualPcieFunction[]
  /** The wire of each function's pin, once there is one. */
  connect(index: number, line: VirtualLine): void
  /** The guest has handled an interrupt of this source. */
  completed(port: HartPort, source: number): void
  /** Writes to a vCPU's interrupt file: of a guest that takes messages, and has an APLIC in place of the PLIC. */
  readonly deliver?: (port: HartPort, vcpu: number, identity: number) => void
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

/** The wire of each source, and who does what chips leave for later. */
export interface Wiring {
  readonly lines: readonly VirtualLine[]
  readonly memory: GuestMemory
  readonly later: Later
  readonly addWorker: (chip: WorkingChip) => void
}

type Registered = Record<string, StateRecord>

const stateName = (vm: VirtualMachine, part: string) => `vm ${vm.index} ${part}`

/** The interrupt controller. `externals`: the external interrupt of each vCPU. */
export function attachPlic(
  vm: VirtualMachine,
  externals: readonly VirtualLine[],
  completed?: (port: HartPort, source: number) => void,
): GuestDevices {
  const plic = new VirtualPlic(externals)
  const chip = completed ? new CompletingPlic(plic, completed) : plic
  vm.attach('plic', GUEST_MAP.plic.base, GUEST_MAP.plic.bytes, chip)
  const name = (part: string) => stateName(vm, part)
  return {
    plic,
    state: {
      [name('plic')]: plic.record,
      [name('plic priorities')]: plic.priorities,
      [name('plic enabled')]: plic.enabled,
      [name('plic thresholds')]: plic.thresholds,
      [name('plic levels')]: plic.levels,
    },
  }
}

/** Consoles, and the switch that ends it all. */
export function attachConsoles(
  vm: VirtualMachine,
  { lines, memory, later, addWorker }: Wiring,
  console: ConsoleBackend,
  finished: (port: HartPort, code: number) => void,
): Registered {
  const [serial, virtual] = plugs(console)
  const uart = new VirtualUart(lines[GUEST_MAP.uart.source], serial)
  vm.attach('uart', GUEST_MAP.uart.base, GUEST_MAP.uart.bytes, uart)
  vm.attach('finisher', GUEST_MAP.finisher.base, GUEST_MAP.finisher.bytes, new VirtualFinisher(finished))
  const name = stateName(vm, 'console')
  const virtioConsole = new VirtualConsole(name, lines[GUEST_MAP.console.source], memory, later, virtual)
  vm.attach('virtio-console', GUEST_MAP.console.base, GUEST_MAP.console.bytes, virtioConsole.transport)
  addWorker(virtioConsole)
  return { [stateName(vm, 'uart')]: uart.record, [stateName(vm, 'uart queue')]: uart.queue, ...virtioConsole.state }
}

/** Disk and network cards. */
export function attachIo(
  vm: VirtualMachine,
  { lines, memory, later, addWorker }: Wiring,
  { disk, network, cables = [] }: OptionalDevices,
): Registered {
  const state: Registered = {}
  if (disk) {
    const { backend, sectors } = disk
    const name = stateName(vm, 'disk')
    const blk = new VirtualBlk(name, lines[GUEST_MAP.disk.source], memory, later, backend, sectors, vm.label)
    vm.attach('virtio-blk', GUEST_MAP.disk.base, GUEST_MAP.disk.bytes, blk.transport)
    addWorker(blk)
    Object.assign(state, blk.state)
  }
  const plugIn = (part: string, window: { base: number; bytes: number; source: number }, plug: NetworkPlug): void => {
    const net = new VirtualNet(stateName(vm, part), lines[window.source], memory, later, plug.backend, plug.mac)
    vm.attach('virtio-net', window.base, window.bytes, net.transport)
    addWorker(net)
    Object.assign(state, net.state)
  }
  if (network) plugIn('network', GUEST_MAP.network, network)
  cables.forEach((plug, index) => plugIn(`cable ${index}`, cableWindow(index), plug))
  return state
}

/** The PCIe root bus of a guest that drives functions itself. */
export function attachPcie(vm: VirtualMachine, { functions }: OwnDevices): void {
  const { ecam, memory32, memory64 } = GUEST_PCIE
  vm.attach('pcie-ecam', ecam.base, ecam.bytes, new VirtualEcam(functions))
  vm.attach('pcie-memory', memory32.base, memory32.bytes, new VirtualPcieMemory(functions, memory32.base))
  vm.attach('pcie-memory', memory64.base, memory64.bytes, new VirtualPcieMemory(functions, memory64.base))
}

/** Its wires, by source. Set-up. */
export function linesOf(controller: Pick<VirtualPlic, 'line'>): readonly VirtualLine[] {
  return Array.from({ length: PLIC_SOURCES }, (_, source) => controller.line(source))
}

/** The interrupt controller that fits: one for messages if the guest takes them. */
function attachController(
  vm: VirtualMachine,
  externals: readonly VirtualLine[],
  own: OwnDevices | undefined,
): { readonly lines: readonly VirtualLine[]; readonly state: Registered } {
  if (own?.deliver) {
    const aplic = new VirtualAplic(stateName(vm, 'aplic'), own.deliver)
    vm.attach('aplic', GUEST_AIA.aplic.base, GUEST_AIA.aplic.bytes, aplic)
    return { lines: linesOf(aplic), state: aplic.state }
  }
  const { plic, state } = attachPlic(vm, externals, own && ((port, source) => own.completed(port, source)))
  return { lines: linesOf(plic), state }
}

/** Puts all of a guest's chips where its device tree says. `externals`: the external interrupt of each vCPU. */
export function attachDevices(
  vm: VirtualMachine,
  externals: readonly VirtualLine[],
  console: ConsoleBackend,
  finished: (port: HartPort, code: number) => void,
  optional: OptionalDevices = {},
): Pick<GuestDevices, 'state'> & { readonly lines: readonly VirtualLine[] } {
  const { own } = optional
  const { lines, state } = attachController(vm, externals, own)
  const wiring: Wiring = {
    lines,
    memory: optional.memory ?? vm.ram,
    later: vm.later,
    addWorker: chip => vm.addWorker(chip),
  }
  const consoles = attachConsoles(vm, wiring, console, finished)
  const io = attachIo(vm, wiring, optional)
  if (own) {
    attachPcie(vm, own)
    own.functions.forEach((_, index) => own.connect(index, wiring.lines[ownSource(index)]))
  }
  return { lines, state: { [stateName(vm, 'later')]: vm.later, ...state, ...consoles, ...io } }
}

/** The source of the pin (INTA) of a guest's nth own function, which is in slot n + 1. */
export function ownSource(index: number): number {
  return GUEST_PCIE.source + swizzle(index + 1, 1)
}
