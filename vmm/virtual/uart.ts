/** The 16550A that a guest sees; see hw/spec/devices/uart.ts. Its transmitter is immediate, its wire the VMM's console. */
import type { HartPort } from '../../hw/port.ts'
import { UART_FIFO_BYTES, UART_INTERRUPT, UART_TRIGGERS, uart } from '../../hw/spec/devices/uart.ts'
import type { ConsoleBackend, VirtualChip, VirtualLine } from './chip.ts'

const RECEIVE = 1
const TRANSMIT = 2
const DLAB = 0x80
const LOOP = 0x10
const EMPTY = 0x60
const DATA_READY = 1
/** A modem that is there and ready: CTS, DSR, DCD. */
const CONNECTED = 0xb0
const QUEUE = 256

export class VirtualUart implements VirtualChip {
  /** Registered with the VMM's state. */
  readonly record = {
    divisor: 12,
    ier: 0,
    fcr: 0,
    lcr: 0,
    mcr: 0,
    scr: 0,
    emptied: false,
    level: false,
    first: 0,
    count: 0,
  }
  /** What has come: the FIFO is its first part, the rest waits on the wire. */
  readonly queue = new Uint8Array(QUEUE)
  readonly #line: VirtualLine
  readonly #console: ConsoleBackend

  constructor(line: VirtualLine, console: ConsoleBackend) {
    this.#line = line
    this.#console = console
    console.attach((port, byte) => this.#receive(port, byte))
  }

  read(port: HartPort, offset: number, _bytes: 1 | 2 | 4): number {
    const { record } = this
    const latch = (record.lcr & DLAB) !== 0
    if (offset === uart.RBR.at) return latch ? record.divisor & 0xff : this.#take(port)
    if (offset === uart.IER.at) return latch ? record.divisor >>> 8 : record.ier
    if (offset === uart.IIR.at) {
      const id = this.#interrupt()
      if (id === UART_INTERRUPT.TRANSMITTER_EMPTY) record.emptied = false
      this.#update(port)
      return id | ((record.fcr & 1) !== 0 ? 0xc0 : 0)
    }
    if (offset === uart.LCR.at) return record.lcr
    if (offset === uart.MCR.at) return record.mcr
    if (offset === uart.LSR.at) return EMPTY | (record.count > 0 ? DATA_READY : 0)
    if (offset === uart.MSR.at) return CONNECTED
    if (offset === uart.SCR.at) return record.scr
    return 0
  }

  write(port: HartPort, offset: number, _bytes: 1 | 2 | 4, value: number): void {
    const { record } = this
    const byte = value & 0xff
    const latch = (record.lcr & DLAB) !== 0
    if (offset === uart.THR.at && latch) record.divisor = (record.divisor & 0xff00) | byte
    else if (offset === uart.THR.at) this.#send(port, byte)
    else if (offset === uart.IER.at && latch) record.divisor = (record.divisor & 0xff) | (byte << 8)
    else if (offset === uart.IER.at) {
      if ((byte & ~record.ier & TRANSMIT) !== 0) record.emptied = true
      record.ier = byte & 0x0f
    } else if (offset === uart.FCR.at) {
      record.fcr = byte & 0xc9
      if ((byte & 2) !== 0) record.count = 0
    } else if (offset === uart.LCR.at) record.lcr = byte
    else if (offset === uart.MCR.at) record.mcr = byte & 0x1f
    else if (offset === uart.SCR.at) record.scr = byte
    this.#update(port)
  }

  #send(port: HartPort, byte: number): void {
    this.record.emptied = true
    if ((this.record.mcr & LOOP) !== 0) this.#push(byte)
    else this.#console.put(port, byte)
  }

  #receive(port: HartPort, byte: number): void {
    if ((this.record.mcr & LOOP) === 0) this.#push(byte)
    this.#update(port)
  }

  #push(byte: number): void {
    const { record } = this
    if (record.count === QUEUE) return
    this.queue[(record.first + record.count) % QUEUE] = byte
    record.count++
  }

  #take(port: HartPort): number {
    const { record } = this
    if (record.count === 0) return 0
    const byte = this.queue[record.first]
    record.first = (record.first + 1) % QUEUE
    record.count--
    this.#update(port)
    return byte
  }

  /** IIR.ID. Below the trigger level characters are reported as timed out at once: nobody waits for more. */
  #interrupt(): number {
    const { record } = this
    if ((record.ier & RECEIVE) !== 0 && record.count > 0) {
      const trigger = (record.fcr & 1) !== 0 ? UART_TRIGGERS[record.fcr >>> 6] : 1
      return Math.min(record.count, UART_FIFO_BYTES) >= trigger
        ? UART_INTERRUPT.DATA_AVAILABLE
        : UART_INTERRUPT.CHARACTER_TIMEOUT
    }
    if ((record.ier & TRANSMIT) !== 0 && record.emptied) return UART_INTERRUPT.TRANSMITTER_EMPTY
    return UART_INTERRUPT.NONE
  }

  #update(port: HartPort): void {
    const level = this.#interrupt() !== UART_INTERRUPT.NONE
    if (level === this.record.level) return
    this.record.level = level
    this.#line.set(port, level)
  }
}
