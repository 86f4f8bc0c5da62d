/** The internet checksum over a frame in memory. */
import type { HartPort } from '../../../hw/port.ts'

export function checksum(port: HartPort, address: number, bytes: number, initial: number): number {
  let sum = initial
  let at = address
  const end = address + bytes - (bytes & 3)
  while (at < end) {
    sum += port.load32(at)
    at += 4
  }
  if ((bytes & 2) !== 0) {
    sum += port.load16(at)
    at += 2
  }
  if ((bytes & 1) !== 0) sum += port.load8(at)
  sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return ~sum & 0xffff
}
