/** The machine's interrupt controller, as the VMM has it on hart 0: a PLIC, or an interrupt file with an APLIC for wires. Set-up. */
import { aplicDriver } from '../../drivers/aplic.ts'
import type { InterruptController } from '../../drivers/environment.ts'
import { fileEnvironment } from '../../drivers/file-environment.ts'
import { imsicDriver } from '../../drivers/imsic.ts'
import type { PcieBus } from '../../drivers/pcie.ts'
import { plicDriver } from '../../drivers/plic.ts'
import type { CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import type { StateRecord } from '../../hw/port.ts'
import { type Fdt, type FdtNode, fdtCompatible, fdtRanges } from '../../hw/spec/layouts/fdt.ts'
import { windowOf } from '../core/machine-tree.ts'
import type { FileGeometry } from './guest-files.ts'
import { FIRST_MESSAGE, messageBus } from './message-bus.ts'

/** PLIC contexts come in pairs a hart, M and S: hart 0's S. */
const CONTEXT = 1
const PLIC_SOURCES = 95
/** In an `interrupts-extended` list: the supervisor's external interrupt. */
const EXTERNAL_S = 9

/** The interrupt controller, as the VMM's context of hart 0 sees it. */
export interface Controller {
  start(): void
  enable(source: number): void
  claim(): number
  complete(source: number): void
}

export interface MachineController {
  readonly controller: Controller
  /** The same for those who place drivers. */
  readonly device: InterruptController
  readonly state: Readonly<Record<string, StateRecord>>
  /** The root bus, whose functions interrupt by wire or by message. */
  bus(bus: PcieBus, ecam: number): PcieBus
  /** Where the messages of devices of the VMM's own go; 0 on a machine without. */
  readonly messages: number
  /** Its guest interrupt files. Throws one line if it has none. */
  files(): FileGeometry
}

export function makeController(
  tree: Fdt,
  current: CurrentPort,
  place: (name: string, registers: number) => PortEnvironment,
): MachineController {
  const file = fdtCompatible(tree.root, 'riscv,imsics').find(({ properties }) => {
    const wires = properties.get('interrupts-extended')!
    return new DataView(wires.buffer, wires.byteOffset).getUint32(4) === EXTERNAL_S
  })
  return file ? byMessage(tree, file, current, place) : byWire(tree, place)
}

function byWire(tree: Fdt, place: (name: string, registers: number) => PortEnvironment): MachineController {
  const environment = place('plic', windowOf(tree, 'riscv,plic0').base)
  const device = plicDriver(environment, { context: CONTEXT, sources: PLIC_SOURCES })
  const controller: Controller = {
    start: () => {
      device.start()
      device.threshold(0)
    },
    enable: source => device.enable(source, 1),
    claim: () => device.claim(),
    complete: source => device.complete(source),
  }
  return { controller, device, state: environment.registered, bus: bus => bus, messages: 0, files: noFiles }
}

/** Sources of wires keep their numbers as identities of messages; devices' own messages have those from FIRST_MESSAGE on. */
function byMessage(
  tree: Fdt,
  node: FdtNode,
  current: CurrentPort,
  place: (name: string, registers: number) => PortEnvironment,
): MachineController {
  const messages = fdtRanges(node, 'reg')[0].address
  const { environment, registered } = fileEnvironment(current, 'imsic')
  const file = imsicDriver(environment)
  const aplicNode = fdtCompatible(tree.root, 'riscv,aplic').find(({ properties }) => !properties.has('riscv,children'))!
  const wires = aplicDriver(place('aplic', fdtRanges(aplicNode, 'reg')[0].address), { hart: 0 })
  const device: InterruptController = {
    ...file,
    enable: (source, priority) => {
      file.enable(source, priority)
      if (source < FIRST_MESSAGE) wires.enable(source)
    },
    disable: source => {
      if (source < FIRST_MESSAGE) wires.disable(source)
      file.disable(source)
    },
    complete: source => {
      if (source < FIRST_MESSAGE) wires.complete(source)
    },
  }
  const controller: Controller = {
    start: () => {
      wires.start()
      file.start()
    },
    enable: source => device.enable(source, 1),
    claim: () => device.claim(),
    complete: source => device.complete(source),
  }
  const bits = node.properties.get('riscv,guest-index-bits')
  const indexBits = bits ? new DataView(bits.buffer, bits.byteOffset).getUint32(0) : 0
  const made = { next: FIRST_MESSAGE }
  const table = { base: 0 }
  return {
    controller,
    device,
    state: { ...registered, messages: made, 'message table': table },
    bus: (bus, ecam) => messageBus(bus, current, ecam, messages, { made, place: table }),
    messages,
    files: () => (indexBits === 0 ? noFiles() : { base: messages, files: 2 ** indexBits - 1 }),
  }
}

function noFiles(): FileGeometry {
  throw new Error(
    'interrupts of a guest’s own device are posted to a guest interrupt file, and this machine has none: give it aia "aplic-imsic" and guestFiles, or have them trapped',
  )
}
