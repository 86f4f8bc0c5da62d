/** Frames as guests write and read them: Ethernet, ARP (RFC 826), IPv4 (RFC 791) and UDP (RFC 768), in the guest's RAM. */
import type { HartPort } from '../../hw/port.ts'

export const MAC_BYTES = 6
export const ARP_BYTES = 60
/** Where a UDP datagram's payload begins in its frame. */
export const PAYLOAD = 42

const STATION = 0x0a00_0001
const OURSELVES = 0x0a00_0002
const OUR_PORT = 4000
const BROADCAST = 0xff

// Offsets in a frame.
const SOURCE = 6
const TYPE = 12
const TYPE_ARP = 0x0806
const TYPE_IPV4 = 0x0800
const ARP = 14
const ARP_OPERATION = 20
const ARP_SENDER = 22
const ARP_SENDER_IP = 28
const ARP_TARGET_IP = 38
const ARP_REQUEST = 1
const ARP_REPLY = 2
const IP = 14
const IP_SUM = 24
const IP_FROM = 26
const IP_TO = 30
const UDP = 34

/** Asks who the station is. */
export function putArpRequest(port: HartPort, frame: number, mac: Int32Array): void {
  for (let index = 0; index < MAC_BYTES; index++) {
    port.store8(frame + index, BROADCAST)
    port.store8(frame + SOURCE + index, mac[index])
    port.store8(frame + ARP_SENDER + index, mac[index])
  }
  put16(port, frame + TYPE, TYPE_ARP)
  put32(port, frame + ARP, 0x0001_0800)
  put16(port, frame + ARP + 4, 0x0604)
  put16(port, frame + ARP_OPERATION, ARP_REQUEST)
  put32(port, frame + ARP_SENDER_IP, OURSELVES)
  put32(port, frame + ARP_TARGET_IP, STATION)
}

/** If the frame says who the station is, notes it. */
export function readArpReply(port: HartPort, frame: number, station: Int32Array): boolean {
  if (get16(port, frame + TYPE) !== TYPE_ARP || get16(port, frame + ARP_OPERATION) !== ARP_REPLY) return false
  for (let index = 0; index < MAC_BYTES; index++) station[index] = port.load8(frame + ARP_SENDER + index)
  return true
}

/** The headers of a datagram of so many bytes, frame included, to a port of the station. No UDP checksum: IPv4 allows that. */
export function putUdp(
  port: HartPort,
  frame: number,
  mac: Int32Array,
  station: Int32Array,
  bytes: number,
  toPort: number,
): void {
  for (let index = 0; index < MAC_BYTES; index++) {
    port.store8(frame + index, station[index])
    port.store8(frame + SOURCE + index, mac[index])
  }
  put16(port, frame + TYPE, TYPE_IPV4)
  put32(port, frame + IP, 0x4500_0000 + bytes - IP)
  put32(port, frame + IP + 4, 0)
  put32(port, frame + IP + 8, 0x4011_0000)
  put32(port, frame + IP_FROM, OURSELVES)
  put32(port, frame + IP_TO, STATION)
  let sum = 0
  for (let at = IP; at < UDP; at += 2) if (at !== IP_SUM) sum += get16(port, frame + at)
  sum = (sum & 0xffff) + (sum >>> 16)
  put16(port, frame + IP_SUM, ~sum & 0xffff)
  put16(port, frame + UDP, OUR_PORT)
  put16(port, frame + UDP + 2, toPort)
  put32(port, frame + UDP + 4, (bytes - UDP) * 65536)
}

export function isIpv4(port: HartPort, frame: number): boolean {
  return get16(port, frame + TYPE) === TYPE_IPV4
}

/** The UDP port that a datagram comes from. */
export function sourcePort(port: HartPort, frame: number): number {
  return get16(port, frame + UDP)
}

function get16(port: HartPort, at: number): number {
  return port.load8(at) * 256 + port.load8(at + 1)
}

function put16(port: HartPort, at: number, value: number): void {
  port.store8(at, value >>> 8)
  port.store8(at + 1, value & 0xff)
}

/** A word in network order, at any address. */
export function get32(port: HartPort, at: number): number {
  return get16(port, at) * 65536 + get16(port, at + 2)
}

export function put32(port: HartPort, at: number, value: number): void {
  put16(port, at, value >>> 16)
  put16(port, at + 2, value & 0xffff)
}
