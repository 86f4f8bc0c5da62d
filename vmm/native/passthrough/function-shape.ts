/** What a function is made of, found on the machine and shown to the guest: its memory, its identity, its MSI-X table. */
import type { PcieConfiguration } from '../../../drivers/pcie-configuration.ts'
import { NIC_VENDOR } from '../../../hw/spec/devices/nic.ts'
import { NIC_FUNCTION_DEVICE } from '../../../hw/spec/devices/nic-function.ts'
import { CAPABILITY, MSIX_ENTRY_BYTES, msixCapability, pcie } from '../../../hw/spec/devices/pcie.ts'
import { fieldOf } from '../../../hw/spec/registers.ts'
import { VIRTUAL_BARS, type VirtualPcieFunction } from '../../virtual/pcie-function.ts'
import type { BarMap } from './bar-map.ts'
import type { FunctionHost } from './function-host.ts'

const PAGE = 4096
const NOT_BIR = ~7
const FUNCTION_IDENTITY = (NIC_FUNCTION_DEVICE * 0x1_0000 + NIC_VENDOR) >>> 0

/** Gives all BARs places from `window` on, no two in one page. */
export function takeBars(
  configuration: PcieConfiguration,
  identity: number,
  window: number,
  bars: BarMap,
  shown: VirtualPcieFunction,
): void {
  let next = window
  for (let bar = 0; bar < VIRTUAL_BARS; bar++) {
    const bytes = configuration.barBytes(identity, bar)
    if (bytes === 0) continue
    const wide = configuration.isWide(identity, bar)
    const alignment = Math.max(bytes, PAGE)
    next = Math.ceil(next / alignment) * alignment
    configuration.setBar(identity, bar, next)
    bars.bases[bar] = next
    shown.setBar(bar, bytes, wide)
    next += alignment
    if (wide) bar++
  }
}

/** A virtual function's BARs have their places with those of all others. */
export function takeWindow(
  functions: FunctionHost,
  number: number,
  bar: 0 | 3,
  bars: BarMap,
  shown: VirtualPcieFunction,
): void {
  bars.bases[bar] = functions.windowOf(bar, number)
  shown.setBar(bar, functions.windowBytes(), true)
}

/** A virtual function's own identity says nothing: its physical function's does (PCIe 9.3.4.1.1). */
export function describe(
  configuration: PcieConfiguration,
  identity: number,
  isVirtual: boolean,
  hasPin: boolean,
  shown: VirtualPcieFunction,
): void {
  shown.describe(
    isVirtual ? FUNCTION_IDENTITY : configuration.read32(identity, pcie.VENDOR_ID.at),
    configuration.read32(identity, pcie.REVISION_ID.at),
    configuration.read32(identity, pcie.SUBSYSTEM_VENDOR_ID.at),
    hasPin ? 1 : 0,
  )
}

/** Where MSI-X is: its capability (0: there is none), and its table. */
export interface TableRecord {
  messages: number
  tableBar: number
  table: number
  tableBytes: number
}

/** Finds it. Of its capabilities a guest is shown MSI-X, and that only if messages can reach it: else `shown` is undefined. */
export function takeTable(
  configuration: PcieConfiguration,
  identity: number,
  record: TableRecord,
  shown: VirtualPcieFunction | undefined,
): void {
  const capability = configuration.capability(identity, CAPABILITY.MSIX)
  record.messages = capability
  if (capability === 0) return
  const control = configuration.read16(identity, capability + msixCapability.MESSAGE_CONTROL.at)
  const table = configuration.read32(identity, capability + msixCapability.TABLE.at)
  const vectors = fieldOf(msixCapability.MESSAGE_CONTROL.fields.TABLE_SIZE, control) + 1
  record.tableBar = fieldOf(msixCapability.TABLE.fields.BIR, table)
  record.table = (table & NOT_BIR) >>> 0
  record.tableBytes = vectors * MSIX_ENTRY_BYTES
  if (shown) shown.setMessages(vectors, table, configuration.read32(identity, capability + msixCapability.PBA.at))
}
