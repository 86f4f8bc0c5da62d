import { describe, expect, test } from 'vitest'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import { NvmeController } from '../../../hw/devices/nvme/nvme-controller.ts'
import {
  CAPABILITY,
  HOST_BRIDGE,
  ecamOffset,
  msixCapability,
  pcie,
  pcieCapability,
} from '../../../hw/spec/devices/pcie.ts'
import { nvme } from '../../../hw/spec/devices/nvme.ts'
import { BenchTime, WINDOW32, WINDOW64, plugged } from './bench.ts'

function bench(options: { slot?: number; msix?: boolean } = {}) {
  const time = new BenchTime()
  const chip: NvmeController = new NvmeController(
    'disk0',
    new MemoryBacking(64),
    time.clockFor(() => chip),
  )
  return { chip, ...plugged(chip, options) }
}

/** Where a capability stands, or 0. */
function find(config: ReturnType<typeof bench>['config'], id: number): number {
  let at = config.read(pcie.CAPABILITIES_POINTER)
  while (at !== 0) {
    const header = config.read({ at, width: 16 })
    if ((header & 0xff) === id) return at
    at = header >>> 8
  }
  return 0
}

const within = (at: number, register: { at: number; width: number }) => ({
  at: at + register.at,
  width: register.width,
})

describe('PCI Express', () => {
  test('7.2.2: the ECAM shows the host bridge at 0, the device in its slot, and ones where nothing is', () => {
    const { host, chip } = bench({ slot: 3 })
    expect(host.ecam.read(0, 4)).toBe((HOST_BRIDGE.device << 16) | HOST_BRIDGE.vendor)
    expect(host.ecam.read(ecamOffset(0, 3, 0), 2)).toBe(chip.function.identity.vendor)
    expect(host.ecam.read(ecamOffset(0, 4, 0), 4)).toBe(0xffff_ffff)
    expect(host.ecam.read(ecamOffset(0, 3, 1), 4)).toBe(0xffff_ffff)
    expect(host.ecam.read(ecamOffset(1, 3, 0), 2)).toBe(0xffff)
  })

  test('7.5.1.2.1: a BAR tells its size, and the device answers where it was put, in either window', () => {
    const { config, host } = bench()
    config.write(pcie.BAR, 0xffff_ffff)
    expect(config.read(pcie.BAR)).toBe(0xffff_c004)
    config.write(pcie.BAR, WINDOW32 + 0x10_0000)
    expect(host.window32.read(0x10_0000 + nvme.VS.at, 4)).toBe(nvme.VS.reset)
    expect(host.window32.read(nvme.VS.at, 4)).toBe(0xffff_ffff)
    config.write(pcie.BAR, 0x8000_0000)
    config.write({ at: pcie.BAR.at + 4, width: 32 }, WINDOW64 / 2 ** 32)
    expect(host.window64.read(0x8000_0000 + nvme.VS.at, 4)).toBe(nvme.VS.reset)
    config.write(pcie.COMMAND, 4)
    expect(host.window64.read(0x8000_0000 + nvme.VS.at, 4)).toBe(0xffff_ffff)
  })

  test('7.5.1.1.3: nothing is mastered without Bus Master Enable, nor in D3', () => {
    const { chip, config } = bench()
    const byte = new Uint8Array(1)
    expect(chip.function.dma.read(0, byte)).toBe(true)
    config.write(pcie.COMMAND, 2)
    expect(chip.function.dma.read(0, byte)).toBe(false)
    config.write(pcie.COMMAND, 6)
    config.write({ at: find(config, CAPABILITY.POWER_MANAGEMENT) + 4, width: 16 }, 3)
    expect(chip.function.dma.read(0, byte)).toBe(false)
  })

  test.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 0],
  ])('INTA of slot %i is wire %i, and can be disabled', (slot, wire) => {
    const { chip, config, lines } = bench({ slot })
    chip.function.line.set(true)
    expect(lines.map(line => line.level)).toEqual(lines.map((_, i) => i === wire))
    config.write(pcie.COMMAND, 0x406)
    expect(lines[wire].level).toBe(false)
    expect(config.read(pcie.STATUS) & 8).toBe(8)
  })

  test('6.1.4.4: a masked vector stays pending, and its message is a write when it is unmasked', () => {
    const { chip, config, host, memory, lines } = bench()
    const at = find(config, CAPABILITY.MSIX)
    config.write(within(at, msixCapability.MESSAGE_CONTROL), 0x8000)
    const table = config.read(within(at, msixCapability.TABLE)) & ~7
    const pending = config.read(within(at, msixCapability.PBA)) & ~7
    host.window32.write(table + 16, 4, 0x500)
    host.window32.write(table + 24, 4, 0xbeef)
    chip.function.msix!.raise(1)
    chip.function.line.set(true)
    expect(lines[1].level).toBe(false)
    expect(host.window32.read(pending, 4)).toBe(2)
    expect(memory.view.getUint32(0x500, true)).toBe(0)
    host.window32.write(table + 28, 4, 0)
    expect(memory.view.getUint32(0x500, true)).toBe(0xbeef)
    expect(host.window32.read(pending, 4)).toBe(0)
  })

  test('a device that is pulled out reads as ones, masters nothing, and its wire falls', () => {
    const { chip, config, host } = bench({ slot: 3 })
    config.write(pcie.BAR, WINDOW32)
    chip.function.line.set(true)
    chip.function.remove()
    expect(host.ecam.read(ecamOffset(0, 3, 0), 4)).toBe(0xffff_ffff)
    expect(host.window32.read(nvme.VS.at, 4)).toBe(0xffff_ffff)
    expect(chip.function.dma.read(0, new Uint8Array(1))).toBe(false)
    const other = bench({ slot: 3 })
    other.chip.restore(structuredClone(chip.save()))
    expect(other.host.ecam.read(ecamOffset(0, 3, 0), 4)).toBe(0xffff_ffff)
  })

  test('interrupts that are lost, and one that says nothing', () => {
    const { chip, lines } = bench({ slot: 0 + 1 })
    const levels = () => lines.some(({ level }) => level)
    chip.function.loseInterrupts(1)
    chip.function.line.set(true)
    expect(levels()).toBe(false)
    chip.function.line.set(false)
    chip.function.line.set(true)
    expect(levels()).toBe(true)
    chip.function.line.set(false)
    const before = lines.map(({ rises }) => rises)
    chip.function.interruptSpuriously(0)
    expect(lines.map(({ rises }) => rises)).not.toEqual(before)
    expect(levels()).toBe(false)
  })

  test('a board without messages shows no MSI-X', () => {
    const { config } = bench({ msix: false })
    expect(find(config, CAPABILITY.MSIX)).toBe(0)
    expect(find(config, CAPABILITY.PCI_EXPRESS)).not.toBe(0)
  })

  test('6.6.2: function level reset clears BARs and command, and the device behind them', () => {
    const { config, host } = bench()
    host.window32.write(nvme.CC.at, 4, 0x0046_0001)
    config.write(within(find(config, CAPABILITY.PCI_EXPRESS), pcieCapability.DEVICE_CONTROL), 0x8000)
    expect(config.read(pcie.BAR)).toBe(4)
    expect(config.read(pcie.COMMAND)).toBe(0)
    config.write(pcie.BAR, WINDOW32)
    config.write(pcie.COMMAND, 6)
    expect(host.window32.read(nvme.CC.at, 4)).toBe(0)
  })
})
