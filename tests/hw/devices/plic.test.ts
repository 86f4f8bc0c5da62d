import { describe, expect, test } from 'vitest'
import { Plic } from '../../../hw/devices/plic.ts'
import { plic as table } from '../../../hw/spec/devices/plic.ts'
import { Wire } from './bench-top.ts'

function bench() {
  const contexts = [new Wire(), new Wire()] as const
  const chip = new Plic(contexts, 96)
  return {
    chip,
    contexts,
    priority: (source: number, value: number) => chip.write(table.priority.at + source * 4, 4, value),
    enable: (context: number, source: number) => {
      const at = table.enable.at + context * table.enable.stride + (source >> 5) * 4
      chip.write(at, 4, chip.read(at, 4) | (1 << (source & 31)))
    },
    threshold: (context: number, value: number) =>
      chip.write(table.threshold.at + context * table.threshold.stride, 4, value),
    claim: (context: number) => chip.read(table.claim.at + context * table.claim.stride, 4),
    complete: (context: number, source: number) => chip.write(table.claim.at + context * table.claim.stride, 4, source),
  }
}

describe('PLIC', () => {
  test('PLIC 4: priority 0 never interrupts; among equals the lowest number wins', () => {
    const { chip, contexts, priority, enable, claim } = bench()
    for (const source of [40, 10, 33]) {
      enable(1, source)
      chip.line(source).set(true)
    }
    expect(contexts[1].level).toBe(false)
    expect(claim(1)).toBe(0)
    priority(40, 3)
    priority(10, 2)
    priority(33, 3)
    expect(contexts.map(wire => wire.level)).toEqual([false, true])
    expect([claim(1), claim(1), claim(1), claim(1)]).toEqual([33, 40, 10, 0])
    expect(contexts[1].level).toBe(false)
  })

  test('PLIC 7: a context is interrupted only above its threshold; a claim ignores it (PLIC 8)', () => {
    const { chip, contexts, priority, enable, threshold, claim } = bench()
    priority(5, 4)
    enable(0, 5)
    threshold(0, 4)
    chip.line(5).set(true)
    expect(contexts[0].level).toBe(false)
    threshold(0, 3)
    expect(contexts[0].level).toBe(true)
    threshold(0, 7)
    expect(claim(0)).toBe(5)
  })

  test('PLIC 9: the gateway forwards nothing more until completion, then again if the level is still high', () => {
    const { chip, contexts, priority, enable, claim, complete } = bench()
    priority(7, 1)
    enable(0, 7)
    chip.line(7).set(true)
    expect(claim(0)).toBe(7)
    chip.line(7).set(false)
    chip.line(7).set(true)
    expect(contexts[0].level).toBe(false)
    complete(0, 7)
    expect(contexts[0].level).toBe(true)
    claim(0)
    chip.line(7).set(false)
    complete(0, 7)
    expect(contexts[0].level).toBe(false)
  })

  test('PLIC 5: a request stays pending when its level falls', () => {
    const { chip, claim, priority, enable } = bench()
    priority(95, 1)
    enable(0, 95)
    chip.line(95).set(true)
    chip.line(95).set(false)
    expect(chip.read(table.pending.at + 8, 4)).toBe((1 << 31) >>> 0)
    expect(claim(0)).toBe(95)
    expect(chip.read(table.pending.at + 8, 4)).toBe(0)
  })

  test('PLIC 9: completing a source that the context has not enabled is ignored', () => {
    const { chip, contexts, priority, enable, claim, complete } = bench()
    priority(3, 1)
    enable(0, 3)
    chip.line(3).set(true)
    claim(0)
    complete(1, 3)
    expect(contexts[0].level).toBe(false)
    complete(0, 3)
    expect(contexts[0].level).toBe(true)
  })

  test('source 0 and contexts that are not there hold nothing', () => {
    const { chip } = bench()
    chip.write(table.priority.at, 4, 7)
    chip.write(table.enable.at, 4, 0xffff_ffff)
    chip.write(table.enable.at + 2 * 0x80, 4, 0xffff_ffff)
    expect(chip.read(table.priority.at, 4)).toBe(0)
    expect(chip.read(table.enable.at, 4)).toBe(0xffff_fffe)
    expect(chip.read(table.enable.at + 2 * 0x80, 4)).toBe(0)
  })
})
