/** What blocks of a workload's disk hold: each cache line begins with a stamp of block, version and place. */
import type { HartPort } from '../../hw/port.ts'

export const BLOCK_BYTES = 4096
/** In a block. */
export const SECTORS = 8
const LINE = 64

/** What stands at `at` in a block that has been written so often; a new disk holds zeros. */
export function stamp(block: number, version: number, at: number): number {
  return version === 0 ? 0 : Math.imul((block << 20) ^ (version << 12) ^ at, 0x9e37_79b1) >>> 0
}

/** Stamps the buffer of a block. */
export function storeStamps(port: HartPort, buffer: number, block: number, version: number): void {
  for (let at = 0; at < BLOCK_BYTES; at += LINE) port.store32(buffer + at, stamp(block, version, at))
}

/** False if a line of the buffer begins with something else. */
export function holdsStamps(port: HartPort, buffer: number, block: number, version: number): boolean {
  for (let at = 0; at < BLOCK_BYTES; at += LINE) {
    if (port.load32(buffer + at) !== stamp(block, version, at)) return false
  }
  return true
}

/** A disk's content before the machine is switched on. */
export function fillWithStamps(bytes: Uint8Array, version: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; at += LINE) {
    view.setUint32(at, stamp(Math.floor(at / BLOCK_BYTES), version, at % BLOCK_BYTES), true)
  }
}
