import { describe, expect, test } from 'vitest'
import { AplicDomain } from '../../../hw/devices/aplic.ts'
import { aplic as table, idc, IDC_AT, IDC_BYTES, SOURCE_MODE } from '../../../hw/spec/devices/aplic.ts'
import { Wire } from './bench-top.ts'

const IE = 1 << 8
const BY_MESSAGE = 1 << 2
const DELEGATE = 1 << 10

function bench(messages: boolean) {
  const sent: string[] = []
  const wires = [0, 1].map(() => ({ machine: new Wire(), supervisor: new Wire() }))
  const targets = (level: 'machine' | 'supervisor') =>
    wires.map((wire, hart) => ({
      line: wire[level],
      ...(messages && {
        message: (guest: number, identity: number) => void sent.push(`${level} ${hart} ${guest} ${identity}`),
      }),
    }))
  const child = new AplicDomain(targets('supervisor'), 96)
  const root = new AplicDomain(targets('machine'), 96, child)
  const set = (domain: AplicDomain, register: { readonly at: number }, value: number, index = 0) =>
    domain.write(register.at + index * 4, 4, value)
  const delivery = (domain: AplicDomain, hart: number, register: { readonly at: number }) =>
    domain.read(IDC_AT + hart * IDC_BYTES + register.at, 4)
  /** Makes a source the child's, in a mode, for a target. */
  const own = (source: number, mode: number, target: number) => {
    set(root, table.sourcecfg, DELEGATE, source - 1)
    set(child, table.sourcecfg, mode, source - 1)
    set(child, table.target, target, source - 1)
    set(child, table.setienum, source)
  }
  return { root, child, wires, sent, set, delivery, own }
}

describe('AIA 4.5: configuration', () => {
  test('a source that is not delegated to a domain does not exist there', () => {
    const { child, root, set } = bench(false)
    set(child, table.sourcecfg, SOURCE_MODE.EDGE1, 9)
    expect(child.read(table.sourcecfg.at + 36, 4)).toBe(0)
    set(root, table.sourcecfg, DELEGATE, 9)
    set(child, table.sourcecfg, SOURCE_MODE.EDGE1, 9)
    expect(child.read(table.sourcecfg.at + 36, 4)).toBe(SOURCE_MODE.EDGE1)
    set(root, table.sourcecfg, SOURCE_MODE.INACTIVE, 9)
    expect(child.read(table.sourcecfg.at + 36, 4)).toBe(0)
  })

  test('a leaf domain cannot delegate; reserved modes are inactive; domaincfg says 0x80', () => {
    const { child, root, set } = bench(false)
    set(root, table.sourcecfg, DELEGATE, 0)
    set(child, table.sourcecfg, DELEGATE, 0)
    expect(child.read(table.sourcecfg.at, 4)).toBe(0)
    set(child, table.sourcecfg, 3, 0)
    expect(child.read(table.sourcecfg.at, 4)).toBe(0)
    expect(child.read(0, 4)).toBe(0x8000_0000)
  })

  test('pending and enable bits of an inactive source stay zero', () => {
    const { child, set } = bench(false)
    set(child, table.setienum, 5)
    set(child, table.setipnum, 5)
    expect([child.read(table.setie.at, 4), child.read(table.setip.at, 4)]).toEqual([0, 0])
  })
})

describe('AIA 4.8: direct delivery', () => {
  test('the least priority number wins, then the lowest source; the threshold holds others back', () => {
    const { root, child, wires, set, delivery, own } = bench(false)
    for (const [source, priority] of [
      [7, 3],
      [5, 3],
      [9, 2],
    ])
      own(source, SOURCE_MODE.LEVEL1, (1 << 18) | priority)
    for (const source of [7, 5, 9]) root.line(source).set(true)
    set(child, table.domaincfg, IE)
    expect(wires[1].supervisor.level).toBe(false)
    child.write(IDC_AT + IDC_BYTES + idc.idelivery.at, 4, 1)
    expect(wires.map(({ supervisor }) => supervisor.level)).toEqual([false, true])
    expect(delivery(child, 1, idc.topi)).toBe((9 << 16) | 2)
    child.write(IDC_AT + IDC_BYTES + idc.ithreshold.at, 4, 2)
    expect([delivery(child, 1, idc.topi), wires[1].supervisor.level]).toEqual([0, false])
    child.write(IDC_AT + IDC_BYTES + idc.ithreshold.at, 4, 0)
    root.line(9).set(false)
    expect(delivery(child, 1, idc.claimi)).toBe((5 << 16) | 3)
    expect(wires.map(({ machine }) => machine.level)).toEqual([false, false])
  })

  test('a level stays pending until it falls, whatever is claimed; an edge is claimed once', () => {
    const { root, child, delivery, own } = bench(false)
    own(3, SOURCE_MODE.LEVEL1, 1)
    own(4, SOURCE_MODE.EDGE1, 2)
    root.line(3).set(true)
    root.line(4).set(true)
    expect([delivery(child, 0, idc.claimi), delivery(child, 0, idc.claimi)]).toEqual([0x3_0001, 0x3_0001])
    root.line(3).set(false)
    expect([delivery(child, 0, idc.claimi), delivery(child, 0, idc.claimi)]).toEqual([0x4_0002, 0])
  })

  test('inverted sources; iforce makes a spurious interrupt, which the claim ends', () => {
    const { root, child, wires, set, delivery, own } = bench(false)
    set(child, table.domaincfg, IE)
    child.write(IDC_AT + idc.idelivery.at, 4, 1)
    root.line(6).set(true)
    own(6, SOURCE_MODE.LEVEL0, 1)
    expect([child.read(table.in_clrip.at, 4), wires[0].supervisor.level]).toEqual([0, false])
    root.line(6).set(false)
    expect([child.read(table.in_clrip.at, 4), wires[0].supervisor.level]).toEqual([64, true])
    root.line(6).set(true)
    child.write(IDC_AT + idc.iforce.at, 4, 1)
    expect(wires[0].supervisor.level).toBe(true)
    expect(delivery(child, 0, idc.claimi)).toBe(0)
    expect(wires[0].supervisor.level).toBe(false)
  })
})

describe('AIA 4.9: forwarding by MSIs', () => {
  test('a message goes to hart, guest and identity of the target, once; setipnum asks again while the level holds', () => {
    const { root, child, sent, set, own } = bench(true)
    set(child, table.domaincfg, IE | BY_MESSAGE)
    own(10, SOURCE_MODE.LEVEL1, (1 << 18) | (2 << 12) | 77)
    root.line(10).set(true)
    expect(sent).toEqual(['supervisor 1 2 77'])
    set(child, table.setipnum_le, 10)
    expect(sent.length).toBe(2)
    root.line(10).set(false)
    set(child, table.setipnum_le, 10)
    expect(sent.length).toBe(2)
  })

  test('nothing is sent while IE is 0, but by genmsi; what was pending goes when it is 1', () => {
    const { root, child, sent, set, own, wires } = bench(true)
    set(child, table.domaincfg, BY_MESSAGE)
    own(8, SOURCE_MODE.EDGE1, 5)
    root.line(8).set(true)
    expect(sent).toEqual([])
    set(child, table.genmsi, (1 << 18) | 9)
    set(child, table.domaincfg, IE | BY_MESSAGE)
    expect(sent).toEqual(['supervisor 1 0 9', 'supervisor 0 0 5'])
    expect(wires.every(({ supervisor }) => !supervisor.level)).toBe(true)
  })

  test('a saved APLIC goes on as it was', () => {
    const { root, child, own } = bench(true)
    own(8, SOURCE_MODE.EDGE1, 5)
    root.line(8).set(true)
    const other = bench(true)
    other.child.restore(structuredClone(child.save()))
    other.root.restore(structuredClone(root.save()))
    other.set(other.child, table.domaincfg, IE | BY_MESSAGE)
    expect(other.sent).toEqual(['supervisor 0 0 5'])
  })
})
