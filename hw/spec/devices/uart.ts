/** The 16550A UART: offsets 0 and 1 are the divisor latch while LCR.DLAB is set. Sections of National's PC16550D data sheet. */
import { registers } from '../registers.ts'

export const uart = registers({
  RBR: { at: 0, width: 8, access: 'rc', spec: '16550 8.0' },
  THR: { at: 0, width: 8, access: 'wo', spec: '16550 8.0' },
  DLL: { at: 0, width: 8, access: 'rw', spec: '16550 8.3' },
  DLM: { at: 1, width: 8, access: 'rw', spec: '16550 8.3' },
  IER: { at: 1, width: 8, access: 'rw', spec: '16550 8.7', fields: { ERBFI: 0, ETBEI: 1, ELSI: 2, EDSSI: 3 } },
  IIR: { at: 2, width: 8, access: 'rc', reset: 0x01, spec: '16550 8.6', fields: { ID: [3, 0], FIFO: [7, 6] } },
  FCR: {
    at: 2,
    width: 8,
    access: 'wo',
    spec: '16550 8.5',
    fields: { ENABLE: 0, RESET_RECEIVER: 1, RESET_TRANSMITTER: 2, DMA_MODE: 3, TRIGGER: [7, 6] },
  },
  LCR: {
    at: 3,
    width: 8,
    access: 'rw',
    spec: '16550 8.1',
    fields: { WLS: [1, 0], STB: 2, PEN: 3, EPS: 4, STICK: 5, BREAK: 6, DLAB: 7 },
  },
  MCR: { at: 4, width: 8, access: 'rw', spec: '16550 8.8', fields: { DTR: 0, RTS: 1, OUT1: 2, OUT2: 3, LOOP: 4 } },
  LSR: {
    at: 5,
    width: 8,
    access: 'rc',
    reset: 0x60,
    spec: '16550 8.4',
    fields: { DR: 0, OE: 1, PE: 2, FE: 3, BI: 4, THRE: 5, TEMT: 6, FIFO_ERROR: 7 },
  },
  MSR: {
    at: 6,
    width: 8,
    access: 'rc',
    spec: '16550 8.9',
    fields: { DCTS: 0, DDSR: 1, TERI: 2, DDCD: 3, CTS: 4, DSR: 5, RI: 6, DCD: 7 },
  },
  SCR: { at: 7, width: 8, access: 'rw', spec: '16550 8.10' },
})

/** IIR.ID: why the interrupt line is up, in falling priority. */
export const UART_INTERRUPT = {
  LINE_STATUS: 0b0110,
  DATA_AVAILABLE: 0b0100,
  CHARACTER_TIMEOUT: 0b1100,
  TRANSMITTER_EMPTY: 0b0010,
  MODEM_STATUS: 0b0000,
  NONE: 0b0001,
} as const

/** Depth of each FIFO, and the receiver's trigger level by FCR.TRIGGER. */
export const UART_FIFO_BYTES = 16
export const UART_TRIGGERS = [1, 4, 8, 14] as const
/** The oscillator behind the divisor latch on board virt, Hz: the device tree's clock-frequency. */
export const UART_CLOCK = 3_686_400
