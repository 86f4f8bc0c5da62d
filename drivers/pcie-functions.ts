/**
 * Virtual functions as PCI Express has them: how many a function offers, where they appear, what they sign their requests
 * with, and the reset of one. Functions are named by routing id (bus, slot and function number: requesterId()).
 */
import type { Environment } from './environment.ts'
import { CAPABILITY, EXTENDED_AT, EXTENDED_CAPABILITY, pcie, pcieCapability, sriov } from '../hw/spec/devices/pcie.ts'
import { registers, withField } from '../hw/spec/registers.ts'

const FUNCTION_BYTES = 0x1000
const ALL_ONES = 0xffff_ffff
const NEXT_SHIFT = 20
const MOST_CAPABILITIES = 48
const ENABLE = withField(sriov.CONTROL.fields.ENABLE, 0, 1) | withField(sriov.CONTROL.fields.MEMORY_SPACE, 0, 1)
const BUS_MASTER = withField(pcie.COMMAND.fields.BUS_MASTER, 0, 1)
const RESET = withField(pcieCapability.DEVICE_CONTROL.fields.INITIATE_FLR, 0, 1)
const TWO_32 = 4294967296

/** Configuration space as words and halves, by their number in the window. */
const space = registers({
  word: { at: 0, width: 32, access: 'rw', count: 0x400_0000, stride: 4, spec: 'PCIe 7.2.2' },
  half: { at: 0, width: 16, access: 'rw', count: 0x800_0000, stride: 2, spec: 'PCIe 7.2.2' },
  byte: { at: 0, width: 8, access: 'rw', count: 0x1000_0000, stride: 1, spec: 'PCIe 7.2.2' },
})

export interface PcieFunctions {
  /** How many virtual functions a function can have: 0 if it has no such capability, or is not there. */
  total(physical: number): number
  /** Bytes of memory for `count` of them, at an address that is a multiple of it rounded up to a power of two. */
  bytes(physical: number, count: number): number
  /**
   * Makes `count` of them appear, their first BAR's windows at `address` and those of BAR 3 behind them all. Their
   * drivers wait 100 ms before they touch them (PCIe 9.3.3.3.1).
   */
  enable(physical: number, count: number, address: number): void
  /** Makes them disappear: all of them are reset. */
  disable(physical: number): void
  /** The routing id of one, while they are enabled. */
  routingId(physical: number, index: number): number
  /** Where its window of BAR 0 or BAR 3 stands. */
  window(physical: number, bar: 0 | 3, index: number): number
  /** Lets a function master the bus, or not. */
  master(id: number, allowed: boolean): void
  /** Function level reset: what it was doing ends, its configuration is as at the beginning. Takes 100 ms (PCIe 6.6.2). */
  reset(id: number): void
}

/** `env.device` is the ECAM window. */
export function pcieFunctions(env: Environment): PcieFunctions {
  const { device } = env

  /** Offset of the capability in the window, or -1. */
  function capability(physical: number): number {
    const base = physical * FUNCTION_BYTES
    if (device.read(space.word, base / 4) === ALL_ONES) return -1
    let at = EXTENDED_AT
    for (let n = 0; n < MOST_CAPABILITIES && at >= EXTENDED_AT; n++) {
      const header = device.read(space.word, (base + at) / 4)
      if ((header & 0xffff) === EXTENDED_CAPABILITY.SRIOV) return base + at
      at = (header >>> NEXT_SHIFT) & ~3
    }
    return -1
  }

  function total(physical: number): number {
    const at = capability(physical)
    return at < 0 ? 0 : device.read(space.half, (at + sriov.TOTAL.at) / 2)
  }

  /** Bytes of one virtual function's window. */
  function windowBytes(at: number, bar: number): number {
    const word = (at + sriov.BAR.at) / 4 + bar
    const before = device.read(space.word, word)
    device.write(space.word, ALL_ONES, word)
    const size = (~(device.read(space.word, word) & ~15) + 1) >>> 0
    device.write(space.word, before, word)
    return size
  }

  function bytes(physical: number, count: number): number {
    const at = capability(physical)
    return at < 0 ? 0 : (windowBytes(at, 0) + windowBytes(at, 3)) * count
  }

  function setBar(at: number, bar: number, address: number): void {
    const word = (at + sriov.BAR.at) / 4 + bar
    device.write(space.word, address >>> 0, word)
    device.write(space.word, Math.floor(address / TWO_32), word + 1)
  }

  function enable(physical: number, count: number, address: number): void {
    const at = capability(physical)
    if (at < 0) return
    device.write(space.half, count, (at + sriov.NUMBER.at) / 2)
    setBar(at, 3, address + windowBytes(at, 0) * count)
    setBar(at, 0, address)
    device.write(space.half, ENABLE, (at + sriov.CONTROL.at) / 2)
  }

  function disable(physical: number): void {
    const at = capability(physical)
    if (at >= 0) device.write(space.half, 0, (at + sriov.CONTROL.at) / 2)
  }

  function routingId(physical: number, index: number): number {
    const at = capability(physical)
    const offset = device.read(space.half, (at + sriov.OFFSET.at) / 2)
    return physical + offset + index * device.read(space.half, (at + sriov.STRIDE.at) / 2)
  }

  function window(physical: number, bar: 0 | 3, index: number): number {
    const at = capability(physical)
    const count = device.read(space.half, (at + sriov.NUMBER.at) / 2)
    const word = (at + sriov.BAR.at) / 4
    const first = device.read(space.word, word + 1) * TWO_32 + ((device.read(space.word, word) & ~15) >>> 0)
    // the windows of BAR 3 lie behind all of BAR 0's, which are as large
    const size =
      (device.read(space.word, word + 4) * TWO_32 + ((device.read(space.word, word + 3) & ~15) >>> 0) - first) / count
    return first + (bar === 0 ? index : count + index) * size
  }

  function master(id: number, allowed: boolean): void {
    device.write(space.half, allowed ? BUS_MASTER : 0, (id * FUNCTION_BYTES + pcie.COMMAND.at) / 2)
  }

  function reset(id: number): void {
    const base = id * FUNCTION_BYTES
    let at = device.read(space.byte, base + pcie.CAPABILITIES_POINTER.at)
    for (let n = 0; n < MOST_CAPABILITIES && at !== 0; n++) {
      const header = device.read(space.half, (base + at) / 2)
      if ((header & 0xff) === CAPABILITY.PCI_EXPRESS) {
        device.write(space.half, RESET, (base + at + pcieCapability.DEVICE_CONTROL.at) / 2)
        return
      }
      at = header >>> 8
    }
  }

  return { total, bytes, enable, disable, routingId, window, master, reset }
}
