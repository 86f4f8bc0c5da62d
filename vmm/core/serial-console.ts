/**
 * The physical UART, shared by the guests' consoles: output is queued and sent as the transmitter takes it. With
 * several guests each line begins with its guest's label, and what others print waits until it is over, or has not
 * gone on for a while (a prompt). Input goes to the guest in focus; Ctrl-A moves the focus on.
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
const TICKS_PER_MICROSECOND = 10
/** Bytes sent before others have their turn. */
const BUDGET = 512
/** What a guest may have printed while another's line was not over. */
const LINE = 256
/** Microseconds after which a line that does not go on is interrupted by others. */
const PATIENCE = 1000
const NOBODY = -1

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
  #left: (port: HartPort) => void = () => {}
  readonly #output = new Uint8Array(QUEUE)
  readonly #input = new Uint8Array(QUEUE)
  /**
   * `writer`: whose line is open, if `column` is not 0; when it went on last. `waiting`: guests with something kept. `told`:
   * somebody knows that something is left to be sent. `deferred`: what guests print is kept until `elapsed`.
   */
  readonly #record = {
    first: 0,
    count: 0,
    inFirst: 0,
    inCount: 0,
    focus: 0,
    writer: NOBODY,
    column: 0,
    last: 0,
    waiting: 0,
    told: false,
    deferred: false,
  }
  /** By guest: what it has printed during another's line, and how much that is. */
  readonly #lines: Uint8Array
  readonly #kept: Int32Array

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
    this.#lines = new Uint8Array(labels.length * LINE)
    this.#kept = new Int32Array(labels.length)
    this.state = {
      console: this.#record,
      'console lines': this.#lines,
      'console kept': this.#kept,
      'console output': this.#output,
      'console input': this.#input,
      ...environment.registered,
    }
    driver.onInput(() => this.#take())
  }

  /** Who is told when something is left after a guest has printed: `elapsed` is to be asked when to go on. Set-up. */
  onLeft(told: (port: HartPort) => void): void {
    this.#left = told
  }

  /** What it takes a guest to print has nothing to do with what others print: all of it is left to `elapsed`. Set-up. */
  defer(): void {
    this.#record.deferred = true
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
    if (record.deferred) this.#writeDeferred()
    if (record.waiting > 0 && this.#isPatienceOver()) this.#interruptLine()
    for (let left = BUDGET; record.count > 0; left--) {
      if (left === 0 || !this.#driver.put(this.#output[record.first]))
        return this.#now() * TICKS_PER_MICROSECOND + POLL_TICKS
      record.first = (record.first + 1) % QUEUE
      record.count--
    }
    if (record.waiting > 0) return (record.last + PATIENCE) * TICKS_PER_MICROSECOND
    record.told = false
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
  put(port: HartPort, vm: number, byte: number): void {
    const record = this.#record
    if (record.deferred) return this.#defer(vm, byte)
    if (this.#labels.length === 1) this.#queue(byte)
    else if (record.column === 0 || record.writer === vm) {
      this.#write(vm, byte)
      if (record.column === 0 && record.waiting > 0) this.#release()
    } else {
      if (this.#kept[vm] === LINE) this.#interruptLine()
      this.#putAside(vm, byte)
    }
    if (this.elapsed() === Infinity || record.told) return
    record.told = true
    this.#left(port)
  }

  #defer(vm: number, byte: number): void {
    if (this.#kept[vm] === LINE) return
    this.#lines[vm * LINE + this.#kept[vm]] = byte
    this.#kept[vm]++
  }

  /** What guests have printed since; a line of another's that is not over is interrupted. */
  #writeDeferred(): void {
    const record = this.#record
    for (let vm = 0; vm < this.#kept.length; vm++) {
      const bytes = this.#kept[vm]
      if (bytes === 0) continue
      this.#kept[vm] = 0
      if (record.column !== 0 && record.writer !== vm) this.#queue(NEWLINE)
      if (record.writer !== vm) record.column = 0
      for (let index = 0; index < bytes; index++) this.#write(vm, this.#lines[vm * LINE + index])
    }
  }

  /** Opens a line if none is, and goes on with it. */
  #write(vm: number, byte: number): void {
    const record = this.#record
    if (record.column === 0) {
      const label = this.#labels[vm]
      for (let index = 0; index < label.length; index++) this.#queue(label[index])
      record.writer = vm
    }
    this.#queue(byte)
    record.column = byte === NEWLINE ? 0 : record.column + 1
    record.last = this.#now()
  }

  #putAside(vm: number, byte: number): void {
    const record = this.#record
    // What was put aside before may just have been written, and the line may be this guest's now.
    if (record.column === 0 || record.writer === vm) return this.#write(vm, byte)
    if (this.#kept[vm] === 0) record.waiting++
    this.#lines[vm * LINE + this.#kept[vm]] = byte
    this.#kept[vm]++
  }

  #isPatienceOver(): boolean {
    return this.#now() - this.#record.last >= PATIENCE
  }

  /** Ends the open line for the sake of those that wait. */
  #interruptLine(): void {
    if (this.#record.column !== 0) this.#queue(NEWLINE)
    this.#record.column = 0
    this.#release()
  }

  /** Writes what has been put aside, one guest after the other, until one leaves a line open. */
  #release(): void {
    const record = this.#record
    const guests = this.#labels.length
    const first = record.writer + 1
    for (let step = 0; step < guests && record.column === 0; step++) {
      const vm = (first + step) % guests
      const bytes = this.#kept[vm]
      if (bytes === 0) continue
      this.#kept[vm] = 0
      record.waiting--
      for (let index = 0; index < bytes; index++) this.#write(vm, this.#lines[vm * LINE + index])
    }
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
      if (byte === MOVE_FOCUS && this.#labels.length > 1) {
        record.focus = (record.focus + 1) % this.#labels.length
        // What was typed for one guest and not taken is not for the next.
        record.inCount = 0
      } else {
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

  /** Microseconds. */
  #now(): number {
    return this.#environment.time.now()
  }
}
