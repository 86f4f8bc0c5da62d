/** What a virtual network card is plugged into in a VMM process: rings that it shares with the kernel, and a system call a frame. */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import type { NetworkBackend } from '../virtual/chip.ts'
import { RING_SLOTS, SLOT_BYTES, USER_RINGS } from './layout.ts'

export class ProcessNetwork implements NetworkBackend {
  readonly state: Record<string, StateRecord>
  /** The first slot whose frame is to be sent, how many are, and how many of them are in system calls. */
  readonly #record = { first: 0, count: 0, sending: 0 }
  readonly #bytes = new Int32Array(RING_SLOTS)
  #deliver: (port: HartPort, address: number, bytes: number) => boolean = () => false

  constructor() {
    this.state = { network: this.#record, 'network bytes': this.#bytes }
  }

  buffer(): number {
    const record = this.#record
    if (record.count === RING_SLOTS) return 0
    return USER_RINGS + ((record.first + record.count) % RING_SLOTS) * SLOT_BYTES
  }

  transmit(_port: HartPort, _address: number, bytes: number): void {
    const record = this.#record
    this.#bytes[(record.first + record.count) % RING_SLOTS] = bytes
    record.count++
  }

  attach(deliver: (port: HartPort, address: number, bytes: number) => boolean): void {
    this.#deliver = deliver
  }

  /** How many frames have to be given to the kernel. */
  waiting(): number {
    return this.#record.count - this.#record.sending
  }

  /** The slot of the next of them; its system call begins. */
  next(): number {
    const record = this.#record
    const slot = (record.first + record.sending) % RING_SLOTS
    record.sending++
    return slot
  }

  bytesOf(slot: number): number {
    return this.#bytes[slot]
  }

  /** A system call is over: the kernel has copied the frame. */
  sent(): void {
    const record = this.#record
    record.first = (record.first + 1) % RING_SLOTS
    record.count--
    record.sending--
  }

  /** An event tells of a frame. */
  received(port: HartPort, value: number): void {
    const slot = value % 256
    this.#deliver(port, USER_RINGS + (RING_SLOTS + slot) * SLOT_BYTES, (value - slot) / 256)
  }
}
