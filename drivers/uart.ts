/** The driver of a 16550 UART: 8 bits, no parity, one stop bit, with FIFOs. */
import type { ConsoleDevice, Environment } from './environment.ts'
import { uart, UART_FIFO_BYTES } from '../hw/spec/devices/uart.ts'
import { withField } from '../hw/spec/registers.ts'

const DATA_READY = withField(uart.LSR.fields.DR, 0, 1)
const TRANSMITTER_EMPTY = withField(uart.LSR.fields.THRE, 0, 1)
const DIVISOR_LATCH = withField(uart.LCR.fields.DLAB, 0, 1)
const EIGHT_BITS = withField(uart.LCR.fields.WLS, 0, 3)
const RECEIVED_DATA = withField(uart.IER.fields.ERBFI, 0, 1)
const FIFOS =
  withField(uart.FCR.fields.ENABLE, 0, 1) |
  withField(uart.FCR.fields.RESET_RECEIVER, 0, 1) |
  withField(uart.FCR.fields.RESET_TRANSMITTER, 0, 1)
const LINES =
  withField(uart.MCR.fields.DTR, 0, 1) | withField(uart.MCR.fields.RTS, 0, 1) | withField(uart.MCR.fields.OUT2, 0, 1)
/** Written to the scratch register to see whether anything is there. */
const SCRATCH = 0x5a

const CREATED = 0
const RUNNING = 1
const ABSENT = 2
const STOPPED = 3

/** Without an interrupt in its environment the driver enables none: `get` looks for itself. */
export function uartDriver(env: Environment): ConsoleDevice {
  const { device } = env
  const state = env.state('uart', { phase: CREATED, room: 0 })
  const unheard: () => void = () => {}
  let input = unheard

  function start(): void {
    if (state.phase !== CREATED) return
    device.write(uart.IER, 0)
    device.write(uart.SCR, SCRATCH)
    if (device.read(uart.SCR) !== SCRATCH) {
      state.phase = ABSENT
      return
    }
    device.write(uart.LCR, DIVISOR_LATCH)
    device.write(uart.DLL, 1)
    device.write(uart.DLM, 0)
    device.write(uart.LCR, EIGHT_BITS)
    device.write(uart.FCR, FIFOS)
    device.write(uart.MCR, LINES)
    if (env.interrupts.length > 0) device.write(uart.IER, RECEIVED_DATA)
    state.phase = RUNNING
  }

  function put(byte: number): boolean {
    if (state.phase !== RUNNING) return false
    let { room } = state
    // An empty transmitter takes a whole FIFO: its status need not be read again for each character.
    if (room === 0) {
      if ((device.read(uart.LSR) & TRANSMITTER_EMPTY) === 0) return false
      room = UART_FIFO_BYTES
    }
    state.room = room - 1
    device.write(uart.THR, byte)
    return true
  }

  function get(): number {
    if (state.phase !== RUNNING) return -1
    return (device.read(uart.LSR) & DATA_READY) === 0 ? -1 : device.read(uart.RBR)
  }

  function onInterrupt(): void {
    if (state.phase === RUNNING) input()
  }

  function stop(): void {
    if (state.phase === RUNNING) device.write(uart.IER, 0)
    state.phase = STOPPED
  }

  if (env.interrupts.length > 0) env.interrupts[0].subscribe(onInterrupt)

  return {
    start,
    ready: () => state.phase === RUNNING,
    failure: () => (state.phase === ABSENT ? 'no UART' : ''),
    stop,
    stopped: () => state.phase === STOPPED,
    put,
    get,
    onInput(heard) {
      input = heard
    },
  }
}
