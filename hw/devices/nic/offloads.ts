/** What the transmitter does to a packet before it becomes frames: checksums, segmentation, VLAN tags. 82576 7.2.4. */
import { L4T } from '../../spec/layouts/nic-descriptors.ts'
import { add16, crc32c, fold16, get16, put16 } from './checksum.ts'
import { ETHERTYPE } from './frame.ts'

/** The parts of a context and a data descriptor that say what to do. */
export interface Offload {
  readonly macLength: number
  readonly ipLength: number
  readonly l4Length: number
  readonly ipv4: boolean
  readonly l4: number
  readonly insertIpSum: boolean
  readonly insertL4Sum: boolean
}

const FIN_PUSH = 0x09
/** Segments below this are nonsense, and nothing is sent. */
const SHORTEST_SEGMENT = 16
const CWR = 0x80

/** Fills in the checksums that were asked for; the L4 field holds the pseudo header's sum when it comes. */
export function insertChecksums(frame: Uint8Array, offload: Offload): void {
  const transport = offload.macLength + offload.ipLength
  if (offload.insertL4Sum) insertL4(frame, transport, offload.l4, 0)
  if (offload.insertIpSum && offload.ipv4) insertIp(frame, offload.macLength, transport)
}

function insertIp(frame: Uint8Array, network: number, transport: number): void {
  if (transport > frame.length || transport < network + 12) return
  put16(frame, network + 10, 0)
  put16(frame, network + 10, ~fold16(add16(frame, network, transport)) & 0xffff)
}

function insertL4(frame: Uint8Array, transport: number, l4: number, add: number): void {
  const at = transport + (l4 === L4T.TCP ? 16 : l4 === L4T.UDP ? 6 : 8)
  if (at + 2 > frame.length) return
  if (l4 === L4T.SCTP) {
    frame.fill(0, at, at + 4)
    new DataView(frame.buffer, frame.byteOffset).setUint32(at, crc32c(frame, transport), true)
    return
  }
  const sum = ~fold16(add16(frame, transport, frame.length, add)) & 0xffff
  put16(frame, at, l4 === L4T.UDP && sum === 0 ? 0xffff : sum)
}

/**
 * Cuts a packet into segments of at most `mss` bytes of payload, each with its own headers (7.2.4.6): lengths, IP
 * identification, TCP sequence number and flags are advanced, checksums follow. The pseudo header's sum in the packet
 * lacks the length, which differs by segment.
 */
export function segment(packet: Uint8Array, offload: Offload, mss: number): Uint8Array[] {
  const transport = offload.macLength + offload.ipLength
  const headers = transport + offload.l4Length
  const payload = packet.length - headers
  if (mss < SHORTEST_SEGMENT || payload <= 0) return []
  const count = Math.ceil(payload / mss)
  return Array.from({ length: count }, (_, index) => {
    const from = headers + index * mss
    const data = packet.subarray(from, Math.min(from + mss, packet.length))
    const frame = new Uint8Array(headers + data.length)
    frame.set(packet.subarray(0, headers))
    frame.set(data, headers)
    if (offload.ipv4) {
      put16(frame, offload.macLength + 2, frame.length - offload.macLength)
      put16(frame, offload.macLength + 4, (get16(frame, offload.macLength + 4) + index) & 0xffff)
      insertIp(frame, offload.macLength, transport)
    } else {
      put16(frame, offload.macLength + 4, frame.length - transport)
    }
    if (offload.l4 === L4T.UDP) put16(frame, transport + 4, frame.length - transport)
    else {
      const view = new DataView(frame.buffer)
      view.setUint32(transport + 4, view.getUint32(transport + 4) + index * mss)
      if (index < count - 1) frame[transport + 13] &= ~FIN_PUSH
      if (index > 0) frame[transport + 13] &= ~CWR
    }
    insertL4(frame, transport, offload.l4, frame.length - transport)
    return frame
  })
}

/** The frame with a VLAN tag behind its addresses. */
export function tagged(frame: Uint8Array, tag: number): Uint8Array {
  const longer = new Uint8Array(frame.length + 4)
  longer.set(frame.subarray(0, 12))
  put16(longer, 12, ETHERTYPE.VLAN)
  put16(longer, 14, tag)
  longer.set(frame.subarray(12), 16)
  return longer
}
