/** A root bus whose functions interrupt by messages (MSI-X): one each, to the interrupt file of hart 0. */
import { pcieConfiguration } from '../../drivers/pcie-configuration.ts'
import type { PcieBus } from '../../drivers/pcie.ts'
import { type CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import { CAPABILITY, msixCapability, msixEntry, pcie } from '../../hw/spec/devices/pcie.ts'
import { fieldOf, withField } from '../../hw/spec/registers.ts'

/** Identities of messages, from here on; those below are wires' sources. */
export const FIRST_MESSAGE = 40
/** A wire's source is this and the wire's number, and so is a message's identity. */
const FIRST_WIRE = 32
const FUNCTIONS_OF_A_SLOT = 8
const NOT_ADDRESS = 15
const NOT_BIR = ~7
/** Where the BAR with the table is put if it is not the function's first: so far behind that. */
const TABLE_OFFSET = 0x8_0000
const ENABLED = withField(msixCapability.MESSAGE_CONTROL.fields.ENABLE, 0, 1)
const NOWHERE = { base: 0, device: 0, bytes: 0 }

/** `made.next` is the next free identity: registered state. */
export function messageBus(
  bus: PcieBus,
  current: CurrentPort,
  ecam: number,
  file: number,
  made: { next: number },
): PcieBus {
  const window = (name: string, registers: number | { base: number }) =>
    new PortEnvironment({
      current,
      name,
      registers,
      dma: NOWHERE,
      interrupts: [],
      now: () => 0,
      wakeAt: () => {},
    })
  const configuration = pcieConfiguration(window('pcie messages', ecam))
  const place = { base: 0 }
  const table = window('message table', place).device

  /** Where the function's MSI-X table lies. */
  function tableOf(identity: number, capability: number): number {
    const where = configuration.read32(identity, capability + msixCapability.TABLE.at)
    const bar = fieldOf(msixCapability.TABLE.fields.BIR, where)
    let base = (configuration.read32(identity, pcie.BAR.at) & ~NOT_ADDRESS) >>> 0
    if (bar !== 0) {
      base += TABLE_OFFSET
      configuration.setBar(identity, bar, base)
    }
    return base + ((where & NOT_BIR) >>> 0)
  }

  function wire(slot: number): number {
    const identity = slot * FUNCTIONS_OF_A_SLOT
    const capability = configuration.capability(identity, CAPABILITY.MSIX)
    if (capability === 0) return bus.wire(slot)
    const message = made.next
    made.next = message + 1
    place.base = tableOf(identity, capability)
    table.write(msixEntry.ADDRESS, file)
    table.write(msixEntry.ADDRESS_HIGH, 0)
    table.write(msixEntry.DATA, message)
    table.write(msixEntry.VECTOR_CONTROL, 0)
    configuration.write16(identity, capability + msixCapability.MESSAGE_CONTROL.at, ENABLED)
    return message - FIRST_WIRE
  }

  return { ...bus, wire }
}
