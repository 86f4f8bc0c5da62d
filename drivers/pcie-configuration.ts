/**
 * The driver of PCI Express functions' configuration space, for who hands functions out: finds them, gives their memory
 * places, finds their capabilities, resets them. A function is named by its requester number.
 */
import type { Environment } from './environment.ts'
import { CAPABILITY, pcie, pcieCapability } from '../hw/spec/devices/pcie.ts'
import { fieldOf, registers, withField } from '../hw/spec/registers.ts'

/** 4 KiB a function, 65,536 functions. */
const FUNCTION_SHIFT = 12
const FUNCTIONS_OF_A_BUS = 256
const FUNCTIONS_OF_A_SLOT = 8
const BYTES = 2 ** 28
const NOBODY = 0xffff
const BAR_64_BIT = 2
const ALL_ONES = 0xffff_ffff
const NOT_ADDRESS = 15
/** Capabilities of a function: more would be a list that goes round. */
const CAPABILITIES = 48
const RESET = withField(pcieCapability.DEVICE_CONTROL.fields.INITIATE_FLR, 0, 1)

const space = registers({
  byte: { at: 0, width: 8, access: 'rw', count: BYTES, stride: 1, spec: 'PCIe 7.2.2' },
  half: { at: 0, width: 16, access: 'rw', count: BYTES / 2, stride: 2, spec: 'PCIe 7.2.2' },
  word: { at: 0, width: 32, access: 'rw', count: BYTES / 4, stride: 4, spec: 'PCIe 7.2.2' },
})

export interface PcieConfiguration {
  read8(identity: number, at: number): number
  read16(identity: number, at: number): number
  read32(identity: number, at: number): number
  write16(identity: number, at: number, value: number): void
  write32(identity: number, at: number, value: number): void
  /** The function of the root bus with `number` others of its class before it, or -1. */
  findClass(code: number, number: number): number
  /** Where a capability begins, or 0. */
  capability(identity: number, id: number): number
  /** Bytes of a memory BAR, 0 if there is none. Its address is lost. */
  barBytes(identity: number, bar: number): number
  /** True if it takes two BARs. */
  isWide(identity: number, bar: number): boolean
  setBar(identity: number, bar: number, address: number): void
  /** Function level reset: its registers are as after power-on, and no request of its own is on its way any more. */
  reset(identity: number): void
}

/** `env.device` is the ECAM window. */
export function pcieConfiguration(env: Environment): PcieConfiguration {
  const { device } = env
  const offset = (identity: number, at: number): number => identity * 2 ** FUNCTION_SHIFT + at

  function read8(identity: number, at: number): number {
    return device.read(space.byte, offset(identity, at))
  }
  function read16(identity: number, at: number): number {
    return device.read(space.half, offset(identity, at) / 2)
  }
  function read32(identity: number, at: number): number {
    return device.read(space.word, offset(identity, at) / 4)
  }
  function write16(identity: number, at: number, value: number): void {
    device.write(space.half, value, offset(identity, at) / 2)
  }
  function write32(identity: number, at: number, value: number): void {
    device.write(space.word, value, offset(identity, at) / 4)
  }

  function findClass(code: number, number: number): number {
    let left = number
    for (let slot = 0; slot < FUNCTIONS_OF_A_BUS; slot += FUNCTIONS_OF_A_SLOT) {
      if (read16(slot, pcie.VENDOR_ID.at) === NOBODY) continue
      const several = fieldOf(pcie.HEADER_TYPE.fields.MULTI_FUNCTION, read8(slot, pcie.HEADER_TYPE.at)) === 1
      for (let index = 0; index < (several ? FUNCTIONS_OF_A_SLOT : 1); index++) {
        if (read16(slot + index, pcie.VENDOR_ID.at) === NOBODY) continue
        if (read32(slot + index, pcie.REVISION_ID.at) >>> 8 !== code) continue
        if (left === 0) return slot + index
        left--
      }
    }
    return -1
  }

  function capability(identity: number, id: number): number {
    let at = read8(identity, pcie.CAPABILITIES_POINTER.at)
    for (let left = CAPABILITIES; at !== 0 && left > 0; left--) {
      if (read8(identity, at) === id) return at
      at = read8(identity, at + 1)
    }
    return 0
  }

  function barAt(bar: number): number {
    return pcie.BAR.at + bar * pcie.BAR.stride
  }

  function barBytes(identity: number, bar: number): number {
    write32(identity, barAt(bar), ALL_ONES)
    const kept = (read32(identity, barAt(bar)) & ~NOT_ADDRESS) >>> 0
    return kept === 0 ? 0 : 2 ** 32 - kept
  }

  function isWide(identity: number, bar: number): boolean {
    return fieldOf(pcie.BAR.fields.TYPE, read32(identity, barAt(bar))) === BAR_64_BIT
  }

  function setBar(identity: number, bar: number, address: number): void {
    write32(identity, barAt(bar), address % 2 ** 32)
    if (isWide(identity, bar)) write32(identity, barAt(bar + 1), Math.floor(address / 2 ** 32))
  }

  function reset(identity: number): void {
    const express = capability(identity, CAPABILITY.PCI_EXPRESS)
    if (express !== 0) write16(identity, express + pcieCapability.DEVICE_CONTROL.at, RESET)
  }

  return { read8, read16, read32, write16, write32, findClass, capability, barBytes, isWide, setBar, reset }
}
