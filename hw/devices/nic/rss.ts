/** Receive side scaling: a hash over addresses and ports chooses the queue. 82576 7.1.1.7. */
import { nic } from '../../spec/devices/nic.ts'
import { PACKET_TYPE } from '../../spec/layouts/nic-descriptors.ts'
import type { Frame } from './frame.ts'
import type { RegisterFile } from './register-file.ts'

/** MRQC's bits that enable a hash, in the order of preference, and the RSS_TYPE reported for each. */
const HASHES = [
  { type: PACKET_TYPE.IPV4 | PACKET_TYPE.TCP, enable: 16, reported: 1, ports: true },
  { type: PACKET_TYPE.IPV4 | PACKET_TYPE.UDP, enable: 22, reported: 7, ports: true },
  { type: PACKET_TYPE.IPV4, enable: 17, reported: 2, ports: false },
  { type: PACKET_TYPE.IPV6 | PACKET_TYPE.TCP, enable: 21, reported: 5, ports: true },
  { type: PACKET_TYPE.IPV6 | PACKET_TYPE.TCP, enable: 18, reported: 3, ports: true },
  { type: PACKET_TYPE.IPV6 | PACKET_TYPE.UDP, enable: 23, reported: 8, ports: true },
  { type: PACKET_TYPE.IPV6, enable: 20, reported: 6, ports: false },
] as const
/** MRQC.ENABLE: RSS over all queues, or over the two of a pool. */
const RSS_BY_QUEUE = 2
const RSS_BY_POOL = 5

export interface Scaled {
  readonly queue: number
  readonly hash: number
  /** RSS_TYPE of the descriptor; 0 without a hash. */
  readonly type: number
}

export function scale(registers: RegisterFile, frame: Uint8Array, parsed: Frame): Scaled {
  const mrqc = registers.get(nic.MRQC)
  const mode = registers.field(nic.MRQC, nic.MRQC.fields.ENABLE)
  if (mode !== RSS_BY_QUEUE && mode !== RSS_BY_POOL) return { queue: 0, hash: 0, type: 0 }
  const how = HASHES.find(({ type, enable }) => (parsed.type & type) === type && (mrqc >>> enable) & 1)
  if (!how) return { queue: 0, hash: 0, type: 0 }
  const v4 = (how.type & PACKET_TYPE.IPV4) !== 0
  const addresses = frame.subarray(parsed.network + (v4 ? 12 : 8), parsed.network + (v4 ? 20 : 40))
  const ports = how.ports ? frame.subarray(parsed.transport, parsed.transport + 4) : new Uint8Array(0)
  const hash = toeplitz(registers, addresses, ports)
  const entry = hash & 0x7f
  return { queue: (registers.get(nic.RETA, entry >>> 2) >>> ((entry & 3) * 8)) & 0xf, hash, type: how.reported }
}

function toeplitz(registers: RegisterFile, ...inputs: readonly Uint8Array[]): number {
  // the key's bytes stand low byte first in RSSRK
  const key = (byte: number) => (registers.get(nic.RSSRK, byte >>> 2) >>> ((byte & 3) * 8)) & 0xff
  let window = ((key(0) << 24) | (key(1) << 16) | (key(2) << 8) | key(3)) >>> 0
  let next = 4
  let hash = 0
  for (const input of inputs) {
    for (const byte of input) {
      const following = key(next++)
      for (let bit = 7; bit >= 0; bit--) {
        if ((byte >>> bit) & 1) hash ^= window
        window = ((window << 1) | ((following >>> bit) & 1)) >>> 0
      }
    }
  }
  return hash >>> 0
}
