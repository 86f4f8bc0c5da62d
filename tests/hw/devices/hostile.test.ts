/** Whatever software writes to a chip and leaves in its rings, the chip answers: it never throws, loops or grows. */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Cable } from '../../../hw/devices/cable.ts'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import { NicController } from '../../../hw/devices/nic/nic-controller.ts'
import { NvmeController } from '../../../hw/devices/nvme/nvme-controller.ts'
import { Station } from '../../../hw/devices/station.ts'
import { nicFunction } from '../../../hw/spec/devices/nic-function.ts'
import { nic } from '../../../hw/spec/devices/nic.ts'
import { nvme } from '../../../hw/spec/devices/nvme.ts'
import { sriov } from '../../../hw/spec/devices/pcie.ts'
import type { Register } from '../../../hw/spec/registers.ts'
import { BenchTime, WINDOW32, plugged } from './bench.ts'

const MAC = [2, 0, 0, 0, 0, 2]

/** In PCI memory: windows of virtual functions. And words of configuration: the port's capability, and a virtual function's. */
const WINDOWS = 0x20_0000
const CAPABILITY = 0x8160
const CONFIGURATION = [0x08, 0x10, 0x20, 0x24, 0x28, 0x30]
  .map(at => CAPABILITY + at)
  .concat(0x18_8004, 0x18_8058, 0x18_8090)

/** A register of the table, an element of it, and a value that is often nearly right. */
function writes(table: Readonly<Record<string, Register>>) {
  const value = fc.oneof(
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.integer({ min: 0, max: 64 }),
    fc.constantFrom(0x0046_0001, 0x0200_0000, 0x8000, 0x1000, 0xffff_ffff),
  )
  return fc.array(
    fc.record({
      register: fc.constantFrom(...Object.values(table)),
      index: fc.nat(24),
      value,
      size: fc.constantFrom(4, 4, 4, 2, 1),
    }),
    {
      minLength: 1,
      maxLength: 60,
    },
  )
}

function offset({ register, index }: { register: Register; index: number }): number {
  return register.at + (index % (register.count ?? 1)) * (register.stride ?? 0)
}

/** Memory of small descriptors: 16-byte groups whose addresses are mostly near, with any control bits. */
function fillRings(bytes: Uint8Array, seed: number): void {
  let state = seed >>> 0 || 1
  for (let i = 0; i < bytes.length; i += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const word = i % 16 === 4 ? 0 : i % 16 === 0 ? state & 0xf_fff0 : state
    new DataView(bytes.buffer).setUint32(i, word, true)
  }
}

describe('hostile software', () => {
  test('cannot upset the NVMe controller', () => {
    fc.assert(
      fc.property(writes(nvme), fc.integer(), (steps, seed) => {
        const time = new BenchTime()
        const chip: NvmeController = new NvmeController(
          'disk',
          new MemoryBacking(4096),
          time.clockFor(() => chip),
        )
        const { host, memory } = plugged(chip, { msix: true })
        fillRings(memory.bytes, seed)
        host.window32.write(nvme.AQA.at, 4, 0x003f_003f)
        host.window32.write(nvme.CC.at, 4, 0x0046_0001)
        time.pass(2_000_000)
        for (const step of steps) {
          host.window32.write(offset(step), step.size, step.size === 4 ? step.value : step.value & 0xff)
          host.window32.read(offset(step), 4)
          time.pass(50_000)
        }
        time.pass(10_000_000)
      }),
      { numRuns: 60 },
    )
  })

  test('cannot upset the network card', () => {
    fc.assert(
      fc.property(writes(nic), fc.integer(), (steps, seed) => {
        const time = new BenchTime()
        const chip: NicController = new NicController(
          'nic',
          MAC,
          time.clockFor(() => chip),
        )
        const cable: Cable = new Cable(
          'cable',
          time.clockFor(() => cable),
        )
        const station: Station = new Station(
          'station',
          { mac: [2, 0, 0, 0, 0, 1], ip: [10, 0, 0, 1] },
          time.clockFor(() => station),
        )
        const { host, memory } = plugged(chip, { msix: true })
        chip.connect(cable, 0)
        station.connect(cable, 1)
        fillRings(memory.bytes, seed)
        const write = (register: Register, value: number) => host.window32.write(register.at, 4, value)
        write(nic.CTRL, 0x41)
        time.pass(20_000_000)
        station.generate({ mac: MAC, ip: [10, 0, 0, 2], port: 9, bytes: 200, interval: 20_000, count: 50 })
        for (const [register, value] of [
          [nic.RDLEN, 128],
          [nic.TDLEN, 256],
          [nic.TXDCTL, 1 << 25],
          [nic.RXDCTL, 1 << 25],
          [nic.TCTL, 2],
          [nic.RCTL, 0x802a],
          [nic.TDT, 15],
        ] as const) {
          write(register, value)
        }
        for (const step of steps) {
          host.window32.write(offset(step), step.size, step.size === 4 ? step.value : step.value & 0xff)
          host.window32.read(offset(step), 4)
          time.pass(20_000)
        }
        time.pass(1_000_000)
      }),
      { numRuns: 60 },
    )
  })

  test('cannot upset the network card by its virtual functions, their configuration, or what they appear with', () => {
    const configured = fc.tuple(fc.constantFrom(...CONFIGURATION), fc.nat(0xffff_ffff))
    const all = [writes(nicFunction), writes(nic), fc.array(configured, { maxLength: 10 })] as const
    fc.assert(
      fc.property(...all, fc.integer(), (theirs, ours, configurations, seed) => {
        const time = new BenchTime()
        const chip: NicController = new NicController(
          'nic',
          MAC,
          time.clockFor(() => chip),
          { virtualFunctions: 7 },
        )
        const { host, memory } = plugged(chip, { msix: true })
        fillRings(memory.bytes, seed)
        host.ecam.write(CAPABILITY + sriov.BAR.at, 4, WINDOW32 + WINDOWS)
        host.ecam.write(CAPABILITY + sriov.BAR.at + 12, 4, WINDOW32 + 2 * WINDOWS)
        host.ecam.write(CAPABILITY + sriov.NUMBER.at, 2, 3)
        host.ecam.write(CAPABILITY + sriov.CONTROL.at, 2, 9)
        for (let id = 0x188; id < 0x18e; id += 2) host.ecam.write(id * 0x1000 + 4, 2, 4)
        for (const [register, value] of [
          [nic.MRQC, 3],
          [nic.DTXSWC, 0x80ff_0000],
          [nic.RCTL, 0x800a],
          [nic.TCTL, 2],
        ] as const)
          host.window32.write(register.at, 4, value)
        for (const [register, value] of [
          [nicFunction.RDLEN, 128],
          [nicFunction.TDLEN, 256],
          [nicFunction.TXDCTL, 1 << 25],
          [nicFunction.RXDCTL, 1 << 25],
          [nicFunction.TDT, 15],
        ] as const)
          host.window32.write(WINDOWS + register.at, 4, value)
        const count = Math.max(theirs.length, ours.length, configurations.length)
        for (let n = 0; n < count; n++) {
          for (const [steps, base] of [
            [theirs, WINDOWS],
            [ours, 0],
          ] as const) {
            const step = steps[n]
            if (!step) continue
            host.window32.write(base + offset(step), step.size, step.size === 4 ? step.value : step.value & 0xff)
            host.window32.read(base + offset(step), 4)
          }
          const configuration = configurations[n]
          if (configuration) host.ecam.write(configuration[0], 4, configuration[1])
          time.pass(20_000)
        }
        const saved = structuredClone(chip.save())
        chip.restore(saved)
        expect(isDeepStrictEqual(chip.save(), saved)).toBe(true)
        time.pass(1_000_000)
      }),
      { numRuns: 30 },
    )
  })
})
