/** A root bus whose functions interrupt by messages (MSI-X): one each, to the interrupt file of hart 0. */
import { pcieMessages } from '../../drivers/pcie-messages.ts'
import type { PcieBus } from '../../drivers/pcie.ts'
import { type CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'

/** Identities of messages, from here on; those below are wires' sources. */
export const FIRST_MESSAGE = 40
/** A wire's source is this and the wire's number, and so is a message's identity. */
const FIRST_WIRE = 32
const FUNCTIONS_OF_A_SLOT = 8
const NOWHERE = { base: 0, device: 0, bytes: 0 }

/** Registered state: the next free identity; and where the table lies that is written. */
export interface MessageState {
  readonly made: { next: number }
  readonly place: { base: number }
}

export function messageBus(
  bus: PcieBus,
  current: CurrentPort,
  ecam: number,
  file: number,
  { made, place }: MessageState,
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
  const messages = pcieMessages(window('pcie messages', ecam), window('message table', place), place)

  function wire(slot: number): number {
    if (!messages.route(slot * FUNCTIONS_OF_A_SLOT, file, made.next)) return bus.wire(slot)
    const message = made.next
    made.next = message + 1
    return message - FIRST_WIRE
  }

  return { ...bus, wire }
}
