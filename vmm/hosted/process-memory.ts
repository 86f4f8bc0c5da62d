/** The guest's RAM as its VMM process reaches it: one range of its own addresses, which the kernel populates when they are touched. */
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import type { HartPort } from '../../hw/port.ts'
import type { GuestMemory } from '../virtual/chip.ts'
import { USER_RAM } from './layout.ts'

export class ProcessMemory implements GuestMemory {
  readonly #bytes: number

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  reach(_port: HartPort, address: number, bytes: number): number {
    const offset = address - GUEST_RAM
    return offset >= 0 && offset + bytes <= this.#bytes ? USER_RAM + offset : -1
  }

  /** A process has no device that could reach anything. */
  deviceAddress(): number {
    return -1
  }
}
