/** The driver of a PCI Express root bus: finds functions, gives their first memory window an address, switches them on. */
import type { Environment } from './environment.ts'
import { pcie, swizzle } from '../hw/spec/devices/pcie.ts'
import { registers } from '../hw/spec/registers.ts'

const SLOTS = 32
const SLOT_BYTES = 0x8000
const NOBODY = 0xffff
const BAR_64_BIT = 2
const MEMORY_SPACE = 1 << 1
const BUS_MASTER = 1 << 2

/** Function 0 of each slot's configuration space, by slot. */
const slots = registers({
  vendor: { ...pcie.VENDOR_ID, fields: {}, count: SLOTS, stride: SLOT_BYTES },
  device: { ...pcie.DEVICE_ID, fields: {}, count: SLOTS, stride: SLOT_BYTES },
  command: { ...pcie.COMMAND, fields: {}, count: SLOTS, stride: SLOT_BYTES },
  interface: { ...pcie.PROGRAMMING_INTERFACE, fields: {}, count: SLOTS, stride: SLOT_BYTES },
  subclass: { ...pcie.SUBCLASS, fields: {}, count: SLOTS, stride: SLOT_BYTES },
  class: { ...pcie.BASE_CLASS, fields: {}, count: SLOTS, stride: SLOT_BYTES },
  pin: { ...pcie.INTERRUPT_PIN, fields: {}, count: SLOTS, stride: SLOT_BYTES },
  bar0: { ...pcie.BAR, fields: {}, count: SLOTS, stride: SLOT_BYTES },
  bar1: { ...pcie.BAR, fields: {}, at: pcie.BAR.at + pcie.BAR.stride, count: SLOTS, stride: SLOT_BYTES },
})

export interface PcieBus {
  /** The slot of the first device of a class (base class, subclass, interface), or -1. */
  findClass(code: number): number
  /** The slot of the first device with this identity, or -1. */
  find(vendor: number, device: number): number
  /** Puts the function's first memory window at an address and lets it master the bus. */
  enable(slot: number, address: number): void
  /** Takes bus and memory away from it. */
  disable(slot: number): void
  /** Which of the root bus's four interrupt wires the function raises. */
  wire(slot: number): number
}

/** `env.device` is the ECAM window. */
export function pcieBus(env: Environment): PcieBus {
  const { device } = env

  function findClass(code: number): number {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (device.read(slots.vendor, slot) === NOBODY) continue
      const found =
        device.read(slots.class, slot) * 65536 +
        device.read(slots.subclass, slot) * 256 +
        device.read(slots.interface, slot)
      if (found === code) return slot
    }
    return -1
  }

  function find(vendor: number, identity: number): number {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (device.read(slots.vendor, slot) === vendor && device.read(slots.device, slot) === identity) return slot
    }
    return -1
  }

  function enable(slot: number, address: number): void {
    const wide = ((device.read(slots.bar0, slot) >>> 1) & 3) === BAR_64_BIT
    device.write(slots.bar0, address >>> 0, slot)
    if (wide) device.write(slots.bar1, Math.floor(address / 4294967296), slot)
    device.write(slots.command, MEMORY_SPACE | BUS_MASTER, slot)
  }

  function disable(slot: number): void {
    device.write(slots.command, 0, slot)
  }

  function wire(slot: number): number {
    return swizzle(slot, device.read(slots.pin, slot))
  }

  return { findClass, find, enable, disable, wire }
}
