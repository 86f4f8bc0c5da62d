/**
 * PCI Express: the configuration space of a type 0 function, the capabilities that our functions have (offsets from
 * the capability's start), and where the ECAM puts it all.
 */
import { registers } from '../registers.ts'

/** Byte offset of a function's configuration space in the ECAM window: PCIe 7.2.2. */
export function ecamOffset(bus: number, slot: number, functionNumber: number, register = 0): number {
  return bus * 0x10_0000 + slot * 0x8000 + functionNumber * 0x1000 + register
}

/** The 16-bit identity with which a function signs its requests: PCIe 2.2.6.2. */
export function requesterId(bus: number, slot: number, functionNumber: number): number {
  return bus * 256 + slot * 8 + functionNumber
}

/**
 * Which of the four interrupt wires a function's pin (1 = INTA) reaches on a root bus, the slots being rotated: the
 * map of QEMU's virt machine, whose device tree says the same.
 */
export function swizzle(slot: number, pin: number): number {
  return (slot + pin - 1) % 4
}

export const pcie = registers({
  VENDOR_ID: { at: 0x00, width: 16, access: 'ro', spec: 'PCIe 7.5.1.1.1' },
  DEVICE_ID: { at: 0x02, width: 16, access: 'ro', spec: 'PCIe 7.5.1.1.2' },
  COMMAND: {
    at: 0x04,
    width: 16,
    access: 'rw',
    spec: 'PCIe 7.5.1.1.3',
    fields: { IO_SPACE: 0, MEMORY_SPACE: 1, BUS_MASTER: 2, PARITY: 6, SERR: 8, INTERRUPT_DISABLE: 10 },
  },
  STATUS: {
    at: 0x06,
    width: 16,
    access: 'rw1c',
    spec: 'PCIe 7.5.1.1.4',
    fields: { INTERRUPT_STATUS: 3, CAPABILITIES_LIST: 4, MASTER_DATA_PARITY: 8, RECEIVED_MASTER_ABORT: 13 },
  },
  REVISION_ID: { at: 0x08, width: 8, access: 'ro', spec: 'PCIe 7.5.1.1.5' },
  PROGRAMMING_INTERFACE: { at: 0x09, width: 8, access: 'ro', spec: 'PCIe 7.5.1.1.6' },
  SUBCLASS: { at: 0x0a, width: 8, access: 'ro', spec: 'PCIe 7.5.1.1.6' },
  BASE_CLASS: { at: 0x0b, width: 8, access: 'ro', spec: 'PCIe 7.5.1.1.6' },
  CACHE_LINE_SIZE: { at: 0x0c, width: 8, access: 'rw', spec: 'PCIe 7.5.1.1.7' },
  HEADER_TYPE: {
    at: 0x0e,
    width: 8,
    access: 'ro',
    spec: 'PCIe 7.5.1.1.9',
    fields: { LAYOUT: [6, 0], MULTI_FUNCTION: 7 },
  },
  BAR: {
    at: 0x10,
    width: 32,
    access: 'rw',
    count: 6,
    stride: 4,
    spec: 'PCIe 7.5.1.2.1',
    fields: { IO: 0, TYPE: [2, 1], PREFETCHABLE: 3, ADDRESS: [31, 4] },
  },
  SUBSYSTEM_VENDOR_ID: { at: 0x2c, width: 16, access: 'ro', spec: 'PCIe 7.5.1.2.3' },
  SUBSYSTEM_ID: { at: 0x2e, width: 16, access: 'ro', spec: 'PCIe 7.5.1.2.3' },
  EXPANSION_ROM: { at: 0x30, width: 32, access: 'ro', spec: 'PCIe 7.5.1.2.4' },
  CAPABILITIES_POINTER: { at: 0x34, width: 8, access: 'ro', spec: 'PCIe 7.5.1.1.11' },
  INTERRUPT_LINE: { at: 0x3c, width: 8, access: 'rw', spec: 'PCIe 7.5.1.1.12' },
  INTERRUPT_PIN: { at: 0x3d, width: 8, access: 'ro', spec: 'PCIe 7.5.1.1.13' },
})

/** Capability identifiers: the first byte of a capability; the second points to the next. */
export const CAPABILITY = { POWER_MANAGEMENT: 0x01, PCI_EXPRESS: 0x10, MSIX: 0x11 } as const

export const powerManagement = registers({
  PMC: { at: 2, width: 16, access: 'ro', reset: 0x0003, spec: 'PCIe 7.5.2.1' },
  PMCSR: {
    at: 4,
    width: 16,
    access: 'rw',
    reset: 0x0008,
    spec: 'PCIe 7.5.2.2',
    fields: { POWER_STATE: [1, 0], NO_SOFT_RESET: 3 },
  },
})

export const msixCapability = registers({
  MESSAGE_CONTROL: {
    at: 2,
    width: 16,
    access: 'rw',
    spec: 'PCIe 7.7.2.2',
    fields: { TABLE_SIZE: [10, 0], FUNCTION_MASK: 14, ENABLE: 15 },
  },
  TABLE: { at: 4, width: 32, access: 'ro', spec: 'PCIe 7.7.2.3', fields: { BIR: [2, 0], OFFSET: [31, 3] } },
  PBA: { at: 8, width: 32, access: 'ro', spec: 'PCIe 7.7.2.4', fields: { BIR: [2, 0], OFFSET: [31, 3] } },
})

/** One entry of the MSI-X table, as registers in its BAR. */
export const msixEntry = registers({
  ADDRESS: { at: 0, width: 32, access: 'rw', spec: 'PCIe 7.7.2.5' },
  ADDRESS_HIGH: { at: 4, width: 32, access: 'rw', spec: 'PCIe 7.7.2.6' },
  DATA: { at: 8, width: 32, access: 'rw', spec: 'PCIe 7.7.2.7' },
  VECTOR_CONTROL: { at: 12, width: 32, access: 'rw', reset: 1, spec: 'PCIe 7.7.2.8', fields: { MASK: 0 } },
})
export const MSIX_ENTRY_BYTES = 16

/** The PCI Express capability. Our functions sit on the root bus: type 9, root complex integrated endpoint. */
export const pcieCapability = registers({
  CAPABILITIES: {
    at: 2,
    width: 16,
    access: 'ro',
    reset: 0x0092,
    spec: 'PCIe 7.5.3.2',
    fields: { VERSION: [3, 0], TYPE: [7, 4] },
  },
  DEVICE_CAPABILITIES: {
    at: 4,
    width: 32,
    access: 'ro',
    reset: 0x1000_8000,
    spec: 'PCIe 7.5.3.3',
    fields: { MAX_PAYLOAD: [2, 0], ROLE_BASED_ERRORS: 15, FUNCTION_LEVEL_RESET: 28 },
  },
  DEVICE_CONTROL: {
    at: 8,
    width: 16,
    access: 'rw',
    reset: 0x2810,
    spec: 'PCIe 7.5.3.4',
    fields: { MAX_PAYLOAD: [7, 5], MAX_READ_REQUEST: [14, 12], INITIATE_FLR: 15 },
  },
  DEVICE_STATUS: { at: 10, width: 16, access: 'rw1c', spec: 'PCIe 7.5.3.5' },
  DEVICE_CAPABILITIES_2: {
    at: 0x24,
    width: 32,
    access: 'ro',
    reset: 0x10,
    spec: 'PCIe 7.5.3.15',
    fields: { TIMEOUT_DISABLE: 4 },
  },
  DEVICE_CONTROL_2: {
    at: 0x28,
    width: 16,
    access: 'rw',
    spec: 'PCIe 7.5.3.16',
    fields: { TIMEOUT: [3, 0], TIMEOUT_DISABLE: 4 },
  },
})
export const PCIE_CAPABILITY_BYTES = 0x3c

/** Extended capability identifiers: the low half of a capability's first word; its top twelve bits point to the next. */
export const EXTENDED_CAPABILITY = { ARI: 0x000e, SRIOV: 0x0010 } as const
/** Where the first extended capability stands. */
export const EXTENDED_AT = 0x100

/** Alternative routing-ID interpretation: which function of the device comes next. */
export const ari = registers({
  CAPABILITY: { at: 4, width: 16, access: 'ro', spec: 'PCIe 7.8.7.2', fields: { MFVC: 0, ACS: 1, NEXT: [15, 8] } },
  CONTROL: { at: 6, width: 16, access: 'ro', spec: 'PCIe 7.8.7.3' },
})

/** Single-root I/O virtualization, in the physical function. Virtual function n signs with the physical one's number plus OFFSET plus n times STRIDE. */
export const sriov = registers({
  CAPABILITIES: {
    at: 0x04,
    width: 32,
    access: 'ro',
    reset: 0x2,
    spec: 'PCIe 9.3.3.2',
    fields: { MIGRATION: 0, ARI_PRESERVED: 1 },
  },
  CONTROL: {
    at: 0x08,
    width: 16,
    access: 'rw',
    spec: 'PCIe 9.3.3.3',
    fields: { ENABLE: 0, MEMORY_SPACE: 3, ARI: 4 },
  },
  STATUS: { at: 0x0a, width: 16, access: 'ro', spec: 'PCIe 9.3.3.4' },
  INITIAL: { at: 0x0c, width: 16, access: 'ro', spec: 'PCIe 9.3.3.5' },
  TOTAL: { at: 0x0e, width: 16, access: 'ro', spec: 'PCIe 9.3.3.6' },
  NUMBER: { at: 0x10, width: 16, access: 'rw', spec: 'PCIe 9.3.3.7' },
  DEPENDENCY: { at: 0x12, width: 8, access: 'ro', spec: 'PCIe 9.3.3.8' },
  OFFSET: { at: 0x14, width: 16, access: 'ro', spec: 'PCIe 9.3.3.9' },
  STRIDE: { at: 0x16, width: 16, access: 'ro', spec: 'PCIe 9.3.3.10' },
  DEVICE_ID: { at: 0x1a, width: 16, access: 'ro', spec: 'PCIe 9.3.3.11' },
  /** A bit each for pages of 4 KiB and up, in powers of two. */
  PAGE_SIZES: { at: 0x1c, width: 32, access: 'ro', reset: 0x553, spec: 'PCIe 9.3.3.12' },
  PAGE_SIZE: { at: 0x20, width: 32, access: 'rw', reset: 0x1, spec: 'PCIe 9.3.3.13' },
  BAR: { at: 0x24, width: 32, access: 'rw', count: 6, stride: 4, spec: 'PCIe 9.3.3.14' },
  MIGRATION: { at: 0x3c, width: 32, access: 'ro', spec: 'PCIe 9.3.3.15' },
})

/** QEMU's generic host bridge, at 00:00.0. */
export const HOST_BRIDGE = {
  vendor: 0x1b36,
  device: 0x0008,
  class: 0x06_0000,
  subsystemVendor: 0x1af4,
  subsystem: 0x1100,
} as const
