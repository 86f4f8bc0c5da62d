/** What the receiver sees in a frame: layers, lengths, and whether their checksums hold. */
import { PACKET_TYPE } from '../../spec/layouts/nic-descriptors.ts'
import { add16, fold16, get16 } from './checksum.ts'

export const ETHERTYPE = { IPV4: 0x0800, ARP: 0x0806, VLAN: 0x8100, IPV6: 0x86dd } as const
export const PROTOCOL = { ICMP: 1, TCP: 6, UDP: 17 } as const
const ETHERNET_HEADER = 14
const VLAN_TAG = 4
const IPV6_HEADER = 40

export interface Frame {
  /** Bits of {@link PACKET_TYPE}. */
  readonly type: number
  /** Offset of the IP header, and of what it carries; 0 if there is none. */
  readonly network: number
  readonly transport: number
  /** The end of the IP packet: what follows is padding. */
  readonly end: number
  readonly protocol: number
  readonly fragment: boolean
  /** Undefined where there is nothing to check. */
  readonly networkSumHolds: boolean | undefined
  readonly transportSumHolds: boolean | undefined
}

const plain: Frame = {
  type: 0,
  network: 0,
  transport: 0,
  end: 0,
  protocol: 0,
  fragment: false,
  networkSumHolds: undefined,
  transportSumHolds: undefined,
}

/** Parses a frame without its check sequence. */
export function parse(bytes: Uint8Array): Frame {
  if (bytes.length < ETHERNET_HEADER) return plain
  const tagged = get16(bytes, 12) === ETHERTYPE.VLAN
  const network = ETHERNET_HEADER + (tagged ? VLAN_TAG : 0)
  const ethertype = get16(bytes, network - 2)
  if (ethertype === ETHERTYPE.IPV4) return parseIpv4(bytes, network)
  if (ethertype === ETHERTYPE.IPV6) return parseIpv6(bytes, network)
  return plain
}

function parseIpv4(bytes: Uint8Array, network: number): Frame {
  const header = (bytes[network] & 15) * 4
  const transport = network + header
  const end = network + get16(bytes, network + 2)
  if (header < 20 || end > bytes.length || transport > end) return plain
  const fragment = (get16(bytes, network + 6) & 0x3fff) !== 0
  const protocol = bytes[network + 9]
  const pseudo = add16(bytes, network + 12, network + 20) + protocol + (end - transport)
  return {
    type: PACKET_TYPE.IPV4 | transportType(protocol, fragment),
    network,
    transport,
    end,
    protocol,
    fragment,
    networkSumHolds: fold16(add16(bytes, network, transport)) === 0xffff,
    transportSumHolds: fragment ? undefined : transportSum(bytes, transport, end, protocol, pseudo),
  }
}

function parseIpv6(bytes: Uint8Array, network: number): Frame {
  const transport = network + IPV6_HEADER
  const end = transport + get16(bytes, network + 4)
  if (end > bytes.length) return plain
  const protocol = bytes[network + 6]
  const pseudo = add16(bytes, network + 8, transport) + protocol + (end - transport)
  return {
    type: PACKET_TYPE.IPV6 | transportType(protocol, false),
    network,
    transport,
    end,
    protocol,
    fragment: false,
    networkSumHolds: undefined,
    transportSumHolds: transportSum(bytes, transport, end, protocol, pseudo),
  }
}

function transportType(protocol: number, fragment: boolean): number {
  if (fragment) return 0
  return protocol === PROTOCOL.TCP ? PACKET_TYPE.TCP : protocol === PROTOCOL.UDP ? PACKET_TYPE.UDP : 0
}

function transportSum(
  bytes: Uint8Array,
  from: number,
  end: number,
  protocol: number,
  pseudo: number,
): boolean | undefined {
  if (protocol !== PROTOCOL.TCP && protocol !== PROTOCOL.UDP) return undefined
  // a UDP sender may leave the sum out
  if (protocol === PROTOCOL.UDP && end >= from + 8 && get16(bytes, from + 6) === 0) return undefined
  return fold16(add16(bytes, from, end, pseudo)) === 0xffff
}
