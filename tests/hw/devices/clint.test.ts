import { describe, expect, test } from 'vitest'
import { Clint } from '../../../hw/devices/clint.ts'
import { clint as table } from '../../../hw/spec/devices/clint.ts'
import { HandClock, Wire } from './bench-top.ts'

function bench(harts = 2) {
  const clock = new HandClock()
  const lines = Array.from({ length: harts }, () => ({ msip: new Wire(), mtip: new Wire() }))
  const chip = new Clint(clock, lines)
  clock.connect(chip)
  const compare = (hart: number, low: number, high = 0) => {
    chip.write(table.mtimecmp.at + hart * 8, 4, low)
    chip.write(table.mtimecmp.at + hart * 8 + 4, 4, high)
  }
  return { clock, lines, chip, compare }
}

describe('CLINT', () => {
  test('FU540 9.2: only bit 0 of msip is wired, to its own hart', () => {
    const { chip, lines } = bench()
    chip.write(4, 4, 0xffff_ffff)
    expect(lines.map(line => line.msip.level)).toEqual([false, true])
    expect(chip.read(4, 4)).toBe(1)
    chip.write(4, 4, 0xffff_fffe)
    expect(lines[1]?.msip.level).toBe(false)
  })

  test('FU540 9.3: mtime counts ticks and can be written', () => {
    const { chip, clock } = bench()
    clock.advance(1234)
    expect(chip.read(table.mtime.at, 4)).toBe(12)
    chip.write(table.mtime.at + 4, 4, 7)
    clock.advance(100)
    expect(chip.mtime()).toBe((7n << 32n) + 13n)
  })

  test('FU540 9.3: the timer interrupt is pending from the tick at which mtime ≥ mtimecmp until mtimecmp is raised', () => {
    const { chip, clock, lines, compare } = bench()
    compare(0, 10)
    clock.advance(999)
    expect(lines[0]?.mtip.level).toBe(false)
    clock.advance(1)
    expect(lines[0]?.mtip.level).toBe(true)
    compare(0, 20)
    expect(lines[0]?.mtip.level).toBe(false)
    expect(lines[1]?.mtip.level).toBe(false)
    clock.advance(1000)
    expect(lines[0]?.mtip.level).toBe(true)
    expect(chip.read(table.mtimecmp.at, 4)).toBe(20)
  })

  test('a clock that is put back reaches its comparator later, and not before', () => {
    const { chip, clock, lines, compare } = bench()
    clock.advance(5000)
    chip.write(table.mtime.at, 4, 3)
    expect(chip.cycleOf(10n)).toBe(5700)
    expect(chip.cycleOf(2n ** 64n - 1n)).toBe(Infinity)
    compare(0, 10)
    clock.advance(699)
    expect(lines[0]?.mtip.level).toBe(false)
    clock.advance(1)
    expect(lines[0]?.mtip.level).toBe(true)
  })

  test('a doubleword written as two halves ends at the same comparison, whichever half comes first', () => {
    const { chip, clock, lines } = bench()
    clock.advance(5000)
    // Low half first passes through "long past", so the wire goes up and comes down again.
    chip.write(table.mtimecmp.at + 4, 4, 0)
    chip.write(table.mtimecmp.at, 4, 10)
    expect(lines[0]?.mtip.level).toBe(true)
    chip.write(table.mtimecmp.at, 4, 60)
    expect(lines[0]?.mtip.level).toBe(false)
    clock.advance(1000)
    expect(lines[0]?.mtip.level).toBe(true)
  })

  test('writing mtime moves a timer that is waiting', () => {
    const { chip, clock, lines, compare } = bench()
    compare(0, 1000)
    chip.write(table.mtime.at, 4, 990)
    clock.advance(1000)
    expect(lines[0]?.mtip.level).toBe(true)
  })

  test('registers of harts that are not there ignore writes', () => {
    const { chip, lines } = bench(1)
    chip.write(4, 4, 1)
    chip.write(table.mtimecmp.at + 8, 4, 0)
    expect(chip.read(4, 4)).toBe(0)
    expect(lines[0]?.msip.level).toBe(false)
  })
})
