/**
 * The 16550A UART. Its transmitter is immediate: a byte written is a byte sent, so THR is always empty and the wire's
 * baud rate delays nothing but the receiver's character timeout. What comes in waits outside until the FIFO has room
 * (as with flow control), so nothing is overrun except in loopback.
 */
import type { Chip, Clock, Line, Plain, Saved, Timed } from '../bus/chip.ts'
import { UART_CLOCK, UART_FIFO_BYTES, UART_INTERRUPT, UART_TRIGGERS, uart as table } from '../spec/devices/uart.ts'

const BITS_A_CHARACTER = 10
const TIMEOUT_CHARACTERS = 4
const NO_EVENT = -1

const RECEIVE = 1
const TRANSMIT = 2
const LINE_STATUS = 4
const MODEM_STATUS = 8
const OVERRUN = 0x02
const EMPTY = 0x60
/** A modem that is there and ready: CTS, DSR, DCD. */
const CONNECTED = 0xb0

export class Uart implements Chip, Timed, Saved {
  readonly #clock: Clock
  readonly #line: Line
  readonly #output: (bytes: Uint8Array) => void
  #fifo: number[] = []
  #waiting: number[] = []
  #divisor = 12
  #ier = 0
  #fcr = 0
  #lcr = 0
  #mcr = 0
  #msr = CONNECTED
  #scr = 0
  #overrun = false
  #thrEmptied = false
  #timedOut = false
  #timeout = NO_EVENT

  constructor(clock: Clock, line: Line, output: (bytes: Uint8Array) => void) {
    this.#clock = clock
    this.#line = line
    this.#output = output
  }

  /** Bytes arrive on the wire. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.#waiting.push(byte)
    this.#fill()
    this.#update()
  }

  read(offset: number, _bytes: 1 | 2 | 4): number {
    const latch = (this.#lcr & 0x80) !== 0
    switch (offset) {
      case table.RBR.at:
        return latch ? this.#divisor & 0xff : this.#take()
      case table.IER.at:
        return latch ? this.#divisor >> 8 : this.#ier
      case table.IIR.at: {
        const id = this.#interrupt()
        // Reading IIR clears the transmitter's interrupt, but only if that is the one reported.
        if (id === UART_INTERRUPT.TRANSMITTER_EMPTY) this.#thrEmptied = false
        this.#update()
        return id | (this.#fcr & 1 ? 0xc0 : 0)
      }
      case table.LCR.at:
        return this.#lcr
      case table.MCR.at:
        return this.#mcr
      case table.LSR.at: {
        const status = EMPTY | (this.#fifo.length > 0 ? 1 : 0) | (this.#overrun ? OVERRUN : 0)
        this.#overrun = false
        this.#update()
        return status
      }
      case table.MSR.at: {
        const status = this.#msr
        this.#msr &= 0xf0
        this.#update()
        return status
      }
      case table.SCR.at:
        return this.#scr
      default:
        return 0
    }
  }

  write(offset: number, _bytes: 1 | 2 | 4, value: number): void {
    const byte = value & 0xff
    const latch = (this.#lcr & 0x80) !== 0
    switch (offset) {
      case table.THR.at:
        if (latch) this.#divisor = (this.#divisor & 0xff00) | byte
        else this.#send(byte)
        break
      case table.IER.at:
        if (latch) this.#divisor = (this.#divisor & 0xff) | (byte << 8)
        else {
          // Enabling the transmitter's interrupt while THR is empty raises it.
          if (byte & ~this.#ier & TRANSMIT) this.#thrEmptied = true
          this.#ier = byte & 0x0f
        }
        break
      case table.FCR.at:
        this.#control(byte)
        break
      case table.LCR.at:
        this.#lcr = byte
        break
      case table.MCR.at:
        this.#mcr = byte & 0x1f
        this.#modem()
        break
      case table.SCR.at:
        this.#scr = byte
        break
    }
    this.#update()
  }

  due(_kind: string, _payload: Plain): void {
    this.#timeout = NO_EVENT
    this.#timedOut = this.#fifo.length > 0
    this.#update()
  }

  save(): Plain {
    return {
      fifo: [...this.#fifo],
      waiting: [...this.#waiting],
      divisor: this.#divisor,
      ier: this.#ier,
      fcr: this.#fcr,
      lcr: this.#lcr,
      mcr: this.#mcr,
      msr: this.#msr,
      scr: this.#scr,
      overrun: this.#overrun,
      thrEmptied: this.#thrEmptied,
      timedOut: this.#timedOut,
      timeout: this.#timeout,
    }
  }

  restore(state: Plain): void {
    const saved = state as {
      fifo: number[]
      waiting: number[]
      divisor: number
      ier: number
      fcr: number
      lcr: number
      mcr: number
      msr: number
      scr: number
      overrun: boolean
      thrEmptied: boolean
      timedOut: boolean
      timeout: number
    }
    this.#fifo = [...saved.fifo]
    this.#waiting = [...saved.waiting]
    this.#divisor = saved.divisor
    this.#ier = saved.ier
    this.#fcr = saved.fcr
    this.#lcr = saved.lcr
    this.#mcr = saved.mcr
    this.#msr = saved.msr
    this.#scr = saved.scr
    this.#overrun = saved.overrun
    this.#thrEmptied = saved.thrEmptied
    this.#timedOut = saved.timedOut
    this.#timeout = saved.timeout
  }

  get #depth(): number {
    return this.#fcr & 1 ? UART_FIFO_BYTES : 1
  }

  get #trigger(): number {
    return this.#fcr & 1 ? (UART_TRIGGERS[this.#fcr >> 6] ?? 1) : 1
  }

  #send(byte: number): void {
    this.#thrEmptied = true
    if ((this.#mcr & 0x10) === 0) return this.#output(Uint8Array.of(byte))
    if (this.#fifo.length >= this.#depth) this.#overrun = true
    else this.#fifo.push(byte)
    this.#restartTimeout()
  }

  #take(): number {
    const byte = this.#fifo.shift() ?? 0
    this.#fill()
    this.#restartTimeout()
    this.#update()
    return byte
  }

  /** Moves what waits outside into the FIFO; in loopback the wire is cut off. */
  #fill(): void {
    if (this.#mcr & 0x10) return
    const room = this.#depth - this.#fifo.length
    if (room <= 0 || this.#waiting.length === 0) return
    this.#fifo.push(...this.#waiting.splice(0, room))
    this.#restartTimeout()
  }

  /** The timeout counts from the last byte that came or was taken, and exists only with FIFOs on. */
  #restartTimeout(): void {
    this.#timedOut = false
    if (this.#timeout !== NO_EVENT) this.#clock.cancel(this.#timeout)
    this.#timeout = NO_EVENT
    if ((this.#fcr & 1) === 0 || this.#fifo.length === 0 || this.#fifo.length >= this.#trigger) return
    const seconds = (TIMEOUT_CHARACTERS * BITS_A_CHARACTER * 16 * Math.max(1, this.#divisor)) / UART_CLOCK
    this.#timeout = this.#clock.at(
      Math.floor(this.#clock.now()) + Math.ceil(seconds * this.#clock.frequency),
      'timeout',
    )
  }

  #control(byte: number): void {
    // Turning the FIFOs on or off empties them; without FCR.ENABLE the other bits are not taken.
    const toggled = ((byte ^ this.#fcr) & 1) !== 0
    if (toggled || (byte & 3) === 3) this.#fifo = []
    this.#fcr = byte & 1 ? byte & 0xc9 : 0
    this.#fill()
    this.#restartTimeout()
  }

  /** In loopback the modem inputs are the modem outputs: DTR → DSR, RTS → CTS, OUT1 → RI, OUT2 → DCD. */
  #modem(): void {
    const mcr = this.#mcr
    const inputs = mcr & 0x10 ? ((mcr & 2) << 3) | ((mcr & 1) << 5) | ((mcr & 4) << 4) | ((mcr & 8) << 4) : CONNECTED
    const changed = (inputs ^ this.#msr) & 0xf0
    const ringEnded = (this.#msr & ~inputs & 0x40) !== 0
    this.#msr = inputs | (this.#msr & 0x0f) | ((changed >> 4) & 0x0b) | (ringEnded ? 4 : 0)
    this.#fill()
  }

  #interrupt(): number {
    if (this.#ier & LINE_STATUS && this.#overrun) return UART_INTERRUPT.LINE_STATUS
    if (this.#ier & RECEIVE && this.#fifo.length >= this.#trigger) return UART_INTERRUPT.DATA_AVAILABLE
    if (this.#ier & RECEIVE && this.#timedOut) return UART_INTERRUPT.CHARACTER_TIMEOUT
    if (this.#ier & TRANSMIT && this.#thrEmptied) return UART_INTERRUPT.TRANSMITTER_EMPTY
    if (this.#ier & MODEM_STATUS && this.#msr & 0x0f) return UART_INTERRUPT.MODEM_STATUS
    return UART_INTERRUPT.NONE
  }

  #update(): void {
    this.#line.set(this.#interrupt() !== UART_INTERRUPT.NONE)
  }
}
