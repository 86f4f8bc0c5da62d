/**
 * The host's own end of the network: sockets that send UDP. Route, neighbour (asked for by ARP, RFC 826), headers of UDP
 * (RFC 768) and IPv4 (RFC 791) with their checksums, then the card.
 */
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'
import type { HostNetworkDevice } from './network-device.ts'
import { NO_PACKET, packet, packetAt, type Packets } from './packets.ts'

/** The host's address and its network: 10.0.0.254/24. Numbers as they are said: the first byte is the highest. */
const OURSELVES = 0x0a00_00fe
const NETWORK = 0x0a00_0000
const MASK = 0xffff_ff00
const FIRST_PORT = 32768
const TIME_TO_LIVE = 64
const PROTOCOL_UDP = 17

// Offsets in a frame.
const IP = 14
const UDP = 34
const PAYLOAD = 42
const ARP = 14
const ARP_BYTES = 42
const TYPE_ARP = 0x0806
const TYPE_IPV4 = 0x0800
const ARP_REQUEST = 1
const ARP_REPLY = 2

const NO_ROUTE = -101
/** The host's port of the bridge. */
const LOCAL_SENDER = 1

/** A route: its network and mask, and the neighbour to ask for, or 0: the destination itself. */
const route = layout(0x10, 'our own', {
  network: { at: 0x00, bytes: 4 },
  mask: { at: 0x04, bytes: 4 },
  via: { at: 0x08, bytes: 4 },
})
/** The network's own, and the way to all others; the longest mask first. */
const ROUTES = 2
/** Who leads to other networks. */
const GATEWAY = 0x0a00_0001
/** Policy: a neighbour is believed for 30 s, and asked for again while it is used on (time CSR). */
const BELIEVED = 300_000_000
/** A neighbour: its address, its station's as a frame holds it, whether that is known, and a packet that waits for it, plus one. */
const neighbour = layout(0x20, 'our own', {
  address: { at: 0x00, bytes: 4 },
  low: { at: 0x04, bytes: 4 },
  high: { at: 0x08, bytes: 4 },
  known: { at: 0x0c, bytes: 4 },
  waiting: { at: 0x10, bytes: 4 },
  confirmed: { at: 0x18, bytes: 8 },
})
const NEIGHBOURS = 16
const ROUTES_AT = TABLES.neighbours
const NEIGHBOURS_AT = ROUTES_AT + ROUTES * route.size

export class LocalStack {
  /** The card's address as a frame holds it; the next datagram's number; datagrams lost for want of a neighbour. */
  readonly record = { low: 0, high: 0, number: 1, lost: 0 }
  readonly state: Record<string, StateRecord> = { 'local stack': this.record }
  readonly #packets: Packets
  readonly #device: HostNetworkDevice

  constructor(packets: Packets, device: HostNetworkDevice) {
    this.#packets = packets
    this.#device = device
  }

  create(port: HartPort): void {
    port.fill(TABLES.neighbours, 0, ROUTES * route.size + NEIGHBOURS * neighbour.size)
    port.store32(ROUTES_AT + route.network.at, NETWORK)
    port.store32(ROUTES_AT + route.mask.at, MASK)
    port.store32(ROUTES_AT + route.size + route.via.at, GATEWAY)
  }

  /** A packet for a datagram; NO_PACKET if there is no memory. */
  take(port: HartPort): number {
    return this.#packets.take(port)
  }

  payloadOf(port: HartPort, number: number): number {
    return port.load64(packetAt(number) + packet.data.at) + PAYLOAD
  }

  /** A socket that nobody has, or -1. */
  findSocket(port: HartPort): number {
    return this.#packets.sockets.find(port)
  }

  openSocket(port: HartPort, socket: number, file: number): void {
    this.#packets.sockets.open(port, socket, file)
  }

  /** A thread's socket has this packet under way. False if it has too much: the thread waits. */
  own(port: HartPort, number: number, socket: number, thread: number): boolean {
    const at = packetAt(number)
    if (!this.#packets.sockets.charge(port, socket, port.load32(at + packet.truesize.at), thread)) return false
    port.store32(at + packet.socket.at, socket + 1)
    return true
  }

  free(port: HartPort, number: number): void {
    this.#packets.free(port, number)
  }

  /** Sends a datagram of a socket's, whose payload is in the packet already. An error if there is no route. */
  send(port: HartPort, number: number, bytes: number, address: number, toPort: number, socket: number): number {
    const via = this.#route(port, address)
    if (via === 0) {
      this.#packets.free(port, number)
      return NO_ROUTE
    }
    const at = packetAt(number)
    const data = port.load64(at + packet.data.at)
    port.store32(at + packet.port.at, LOCAL_SENDER)
    this.#writeUdp(port, data, bytes, address, toPort, FIRST_PORT + socket)
    this.#writeIp(port, data, bytes, address)
    port.store32(at + packet.length.at, PAYLOAD + bytes)
    this.#out(port, number, data, via)
    return bytes
  }

  /** The neighbour that leads to an address, or 0. */
  #route(port: HartPort, address: number): number {
    for (let index = 0; index < ROUTES; index++) {
      const at = ROUTES_AT + index * route.size
      if ((address & port.load32(at + route.mask.at)) >>> 0 !== port.load32(at + route.network.at)) continue
      const via = port.load32(at + route.via.at)
      return via === 0 ? address : via
    }
    return 0
  }

  #writeUdp(port: HartPort, data: number, bytes: number, address: number, toPort: number, fromPort: number): void {
    const length = bytes + PAYLOAD - UDP
    put16(port, data + UDP, fromPort)
    put16(port, data + UDP + 2, toPort)
    put16(port, data + UDP + 4, length)
    port.store16(data + UDP + 6, 0)
    const pseudo =
      (OURSELVES >>> 16) + (OURSELVES & 0xffff) + (address >>> 16) + (address & 0xffff) + PROTOCOL_UDP + length
    const sum = checksum(port, data + UDP, length, pseudo)
    put16(port, data + UDP + 6, sum === 0 ? 0xffff : sum)
  }

  #writeIp(port: HartPort, data: number, bytes: number, address: number): void {
    const { record } = this
    put16(port, data + IP, 0x4500)
    put16(port, data + IP + 2, bytes + PAYLOAD - IP)
    put16(port, data + IP + 4, record.number & 0xffff)
    record.number++
    put16(port, data + IP + 6, 0x4000)
    put16(port, data + IP + 8, (TIME_TO_LIVE << 8) | PROTOCOL_UDP)
    port.store16(data + IP + 10, 0)
    put32(port, data + IP + 12, OURSELVES)
    put32(port, data + IP + 16, address)
    put16(port, data + IP + 10, checksum(port, data + IP, UDP - IP, 0))
  }

  #find(port: HartPort, address: number): number {
    const first = address % NEIGHBOURS
    for (let step = 0; step < NEIGHBOURS; step++) {
      const at = NEIGHBOURS_AT + ((first + step) % NEIGHBOURS) * neighbour.size
      const here = port.load32(at + neighbour.address.at)
      if (here === address || here === 0) return at
    }
    return 0
  }

  /** To a neighbour whose station is known; else that is asked for, and the packet waits. */
  #out(port: HartPort, number: number, data: number, via: number): void {
    const { record } = this
    const at = this.#find(port, via)
    if (at === 0) {
      record.lost++
      return this.#packets.free(port, number)
    }
    port.store32(at + neighbour.address.at, via)
    if (port.load32(at + neighbour.known.at) !== 0) {
      this.#confirm(port, at, via)
      this.#writeEthernet(
        port,
        data,
        port.load32(at + neighbour.low.at),
        port.load32(at + neighbour.high.at),
        TYPE_IPV4,
      )
      return this.#device.transmit(port, number)
    }
    const before = port.load32(at + neighbour.waiting.at)
    port.store32(at + neighbour.waiting.at, number + 1)
    if (before !== 0) {
      record.lost++
      return this.#packets.free(port, before - 1)
    }
    this.#ask(port, via)
  }

  /** Asks again for one that has not been heard of for long. */
  #confirm(port: HartPort, at: number, via: number): void {
    const now = port.read(time)
    if (now - port.load64(at + neighbour.confirmed.at) < BELIEVED) return
    port.store64(at + neighbour.confirmed.at, now)
    this.#ask(port, via)
  }

  #ask(port: HartPort, address: number): void {
    const number = this.#packets.take(port)
    if (number === NO_PACKET) return
    const { record } = this
    const at = packetAt(number)
    const data = port.load64(at + packet.data.at)
    port.store32(at + packet.port.at, LOCAL_SENDER)
    this.#writeEthernet(port, data, 0xffff_ffff, 0xffff, TYPE_ARP)
    put16(port, data + ARP, 1)
    put16(port, data + ARP + 2, TYPE_IPV4)
    put16(port, data + ARP + 4, 0x0604)
    put16(port, data + ARP + 6, ARP_REQUEST)
    port.store32(data + ARP + 8, record.low)
    port.store16(data + ARP + 12, record.high)
    put32(port, data + ARP + 14, OURSELVES)
    port.store32(data + ARP + 18, 0)
    port.store16(data + ARP + 22, 0)
    put32(port, data + ARP + 24, address)
    port.store32(at + packet.length.at, ARP_BYTES)
    this.#device.transmit(port, number)
  }

  #writeEthernet(port: HartPort, data: number, low: number, high: number, type: number): void {
    const { record } = this
    if (record.low === 0) {
      const mac = this.#device.mac()
      record.low = ((mac[3] << 24) | (mac[2] << 16) | (mac[1] << 8) | mac[0]) >>> 0
      record.high = (mac[5] << 8) | mac[4]
    }
    port.store32(data, low)
    port.store16(data + 4, high)
    port.store16(data + 6, record.low & 0xffff)
    port.store16(data + 8, record.low >>> 16)
    port.store16(data + 10, record.high)
    put16(port, data + 12, type)
  }

  /** A frame for the host: an answer to what it asked. Nothing else is expected. */
  receive(port: HartPort, number: number): void {
    const data = port.load64(packetAt(number) + packet.data.at)
    if (get16(port, data + 12) === TYPE_ARP && get16(port, data + ARP + 6) === ARP_REPLY) this.#learn(port, data)
    this.#packets.free(port, number)
  }

  #learn(port: HartPort, data: number): void {
    const address = get16(port, data + ARP + 14) * 0x1_0000 + get16(port, data + ARP + 16)
    const at = this.#find(port, address)
    // Only who was asked for is believed.
    if (at === 0 || port.load32(at + neighbour.address.at) !== address) return
    const low = port.load32(data + ARP + 8)
    const high = port.load16(data + ARP + 12)
    port.store32(at + neighbour.low.at, low)
    port.store32(at + neighbour.high.at, high)
    port.store32(at + neighbour.known.at, 1)
    port.store64(at + neighbour.confirmed.at, port.read(time))
    const waiting = port.load32(at + neighbour.waiting.at)
    if (waiting === 0) return
    port.store32(at + neighbour.waiting.at, 0)
    this.#writeEthernet(port, port.load64(packetAt(waiting - 1) + packet.data.at), low, high, TYPE_IPV4)
    this.#device.transmit(port, waiting - 1)
  }
}

function put16(port: HartPort, at: number, value: number): void {
  port.store16(at, ((value & 0xff) << 8) | ((value >>> 8) & 0xff))
}

function put32(port: HartPort, at: number, value: number): void {
  put16(port, at, value >>> 16)
  put16(port, at + 2, value & 0xffff)
}

function get16(port: HartPort, at: number): number {
  const value = port.load16(at)
  return ((value & 0xff) << 8) | (value >>> 8)
}

/** The internet checksum of so many bytes at an even address, and a sum before them (RFC 1071), eight bytes at a time. */
function checksum(port: HartPort, at: number, bytes: number, before: number): number {
  let sum = 0
  let offset = 0
  for (; offset + 4 <= bytes; offset += 4) sum += port.load32(at + offset)
  for (; offset + 2 <= bytes; offset += 2) sum += port.load16(at + offset)
  if (offset < bytes) sum += port.load8(at + offset)
  while (sum > 0xffff) sum = (sum % 0x1_0000) + Math.floor(sum / 0x1_0000)
  let total = before + (((sum & 0xff) << 8) | (sum >>> 8))
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return ~total & 0xffff
}
