import { describe, expect, test } from 'vitest'
import { Imsic } from '../../../hw/devices/imsic.ts'
import { EIDELIVERY, EIE0, EIP0, EITHRESHOLD } from '../../../hw/spec/devices/imsic.ts'
import { Wire } from './bench-top.ts'

function bench() {
  const wires = { machine: new Wire(), supervisor: new Wire(), guests: [new Wire(), new Wire()] }
  return { wires, chip: new Imsic(wires) }
}

describe('IMSIC', () => {
  test('AIA 3.5: a write of an identity makes it pending in the file of that page; others are ignored', () => {
    const { chip } = bench()
    for (const identity of [0, 256, 2047, 33]) chip.page(2).write(0, 4, identity)
    chip.page(2).write(4, 4, 7)
    chip.page(2).write(0, 2, 9)
    expect(chip.read(2, EIP0)).toBe(1n << 33n)
    expect([0, 1].map(file => chip.read(file, EIP0))).toEqual([0n, 0n])
    expect(chip.page(2).read(0, 4)).toBe(0)
  })

  test('AIA 3.8: the wire is up while an enabled identity within the threshold is pending and delivery is on', () => {
    const { chip, wires } = bench()
    chip.page(0).write(0, 4, 40)
    chip.page(0).write(0, 4, 70)
    chip.write(0, EIE0 + 2, 1n << 6n)
    expect([chip.top(0), wires.supervisor.level]).toEqual([70, false])
    chip.write(0, EIDELIVERY, 1n)
    expect(wires.supervisor.level).toBe(true)
    chip.write(0, EIE0, 1n << 40n)
    expect(chip.top(0)).toBe(40)
    chip.write(0, EITHRESHOLD, 40n)
    expect([chip.top(0), wires.supervisor.level]).toEqual([0, false])
    chip.write(0, EITHRESHOLD, 41n)
    expect([chip.top(0), wires.supervisor.level]).toEqual([40, true])
  })

  test('AIA 3.9: claiming clears what is on top, and nothing else', () => {
    const { chip, wires } = bench()
    chip.write(1, EIE0, -1n)
    chip.write(1, EIDELIVERY, 1n)
    for (const identity of [5, 3, 9]) chip.page(1).write(0, 4, identity)
    const claimed = [1, 2, 3].map(() => {
      const top = chip.top(1)
      chip.claim(1)
      return top
    })
    expect(claimed).toEqual([3, 5, 9])
    expect(wires.guests.map(({ level }) => level)).toEqual([false, false])
  })

  test('identity 0 does not exist; reserved registers read as zero', () => {
    const { chip } = bench()
    chip.write(0, EIP0, -1n)
    chip.write(0, EIE0, -1n)
    expect([chip.read(0, EIP0), chip.read(0, EIE0)].map(bits => bits & 1n)).toEqual([0n, 0n])
    expect([0x71, 0x73, 0x7f, EIP0 + 8, EIE0 + 62].map(register => chip.read(0, register))).toEqual([
      0n,
      0n,
      0n,
      0n,
      0n,
    ])
  })

  test('a saved IMSIC goes on as it was', () => {
    const { chip } = bench()
    chip.write(1, EIE0, 1n << 5n)
    chip.page(1).write(0, 4, 5)
    const other = bench().chip
    other.restore(structuredClone(chip.save()))
    expect(other.top(1)).toBe(5)
    expect(other.save()).toEqual(chip.save())
  })
})
