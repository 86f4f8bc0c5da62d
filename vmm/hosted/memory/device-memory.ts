/**
 * Memory that a device is about to reach: mapped for it before, unmapped afterwards. Without an IOMMU a device reaches what
 * it is told; so nothing is mapped but what may be: not the kernel's own image and tables, not what is no RAM.
 */
import type { HartPort } from '../../../hw/port.ts'
import { DEVICE_MEMORY, TABLES } from '../layout.ts'

/** By device: bytes mapped, and bytes unmapped again, so far. */
const DEVICE_BYTES = 16
export const DISK_DEVICE = 0
export const NETWORK_DEVICE = 1
export const DEVICES = 2
export const NOT_MAPPED = -1

function deviceAt(device: number): number {
  return TABLES.deviceMemory + device * DEVICE_BYTES
}

export class DeviceMemory {
  readonly #end: number

  /** RAM ends at `end`. */
  constructor(end: number) {
    this.#end = end
  }

  create(port: HartPort): void {
    port.fill(TABLES.deviceMemory, 0, DEVICES * DEVICE_BYTES)
  }

  /** The address by which a device reaches these bytes, or NOT_MAPPED: it must not. */
  map(port: HartPort, device: number, address: number, bytes: number): number {
    if (address < DEVICE_MEMORY || address + bytes > this.#end) return NOT_MAPPED
    const at = deviceAt(device)
    port.store64(at, port.load64(at) + bytes)
    // What has been written is there before the device is told.
    port.fence()
    return address
  }

  /** The device is done with them. */
  unmap(port: HartPort, device: number, bytes: number): void {
    const at = deviceAt(device) + 8
    port.store64(at, port.load64(at) + bytes)
    port.fence()
  }

  /** Bytes that a device has now. */
  mapped(port: HartPort, device: number): number {
    const at = deviceAt(device)
    return port.load64(at) - port.load64(at + 8)
  }
}
