/** Where the port has what a virtual function sees as its own: bits of EICR, rows of IVAR, registers. 82576 7.10, 8.26. */
import { NIC_CAUSES, NIC_POOLS, nic } from '../../spec/devices/nic.ts'
import { NIC_FUNCTION_VECTORS, nicFunction as F } from '../../spec/devices/nic-function.ts'

/** Of an entry of VTIVAR, and of IVAR. */
const VALID = 0x80

/** The lowest bit of EICR that is a virtual function's. */
export function lowest(index: number): number {
  return NIC_CAUSES - NIC_FUNCTION_VECTORS * (index + 1)
}

/** The bit of EICR that is one of a virtual function's vectors; 0 if it has no such vector. */
export function vectorBit(index: number, vector: number): number {
  return vector < NIC_FUNCTION_VECTORS ? 1 << (lowest(index) + vector) : 0
}

/** The port's IVAR row for VTIVAR: both have a byte each for the receive and transmit side of two queues. */
export function ivarRow(index: number, value: number): number {
  let row = 0
  for (let byte = 0; byte < 4; byte++) {
    const entry = (value >>> (byte * 8)) & 0xff
    if (entry & VALID && (entry & 3) < NIC_FUNCTION_VECTORS)
      row |= (VALID | (lowest(index) + (entry & 3))) << (byte * 8)
  }
  return row >>> 0
}

/** Where the port has a register that it shows to a virtual function under another offset. */
export function physicalPlace(index: number, at: number): number | undefined {
  const inside = (register: { readonly at: number }, bytes: number) => at >= register.at && at < register.at + bytes
  if (inside(F.VMBMEM, F.VMBMEM.count * 4)) return nic.VMBMEM.at + index * F.VMBMEM.count * 4 + (at - F.VMBMEM.at)
  if (inside(F.VTEITR, F.VTEITR.count * 4)) return nic.EITR.at + lowest(index) * 4 + (at - F.VTEITR.at)
  if (at === F.PSRTYPE.at) return nic.PSRTYPE.at + index * 4
  for (const [theirs, ours] of [
    [F.RDBAL, nic.RDBAL],
    [F.TDBAL, nic.TDBAL],
  ] as const) {
    if (!inside(theirs, theirs.count * theirs.stride)) continue
    const offset = at - theirs.at
    const queue = index + Math.floor(offset / theirs.stride) * NIC_POOLS
    return offset % theirs.stride < ours.stride ? ours.at + queue * ours.stride + (offset % theirs.stride) : undefined
  }
  return undefined
}
