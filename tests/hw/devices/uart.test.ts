import { describe, expect, test } from 'vitest'
import { Uart } from '../../../hw/devices/uart.ts'
import { UART_INTERRUPT, uart as table } from '../../../hw/spec/devices/uart.ts'
import { HandClock, Wire } from './bench-top.ts'

function bench() {
  const clock = new HandClock()
  const line = new Wire()
  const sent: number[] = []
  const chip = new Uart(clock, line, bytes => sent.push(...bytes))
  clock.connect(chip)
  return {
    clock,
    line,
    sent,
    chip,
    get: (register: { at: number }) => chip.read(register.at, 1),
    put: (register: { at: number }, value: number) => chip.write(register.at, 1, value),
    type: (text: string) => chip.receive(Uint8Array.from(text, character => character.charCodeAt(0))),
  }
}

describe('16550A', () => {
  test('8.4: what is written to THR is sent at once, and the transmitter is always empty', () => {
    const { sent, get, put } = bench()
    put(table.THR, 0x41)
    expect(sent).toEqual([0x41])
    expect(get(table.LSR)).toBe(0x60)
  })

  test('8.3: DLAB turns offsets 0 and 1 into the divisor latch', () => {
    const { sent, get, put } = bench()
    put(table.LCR, 0x83)
    put(table.DLL, 0x34)
    put(table.DLM, 0x12)
    expect([get(table.DLL), get(table.DLM)]).toEqual([0x34, 0x12])
    put(table.LCR, 0x03)
    expect([get(table.IER), sent.length]).toEqual([0, 0])
  })

  test('8.10: the scratch register holds a byte', () => {
    const { get, put } = bench()
    put(table.SCR, 0x1a5)
    expect(get(table.SCR)).toBe(0xa5)
  })

  test('8.6: THR empty interrupts when it is enabled and after each byte, until IIR is read', () => {
    const { line, get, put } = bench()
    put(table.IER, 0x02)
    expect(line.level).toBe(true)
    expect(get(table.IIR)).toBe(UART_INTERRUPT.TRANSMITTER_EMPTY)
    expect(line.level).toBe(false)
    expect(get(table.IIR)).toBe(UART_INTERRUPT.NONE)
    put(table.THR, 0x42)
    expect(line.level).toBe(true)
  })

  test('8.6: data available interrupts at the trigger level and outranks THR empty', () => {
    const { line, get, put, type } = bench()
    put(table.FCR, 0x41)
    put(table.IER, 0x03)
    type('abc')
    expect(get(table.IIR) & 0x0f).toBe(UART_INTERRUPT.TRANSMITTER_EMPTY)
    expect(line.level).toBe(false)
    type('d')
    expect(get(table.IIR)).toBe(0xc0 | UART_INTERRUPT.DATA_AVAILABLE)
    get(table.RBR)
    expect(line.level).toBe(false)
  })

  test('8.12: below the trigger level, bytes are announced after four character times', () => {
    const { clock, line, get, put, type } = bench()
    put(table.FCR, 0x81)
    put(table.IER, 0x01)
    type('x')
    expect(line.level).toBe(false)
    clock.advance(40 * 16 * 12 * 272)
    expect(get(table.IIR)).toBe(0xc0 | UART_INTERRUPT.CHARACTER_TIMEOUT)
    expect(get(table.RBR)).toBe(0x78)
    expect(line.level).toBe(false)
  })

  test('what is typed waits until the FIFO has room and comes in order', () => {
    const { get, put, type } = bench()
    put(table.FCR, 0x01)
    type('a long line that no FIFO holds')
    let line = ''
    while (get(table.LSR) & 1) line += String.fromCharCode(get(table.RBR))
    expect(line).toBe('a long line that no FIFO holds')
  })

  test('8.8: loopback joins transmitter to receiver and modem outputs to inputs', () => {
    const { sent, get, put, type } = bench()
    put(table.MCR, 0x1a)
    expect(get(table.MSR) & 0xf0).toBe(0x90)
    type('!')
    put(table.THR, 0x55)
    expect(get(table.LSR) & 0x01).toBe(1)
    expect(get(table.RBR)).toBe(0x55)
    expect(sent).toEqual([])
    put(table.MCR, 0x0b)
    expect(get(table.RBR)).toBe(0x21)
  })

  test('8.4: a byte too many in loopback overruns, reported once', () => {
    const { get, put } = bench()
    put(table.MCR, 0x10)
    put(table.THR, 1)
    put(table.THR, 2)
    expect(get(table.LSR) & 2).toBe(2)
    expect(get(table.LSR) & 2).toBe(0)
    expect(get(table.RBR)).toBe(1)
  })

  test('8.5: resetting the receiver FIFO empties it', () => {
    const { get, put, type } = bench()
    put(table.FCR, 0x01)
    type('abc')
    put(table.FCR, 0x03)
    expect(get(table.LSR) & 1).toBe(0)
  })

  test('a saved UART carries on where it was', () => {
    const one = bench()
    one.put(table.FCR, 0x01)
    one.put(table.IER, 0x01)
    one.type('xy')
    const other = bench()
    other.chip.restore(one.chip.save())
    expect([other.get(table.RBR), other.get(table.RBR), other.get(table.IER)]).toEqual([0x78, 0x79, 1])
  })
})
