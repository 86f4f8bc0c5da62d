import { describe, expect, test } from 'vitest'
import { Bus } from '../../../hw/bus/bus.ts'
import type { Chip } from '../../../hw/bus/chip.ts'
import { memoryDma } from '../../../hw/bus/memory-dma.ts'
import { Memory } from '../../../hw/memory/memory.ts'

function recorder(log: string[]): Chip {
  return {
    read: (offset, bytes) => {
      log.push(`r${bytes}@${offset}`)
      return 0x1000 + offset
    },
    write: (offset, bytes, value) => void log.push(`w${bytes}@${offset}=${value}`),
  }
}

describe('bus', () => {
  test('an 8-byte access reaches the chip as two words, low half first', () => {
    const log: string[] = []
    const bus = new Bus()
    bus.attach('chip', 0x1000_0000, 0x100, recorder(log))
    expect(bus.read(0x1000_0008, 8)?.name).toBe('chip')
    expect([bus.low, bus.high]).toEqual([0x1008, 0x100c])
    bus.write(0x1000_0010, 8, -1, 2)
    bus.write(0x1000_0010, 1, 0x1ff)
    expect(log).toEqual(['r4@8', 'r4@12', 'w4@16=4294967295', 'w4@20=2', 'w1@16=255'])
  })

  test('holes, edges and misaligned addresses answer nothing', () => {
    const log: string[] = []
    const bus = new Bus()
    bus.attach('low', 0x1000, 0x100, recorder(log))
    bus.attach('high', 0x4_0000_0000, 0x1_0000_0000, recorder(log))
    expect(bus.read(0xfff, 1)).toBeUndefined()
    expect(bus.read(0x10fc, 8)).toBeUndefined()
    expect(bus.read(0x1002, 4)).toBeUndefined()
    expect(bus.write(0x1100, 4, 0)).toBeUndefined()
    expect(bus.write(0x4_ffff_fffc, 4, 1)?.name).toBe('high')
    expect(log).toEqual(['w4@4294967292=1'])
  })

  test('two chips cannot share an address', () => {
    const bus = new Bus()
    bus.attach('one', 0x1000, 0x100, recorder([]))
    expect(() => bus.attach('two', 0x10ff, 0x100, recorder([]))).toThrow('two at 0x10ff overlaps one at 0x1000')
  })

  test('a listener sees every access with its value', () => {
    const seen: unknown[] = []
    const bus = new Bus()
    bus.attach('chip', 0x1000, 0x100, recorder([]))
    bus.onAccess((window, offset, bytes, value, write) => seen.push([window.name, offset, bytes, value, write]))
    bus.read(0x1004, 2)
    bus.write(0x1008, 4, 7)
    expect(seen).toEqual([
      ['chip', 4, 2, 0x1004, false],
      ['chip', 8, 4, 7, true],
    ])
  })
})

describe('DMA over memory', () => {
  test('it copies all or nothing, and never into ROM', () => {
    const memory = new Memory(
      [
        { base: 0x1000, bytes: 0x1000, writable: false },
        { base: 0x8000_0000, bytes: 0x2000, writable: true },
      ],
      1,
    )
    const dma = memoryDma(memory)
    expect(dma.write(0x8000_1ffe, Uint8Array.of(1, 2))).toBe(true)
    expect(dma.write(0x8000_1fff, Uint8Array.of(9, 9))).toBe(false)
    const into = new Uint8Array(2)
    expect(dma.read(0x8000_1ffe, into)).toBe(true)
    expect([...into]).toEqual([1, 2])
    expect(dma.write(0x1000, Uint8Array.of(1))).toBe(false)
    expect(dma.read(2 ** 52, into)).toBe(false)
  })
})
