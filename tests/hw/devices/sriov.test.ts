/** Virtual functions of the 82576: what PCI Express and the datasheet say of them, on the chip alone. */
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PcieHost } from '../../../hw/bus/pcie-host.ts'
import { NicController } from '../../../hw/devices/nic/nic-controller.ts'
import { poolsFor, switched } from '../../../hw/devices/nic/pools.ts'
import { RegisterFile } from '../../../hw/devices/nic/register-file.ts'
import { nic } from '../../../hw/spec/devices/nic.ts'
import { nicFunction as vf } from '../../../hw/spec/devices/nic-function.ts'
import { EXTENDED_AT, EXTENDED_CAPABILITY, pcie, requesterId, sriov } from '../../../hw/spec/devices/pcie.ts'
import { withField } from '../../../hw/spec/registers.ts'
import type { Register } from '../../../hw/spec/registers.ts'
import { BenchLine, BenchMemory, BenchTime, WINDOW32, WINDOW64 } from './bench.ts'

const SLOT = 2
const MAC = [0x52, 0x54, 0, 0x12, 0x34, 0x56]
const COUNT = 7
const WINDOWS = 0x20_0000
const BYTES = 0x4000

/** A card of two ports with seven virtual functions each, and who signed the requests that it made. */
function bench() {
  const time = new BenchTime()
  const memory = new BenchMemory()
  const lines = [0, 1, 2, 3].map(() => new BenchLine()) as [BenchLine, BenchLine, BenchLine, BenchLine]
  const requesters: number[] = []
  const host = new PcieHost({
    dma: requester => ({
      read: (address, into) => (requesters.push(requester), memory.read(address, into)),
      write: (address, from) => (requesters.push(requester), memory.write(address, from)),
    }),
    lines,
    msix: true,
    window32: WINDOW32,
    window64: WINDOW64,
  })
  const ports: NicController[] = []
  for (const number of [0, 1]) {
    const chip: NicController = new NicController(
      `nic${number}`,
      [...MAC.slice(0, 5), MAC[5] + number],
      time.clockFor(() => chip),
      { virtualFunctions: COUNT, port: { number, of: 2, ...(ports[0] && { first: ports[0] }) } },
    )
    host.plug(chip, SLOT, number)
    ports.push(chip)
  }
  const config = (id: number) => ({
    read: (register: { at: number; width: number }, base = 0) =>
      host.ecam.read(id * 0x1000 + base + register.at, (register.width / 8) as 1 | 2 | 4),
    write: (register: { at: number; width: number }, value: number, base = 0) =>
      host.ecam.write(id * 0x1000 + base + register.at, (register.width / 8) as 1 | 2 | 4, value),
  })
  const physical = [0, 1].map(number => config(requesterId(0, SLOT, number)))
  physical.forEach((port, number) => {
    port.write(pcie.BAR, WINDOW32 + number * 0x10_0000)
    port.write(pcie.COMMAND, 6)
  })
  const at = capability(physical[0], EXTENDED_CAPABILITY.SRIOV)
  const appear = (count: number, port = 0) => {
    const own = physical[port]
    own.write(sriov.NUMBER, count, at)
    own.write({ at: sriov.BAR.at, width: 32 }, WINDOW32 + WINDOWS, at)
    own.write({ at: sriov.BAR.at + 12, width: 32 }, WINDOW32 + WINDOWS + COUNT * BYTES, at)
    own.write(sriov.CONTROL, 0x9, at)
  }
  const on = (offset: number) => ({
    read: (register: Register, index = 0) =>
      host.window32.read(offset + register.at + index * (register.stride ?? 0), 4),
    write: (register: Register, value: number, index = 0) =>
      host.window32.write(offset + register.at + index * (register.stride ?? 0), 4, value >>> 0),
  })
  const virtual = (index: number) => on(WINDOWS + index * BYTES)
  const routingId = (index: number, port = 0) => requesterId(0, SLOT, port) + 0x180 + 2 * index
  return { time, memory, host, requesters, config, physical, ports, at, appear, port: on(0), virtual, routingId }
}

/** Where an extended capability stands, or 0. */
function capability(config: { read(register: { at: number; width: number }): number }, id: number): number {
  for (let at = EXTENDED_AT; at !== 0; ) {
    const header = config.read({ at, width: 32 })
    if ((header & 0xffff) === id) return at
    at = header >>> 20
  }
  return 0
}

describe('PCI Express: single-root I/O virtualization', () => {
  test('9.3.3: a port offers seven functions of its own identity, stride two, behind itself; the ports differ by one', () => {
    const { physical, at } = bench()
    for (const port of physical) {
      expect(
        [sriov.INITIAL, sriov.TOTAL, sriov.STRIDE, sriov.DEVICE_ID].map(register => port.read(register, at)),
      ).toEqual([COUNT, COUNT, 2, 0x10ca])
      expect(port.read(sriov.OFFSET, at)).toBe(0x180)
    }
    expect(physical.map(port => port.read(pcie.HEADER_TYPE))).toEqual([0x80, 0])
    expect(physical.map(port => port.read(pcie.INTERRUPT_PIN))).toEqual([1, 2])
    expect(physical.map(port => capability(port, EXTENDED_CAPABILITY.ARI))).toEqual([EXTENDED_AT, EXTENDED_AT])
    expect(physical.map(port => port.read({ at: EXTENDED_AT + 4, width: 16 }) >> 8)).toEqual([1, 0])
  })

  test('a card that has not been asked for virtual functions has no extended capability at all', () => {
    const time = new BenchTime()
    const plain: NicController = new NicController(
      'nic0',
      MAC,
      time.clockFor(() => plain),
    )
    expect(plain.function.configuration.read(EXTENDED_AT, 4)).toBe(0)
    expect(plain.virtual).toBeUndefined()
  })

  test('9.3.3.7: only as many appear as NumVFs says, which stands while they are enabled', () => {
    const { host, appear, routingId, physical, at } = bench()
    const there = () =>
      Array.from({ length: COUNT }, (_, index) => host.ecam.read(routingId(index) * 0x1000 + 8, 4) >>> 8 === 0x02_0000)
    expect(there().filter(Boolean)).toHaveLength(0)
    appear(3)
    expect(there()).toEqual([true, true, true, false, false, false, false])
    physical[0].write(sriov.NUMBER, 5, at)
    expect(there().filter(Boolean)).toHaveLength(3)
    physical[0].write(sriov.CONTROL, 0, at)
    expect(there().filter(Boolean)).toHaveLength(0)
    physical[0].write(sriov.NUMBER, COUNT + 1, at)
    expect(physical[0].read(sriov.NUMBER, at)).toBe(3)
  })

  test('9.3.3.3.5: with alternative routing ids they stand behind the device on its own bus, for both ports at the first one’s word', () => {
    const { host, appear, physical, at } = bench()
    physical[0].write(sriov.CONTROL, 0x10, at)
    physical[1].write(sriov.CONTROL, 0x10, at)
    expect(physical.map(port => port.read(sriov.OFFSET, at))).toEqual([0x80, 0x80])
    expect(physical.map(port => port.read(sriov.CONTROL, at))).toEqual([0x10, 0])
    physical[0].write(sriov.NUMBER, 2, at)
    physical[0].write(sriov.CONTROL, 0x19, at)
    const there = (distance: number) => host.ecam.read((requesterId(0, SLOT, 0) + distance) * 0x1000 + 8, 4) >>> 8
    expect([there(0x80), there(0x82), there(0x180)]).toEqual([0x02_0000, 0x02_0000, 0xff_ffff])
    appear(2)
    expect(there(0x82)).toBe(0x02_0000)
    physical[0].write(sriov.CONTROL, 0, at)
    appear(2)
    expect([there(0x82), there(0x182)]).toEqual([0xff_ffff, 0x02_0000])
  })

  test('9.3.3.14: a BAR is a row of windows, of 16 KiB or of a page if that is larger, and needs VF MSE', () => {
    const { physical, at, appear, virtual, host } = bench()
    const bar = { at: sriov.BAR.at, width: 32 }
    physical[0].write(bar, 0xffff_ffff, at)
    expect(physical[0].read(bar, at)).toBe(0xffff_c004)
    physical[0].write(sriov.PAGE_SIZE, 0x10, at)
    physical[0].write(bar, 0xffff_ffff, at)
    expect(physical[0].read(bar, at)).toBe(0xffff_0004)
    physical[0].write(sriov.PAGE_SIZE, 0x3, at)
    expect(physical[0].read(sriov.PAGE_SIZE, at)).toBe(0x10)
    physical[0].write(sriov.PAGE_SIZE, 0x1, at)
    appear(2)
    virtual(1).write(vf.RDBAL, 0x7000)
    expect([virtual(0).read(vf.RDBAL), virtual(1).read(vf.RDBAL)]).toEqual([0, 0x7000])
    expect(host.window32.read(WINDOWS + 2 * BYTES, 4)).toBe(0xffff_ffff)
    physical[0].write(sriov.CONTROL, 0x1, at)
    expect(virtual(1).read(vf.RDBAL)).toBe(0xffff_ffff)
  })

  test('9.3.4: of COMMAND a virtual function has Bus Master Enable alone; what it sends is signed with its own id', () => {
    const { appear, config, routingId, virtual, port, requesters, time } = bench()
    appear(2)
    const own = config(routingId(1))
    expect(own.read(pcie.VENDOR_ID)).toBe(0xffff)
    own.write(pcie.COMMAND, 0xffff)
    expect(own.read(pcie.COMMAND)).toBe(4)
    port.write(nic.MRQC, 3)
    port.write(nic.TCTL, 2)
    const ring = () => {
      virtual(1).write(vf.TDBAL, 0x1000)
      virtual(1).write(vf.TDLEN, 128)
      virtual(1).write(vf.TXDCTL, 1 << 25)
      virtual(1).write(vf.TDT, 1)
      time.pass(10_000)
    }
    ring()
    expect([...new Set(requesters)]).toEqual([routingId(1)])
    own.write(pcie.COMMAND, 0)
    requesters.length = 0
    ring()
    expect(requesters).toEqual([])
  })

  test('a port pulled out takes its virtual functions with it', () => {
    const { appear, ports, host, routingId, virtual } = bench()
    appear(1)
    ports[0].function.remove()
    expect(host.ecam.read(routingId(0) * 0x1000 + 8, 4)).toBe(0xffff_ffff)
    expect(virtual(0).read(vf.VTSTATUS)).toBe(0xffff_ffff)
  })
})

describe('Intel 82576: virtual functions', () => {
  test('8.26: each has the queues n and n + 8, its part of EITR, EIMS and IVAR, and nothing else of the port', () => {
    const { appear, virtual, port } = bench()
    appear(COUNT)
    virtual(2).write(vf.RDBAL, 0x1000, 0)
    virtual(2).write(vf.TDBAL, 0x2000, 1)
    expect([port.read(nic.RDBAL, 2), port.read(nic.TDBAL, 10)]).toEqual([0x1000, 0x2000])
    virtual(2).write(vf.VTEIMS, 0xff)
    expect(port.read(nic.EIMS)).toBe(7 << 16)
    expect(virtual(2).read(vf.VTEIMS)).toBe(7)
    virtual(2).write(vf.VTEIMC, 2)
    expect(port.read(nic.EIMS)).toBe(5 << 16)
    virtual(2).write(vf.VTEITR, 0x40, 1)
    expect(port.read(nic.EITR, 17)).toBe(0x40)
    virtual(2).write(vf.VTIVAR, 0x8180)
    expect(port.read(nic.IVAR, 2)).toBe(((0x80 | 17) << 8) | 0x80 | 16)
    const before = Array.from({ length: 0x2_0000 / 4 }, (_, word) => port.read({ ...nic.CTRL, at: word * 4 }))
    for (const at of [0x100, 0x400, 0x5400, 0x3500, 0xc8c, 0xc90, 0x5818, 0x18, 0x3ffc].filter(at => at < BYTES))
      virtual(2).write({ ...vf.PSRTYPE, at }, 0xffff_ffff)
    expect(
      before.every((word, index) => word === port.read({ ...nic.CTRL, at: index * 4 }) || index * 4 === 0x5b50),
    ).toBe(true)
  })

  test('7.3: a cause of a virtual function goes out by its own message, at the interval of its own EITR', () => {
    const { appear, virtual, memory, host, config, routingId, time } = bench()
    appear(2)
    config(routingId(0)).write(pcie.COMMAND, 4)
    const table = WINDOWS + COUNT * BYTES
    for (const [word, value] of [0x500, 0, 0xabc, 0].entries()) host.window32.write(table + word * 4, 4, value)
    config(routingId(0)).write({ at: 0x92, width: 16 }, 0x8000)
    const came = () => {
      const value = memory.view.getUint32(0x500, true)
      memory.view.setUint32(0x500, 0, true)
      return value === 0xabc
    }
    virtual(0).write(vf.VTEITR, withField(vf.VTEITR.fields.INTERVAL, 0, 100))
    virtual(0).write(vf.VTEIAC, 1)
    virtual(0).write(vf.VTEICS, 1)
    expect(came()).toBe(false)
    virtual(0).write(vf.VTEIMS, 1)
    expect(came()).toBe(true)
    expect(virtual(0).read(vf.VTEICR)).toBe(0)
    virtual(0).write(vf.VTEICS, 1)
    expect(came()).toBe(false)
    time.pass(99_000)
    expect(came()).toBe(false)
    time.pass(2_000)
    expect(came()).toBe(true)
    virtual(1).write(vf.VTEICS, 1)
    expect(virtual(0).read(vf.VTEICR)).toBe(0)
  })

  test('7.10.2: the mailbox belongs to one side at a time; each call is seen once', () => {
    const { appear, virtual, port } = bench()
    appear(2)
    expect(virtual(1).read(vf.V2PMAILBOX) & 0x40).toBe(0x40)
    port.write(nic.CTRL_EXT, 1 << 14)
    expect(virtual(1).read(vf.V2PMAILBOX)).toBe(0x80)
    expect(virtual(1).read(vf.V2PMAILBOX)).toBe(0)
    virtual(1).write(vf.V2PMAILBOX, 4)
    port.write(nic.P2VMAILBOX, 8, 1)
    expect(port.read(nic.P2VMAILBOX, 1)).toBe(4)
    virtual(1).write(vf.VMBMEM, 0x1234, 3)
    virtual(1).write(vf.V2PMAILBOX, 1)
    expect(port.read(nic.VMBMEM, 19)).toBe(0x1234)
    expect(port.read(nic.MBVFICR)).toBe(2)
    expect(port.read(nic.ICR) & (1 << nic.ICR.fields.VMMB.low)).toBe(0)
    port.write(nic.MBVFIMR, 2)
    virtual(1).write(vf.V2PMAILBOX, 2)
    expect(port.read(nic.ICR) & (1 << nic.ICR.fields.VMMB.low)).not.toBe(0)
    port.write(nic.MBVFICR, 0xffff_ffff)
    port.write(nic.P2VMAILBOX, 8, 1)
    virtual(1).write(vf.V2PMAILBOX, 4)
    expect(virtual(1).read(vf.V2PMAILBOX)).toBe(8)
    port.write(nic.P2VMAILBOX, 3, 1)
    expect(virtual(1).read(vf.V2PMAILBOX)).toBe(0x30)
    expect(virtual(0).read(vf.V2PMAILBOX) & 0x30).toBe(0)
  })

  test('a reset of one, by register or by its function, stops its queues, tells the port, and leaves the others alone', () => {
    const { appear, virtual, port, config, routingId } = bench()
    appear(2)
    const resets = [
      () => virtual(0).write(vf.VTCTRL, 1 << 26),
      () => config(routingId(0)).write({ at: 0x58, width: 16 }, 0x8000),
    ]
    for (const reset of resets) {
      for (const index of [0, 1]) virtual(index).write(vf.RXDCTL, 1 << 25)
      port.write(nic.VFRE, 0xff)
      reset()
      expect([virtual(0).read(vf.RXDCTL), virtual(1).read(vf.RXDCTL)]).toEqual([0, 1 << 25])
      expect([port.read(nic.VFRE), port.read(nic.VFLRE)]).toEqual([0xfe, 1])
      port.write(nic.VFLRE, 1)
      expect(port.read(nic.VFLRE)).toBe(0)
    }
  })

  test('8.2.2: STATUS says how many there are, and which port it is', () => {
    const { appear, port, host } = bench()
    expect(port.read(nic.STATUS) & 0x7_c000).toBe(0)
    appear(5)
    expect(port.read(nic.STATUS) & 0x7_c000).toBe(0x4_0000 | (5 << 14))
    expect((host.window32.read(0x10_0000 + nic.STATUS.at, 4) >>> 2) & 3).toBe(1)
  })

  test('what is saved and put back goes on: configuration, mailbox, vectors, and who is there', () => {
    const first = bench()
    first.appear(3)
    first.virtual(1).write(vf.V2PMAILBOX, 5)
    first.virtual(1).write(vf.VTIVAR_MISC, 0x82)
    first.config(first.routingId(1)).write(pcie.COMMAND, 4)
    const second = bench()
    second.ports.forEach((port, number) => port.restore(structuredClone(first.ports[number].save())))
    expect(second.virtual(1).read(vf.V2PMAILBOX)).toBe(first.virtual(1).read(vf.V2PMAILBOX))
    expect(second.virtual(1).read(vf.VTIVAR_MISC)).toBe(0x82)
    expect(second.config(second.routingId(1)).read(pcie.COMMAND)).toBe(4)
    expect(second.config(second.routingId(3)).read(pcie.COMMAND)).toBe(0xffff)
    const states = [first, second].map(({ ports }) => ports.map(port => port.save()))
    expect(isDeepStrictEqual(states[0], states[1])).toBe(true)
  })

  const address = fc.constantFrom(0x10, 0x20, 0x30, 0x40)
  test('7.10.3: a frame goes to whom its address belongs, all who listen, or the default pool; what is inside does not go out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(address, fc.nat(0xff)), { maxLength: 4 }),
        fc.nat(0xff),
        fc.nat(0xff),
        fc.oneof(address, fc.constant(0xff)),
        fc.nat(7),
        (claims, listening, open, to, from) => {
          const registers = new RegisterFile()
          registers.set(nic.MRQC, 3)
          registers.set(nic.RCTL, (1 << nic.RCTL.fields.BAM.low) | (1 << nic.RCTL.fields.UPE.low))
          registers.set(nic.VT_CTL, (1 << 30) | (7 << 7))
          registers.set(nic.DTXSWC, 0x8000_0000)
          registers.set(nic.VFRE, open)
          claims.forEach(([last, pools], index) => {
            registers.set(nic.RAL, 2, index)
            registers.set(nic.RAH, ((last << 8) | (pools << 18) | 0x8000_0000) >>> 0, index)
          })
          for (let pool = 0; pool < 8; pool++)
            registers.set(nic.VMOLR, ((listening >>> pool) & 1) << nic.VMOLR.fields.BAM.low, pool)
          const broadcast = to === 0xff
          const frame = new Uint8Array(64)
          frame.set(broadcast ? [255, 255, 255, 255, 255, 255] : [2, 0, 0, 0, 0, to])
          const claimed = claims.filter(([last]) => last === to).reduce((all, [, pools]) => all | pools, 0)
          const wanted = broadcast ? listening : claimed
          expect(poolsFor(registers, frame)).toBe((wanted || (broadcast ? 0 : 1 << 7)) & open)
          const inside = switched(registers, frame, from)
          expect(inside.pools).toBe(wanted & open & ~(1 << from))
          expect(inside.wire).toBe(broadcast || claimed === 0)
        },
      ),
    )
  })
})
