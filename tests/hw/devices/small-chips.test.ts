import { describe, expect, test } from 'vitest'
import { attachHtif } from '../../../hw/devices/htif.ts'
import { GoldfishRtc } from '../../../hw/devices/rtc.ts'
import { type Finish, TestFinisher } from '../../../hw/devices/test-finisher.ts'
import { EmptyVirtioSlot } from '../../../hw/devices/virtio-mmio-slot.ts'
import { Memory } from '../../../hw/memory/memory.ts'
import { rtc as table } from '../../../hw/spec/devices/rtc.ts'
import { HandClock, Wire } from './bench-top.ts'

describe('Goldfish RTC', () => {
  function bench() {
    const clock = new HandClock()
    const line = new Wire()
    const chip = new GoldfishRtc(clock, line, 1_700_000_000)
    clock.connect(chip)
    const time = () => BigInt(chip.read(table.TIME_LOW.at, 4)) | (BigInt(chip.read(table.TIME_HIGH.at, 4)) << 32n)
    return { clock, line, chip, time }
  }

  test('it tells nanoseconds from the time given to it, and the low half latches the high one', () => {
    const { clock, chip, time } = bench()
    expect(time()).toBe(1_700_000_000_000_000_000n)
    chip.read(table.TIME_LOW.at, 4)
    const high = chip.read(table.TIME_HIGH.at, 4)
    chip.read(table.TIME_LOW.at, 4)
    clock.advance(2 ** 33)
    expect(chip.read(table.TIME_HIGH.at, 4)).toBe(high)
    expect(time()).toBe(1_700_000_000_000_000_000n + 2n ** 33n)
  })

  test('the alarm rings at its time if enabled, and can be cleared', () => {
    const { clock, line, chip, time } = bench()
    chip.write(table.IRQ_ENABLED.at, 4, 1)
    const alarm = time() + 500n
    chip.write(table.ALARM_HIGH.at, 4, Number(alarm >> 32n))
    chip.write(table.ALARM_LOW.at, 4, Number(alarm & 0xffff_ffffn))
    expect(chip.read(table.ALARM_STATUS.at, 4)).toBe(1)
    clock.advance(499)
    expect(line.level).toBe(false)
    clock.advance(1)
    expect(line.level).toBe(true)
    chip.write(table.CLEAR_INTERRUPT.at, 4, 1)
    expect(line.level).toBe(false)
    expect(chip.read(table.ALARM_STATUS.at, 4)).toBe(0)
  })
})

describe('test finisher', () => {
  test('it passes, fails with a code, and resets', () => {
    const seen: Finish[] = []
    const chip = new TestFinisher(finish => seen.push(finish))
    for (const word of [0x5555, 0x002a_3333, 0x7777, 0x1234]) chip.write(0, 4, word)
    expect(seen).toEqual([
      { how: 'pass', code: 0 },
      { how: 'fail', code: 42 },
      { how: 'reset', code: 0 },
    ])
  })
})

describe('empty virtio-mmio slot', () => {
  test('it says virtio, version 2, no device', () => {
    const chip = new EmptyVirtioSlot()
    expect([0, 4, 8, 12].map(at => chip.read(at, 4))).toEqual([0x7472_6976, 2, 0, 0])
  })
})

describe('HTIF', () => {
  function bench() {
    const memory = new Memory([{ base: 0x8000_0000, bytes: 0x4000, writable: true }], 1)
    const seen: Finish[] = []
    const sent: number[] = []
    attachHtif(memory, {
      tohost: 0x8000_1000,
      fromhost: 0x8000_1040,
      finished: finish => seen.push(finish),
      output: bytes => sent.push(...bytes),
    })
    const store = (low: number, high: number) => {
      const host = memory.toHost(0x8000_1000)
      memory.view.setUint32(host, low, true)
      memory.view.setUint32(host + 4, high, true)
      memory.watched.get(0x8_0001)?.(0x8000_1000)
    }
    return { memory, seen, sent, store }
  }

  test('an odd doubleword ends the run with its upper bits as the code', () => {
    const { seen, store } = bench()
    store(1, 0)
    store((5 << 1) | 1, 0)
    expect(seen).toEqual([
      { how: 'pass', code: 0 },
      { how: 'fail', code: 5 },
    ])
  })

  test('putchar prints and is answered', () => {
    const { memory, sent, store } = bench()
    store(0x61, 0x0101_0000)
    expect(sent).toEqual([0x61])
    expect(memory.view.getBigUint64(memory.toHost(0x8000_1000), true)).toBe(0n)
    expect(memory.view.getUint32(memory.toHost(0x8000_1044), true)).toBe(0x0101_0000)
  })
})
