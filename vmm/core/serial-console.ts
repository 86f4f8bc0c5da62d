/**
 * The physical UART, shared by the guests' consoles: output is queued and sent as the transmitter takes it; with
 * several guests each line begins with its guest's label. Input goes to the guest in focus; Ctrl-A moves the focus on.
 */
import type { ConsoleDevice } from '../../drivers/environment.ts'
import type { CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import type { ConsoleBackend } from '../virtual/chip.ts'
import type { PlacedDevice } from './placed-device.ts'

const QUEUE = 4096
const NEWLINE = 10
const MOVE_FOCUS = 1
const POLL_TICKS = 1000

export class SerialConsole implements PlacedDevice {
  readonly name = 'uart'
  /** For the VMM's registered state. */
  readonly state: Record<string, StateRecord>
  readonly #current: CurrentPort
  readonly #environment: PortEnvironment
  readonly #driver: ConsoleDevice
  readonly #labels: readonly Uint8Array[]
  readonly #source: number
  readonly #inputs: ((port: HartPort, byte: number) => void)[] = []
  readonly #output = new Uint8Array(QUEUE)
  readonly #input = new Uint8Array(QUEUE)
  readonly #record = { first: 0, count: 0, inFirst: 0, inCount: 0, focus: 0, writer: -1, column: 0 }

  constructor(
    current: CurrentPort,
    environment: PortEnvironment,
    driver: ConsoleDevice,
    source: number,
    labels: readonly string[],
  ) {
    this.#current = current
    this.#environment = environment
    this.#driver = driver
    this.#source = source
    this.#labels =
      labels.length > 1
        ? labels.map(label => Uint8Array.from(`[${label}] `, character => character.charCodeAt(0)))
        : labels.map(() => new Uint8Array())
    this.state = {
      console: this.#record,
      'console output': this.#output,
      'console input': this.#input,
      ...environment.registered,
    }
    driver.onInput(() => this.#take())
  }

  source(): number {
    return this.#source
  }

  start(): void {
    this.#driver.start()
  }

  settled(): boolean {
    return true
  }

  interrupt(): void {
    this.#environment.interrupted(0)
  }

  /** Sends what waits; wants to be called again while some is left. */
  elapsed(): number {
    const record = this.#record
    while (record.count > 0) {
      if (!this.#driver.put(this.#output[record.first])) return this.#environmentNow() + POLL_TICKS
      record.first = (record.first + 1) % QUEUE
      record.count--
    }
    return Infinity
  }

  /** The console as a guest's virtual UART has it. */
  of(vm: number): ConsoleBackend {
    return {
      put: (port, byte) => this.put(port, vm, byte),
      attach: input => {
        this.#inputs[vm] = input
      },
    }
  }

  /** A guest's byte for its console. What the queue cannot hold is lost, as on a wire without flow control. */
  put(_port: HartPort, vm: number, byte: number): void {
    const record = this.#record
    if (record.writer !== vm || record.column === 0) {
      if (record.writer !== vm && record.column !== 0) this.#queue(NEWLINE)
      const label = this.#labels[vm]
      for (let index = 0; index < label.length; index++) this.#queue(label[index])
      record.writer = vm
    }
    this.#queue(byte)
    record.column = byte === NEWLINE ? 0 : record.column + 1
    this.elapsed()
  }

  /** A byte for the guest in focus, or -1. */
  get(_port: HartPort, vm: number): number {
    const record = this.#record
    if (record.focus !== vm || record.inCount === 0) return -1
    const byte = this.#input[record.inFirst]
    record.inFirst = (record.inFirst + 1) % QUEUE
    record.inCount--
    return byte
  }

  #queue(byte: number): void {
    const record = this.#record
    if (record.count === QUEUE) return
    this.#output[(record.first + record.count) % QUEUE] = byte
    record.count++
  }

  #take(): void {
    const record = this.#record
    let byte = this.#driver.get()
    while (byte >= 0) {
      if (byte === MOVE_FOCUS && this.#labels.length > 1) record.focus = (record.focus + 1) % this.#labels.length
      else {
        this.#inputs[record.focus]?.(this.#current.port, byte)
        this.#keep(byte)
      }
      byte = this.#driver.get()
    }
  }

  /** For a guest that asks by SBI call instead of its UART. */
  #keep(byte: number): void {
    const record = this.#record
    if (record.inCount === QUEUE) return
    this.#input[(record.inFirst + record.inCount) % QUEUE] = byte
    record.inCount++
  }

  #environmentNow(): number {
    return this.#environment.time.now() * 10
  }
}
