/** A virtual 16550: what the guest reads and writes. */
export interface Uart {
  ier: number
  lcr: number
  mcr: number
  scratch: number
  divisor: number
  overrun: boolean
  head: number
  tail: number
  level: boolean
  sent: number
  readonly fifo: Uint8Array
}

const DLAB = 0x80

function update(uart: Uart): void {
  uart.level = ((uart.ier & 1) !== 0 && uart.head !== uart.tail) || (uart.ier & 2) !== 0
}

export function readRegister(uart: Uart, offset: number): number {
  switch (offset) {
    case 0: {
      if ((uart.lcr & DLAB) !== 0) return uart.divisor & 0xff
      if (uart.head === uart.tail) return 0
      const byte = uart.fifo[uart.head & 15]
      uart.head = (uart.head + 1) & 0xff
      update(uart)
      return byte
    }
    case 1:
      return (uart.lcr & DLAB) !== 0 ? uart.divisor >>> 8 : uart.ier
    case 2:
      if ((uart.ier & 1) !== 0 && uart.head !== uart.tail) return 0xc4
      return (uart.ier & 2) !== 0 ? 0xc2 : 0xc1
    case 3:
      return uart.lcr
    case 4:
      return uart.mcr
    case 5: {
      let status = 0x60
      if (uart.head !== uart.tail) status |= 1
      if (uart.overrun) status |= 2
      uart.overrun = false
      return status
    }
    case 6:
      return 0xb0
    case 7:
      return uart.scratch
    default:
      return 0
  }
}

export function writeRegister(uart: Uart, offset: number, value: number): void {
  switch (offset) {
    case 0:
      if ((uart.lcr & DLAB) !== 0) uart.divisor = (uart.divisor & 0xff00) | value
      else uart.sent += 1
      break
    case 1:
      if ((uart.lcr & DLAB) !== 0) uart.divisor = (uart.divisor & 0xff) | (value << 8)
      else {
        uart.ier = value & 15
        update(uart)
      }
      break
    case 2:
      if ((value & 2) !== 0) {
        uart.head = uart.tail
        update(uart)
      }
      break
    case 3:
      uart.lcr = value
      break
    case 4:
      uart.mcr = value & 31
      break
    case 7:
      uart.scratch = value
      break
    default:
      break
  }
}

export function receive(uart: Uart, byte: number): void {
  if (((uart.tail - uart.head) & 0xff) === 16) {
    uart.overrun = true
    return
  }
  uart.fifo[uart.tail & 15] = byte
  uart.tail = (uart.tail + 1) & 0xff
  update(uart)
}
