/**
 * The host's bridge: the card and each process's tap are its ports. A frame goes where the forwarding table says, within
 * its VLAN; to a group everywhere in the VLAN and out; to an address that nobody is known to have, out. A guest sends from its
 * own address only, and nothing tagged; what comes from outside with a guest's address is forged.
 */
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { type ForwardingTable, highOf, NO_PORT } from './forwarding-table.ts'
import type { HostNetworkDevice } from './network-device.ts'
import { NO_PACKET, packet, packetAt, type Packets } from './packets.ts'
import type { Taps } from './taps.ts'

/** Ports: the card, the host itself, then the taps. */
export const UPLINK = 0
export const LOCAL = 1
export const FIRST_TAP = 2
/** Offsets in a frame (IEEE 802.3): the addresses' words, and the type. */
const DESTINATION_REST = 2
const SOURCE = 6
const SOURCE_HIGH = 10
const TYPE = 12
const GROUP = 1
/** Types of tagged frames (IEEE 802.1Q), as little-endian words. */
const CUSTOMER_TAG = 0x0081
const SERVICE_TAG = 0xa888

/** A tap's port: its VLAN, and its station address as the words in which a frame holds it. */
export interface Station {
  readonly vlan: number
  readonly low: number
  readonly high: number
}

export function stationOf(mac: readonly number[], vlan: number): Station {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac
  return { vlan, low: ((d << 24) | (c << 16) | (b << 8) | a) >>> 0, high: (f << 8) | e }
}

export class Bridge {
  /** Frames by what became of them. */
  readonly record = { forwarded: 0, refused: 0, forged: 0 }
  readonly state: Record<string, StateRecord>
  /** By tap; undefined where a process has no network. */
  readonly #stations: readonly (Station | undefined)[]
  readonly #table: ForwardingTable
  readonly #packets: Packets
  readonly #device: HostNetworkDevice
  readonly #taps: Taps
  #local: (port: HartPort, number: number) => void

  constructor(
    stations: readonly (Station | undefined)[],
    table: ForwardingTable,
    packets: Packets,
    device: HostNetworkDevice,
    taps: Taps,
  ) {
    this.#stations = stations
    this.#table = table
    this.#packets = packets
    this.#device = device
    this.#taps = taps
    this.#local = (port, number) => packets.free(port, number)
    this.state = { bridge: this.record, forwarding: table.record, packets: packets.record }
    device.attach((port, number) => this.receive(port, number))
    taps.attach((port, tap, number) => this.#fromTap(port, tap, number))
  }

  /** Who has what comes for the host itself. Set-up. */
  attachLocal(local: (port: HartPort, number: number) => void): void {
    this.#local = local
  }

  /** Fixed entries: guests' own addresses. */
  create(port: HartPort): void {
    this.#packets.create(port)
    this.#table.create(port)
    for (let tap = 0; tap < this.#stations.length; tap++) {
      const station = this.#stations[tap]
      if (station) this.#table.fix(port, station.low, highOf(station.high, station.vlan), FIRST_TAP + tap)
    }
  }

  /** A frame of a guest's. */
  #fromTap(port: HartPort, tap: number, number: number): void {
    const at = packetAt(number)
    const data = port.load64(at + packet.data.at)
    const station = this.#stations[tap]
    if (!station) return this.#packets.free(port, number)
    const type = port.load16(data + TYPE)
    const isOwn = port.load32(data + SOURCE) === station.low && port.load16(data + SOURCE_HIGH) === station.high
    if (!isOwn || type === CUSTOMER_TAG || type === SERVICE_TAG) {
      if (isOwn) this.record.refused++
      else this.record.forged++
      return this.#packets.free(port, number)
    }
    port.store32(at + packet.port.at, FIRST_TAP + tap)
    port.store32(at + packet.vlan.at, station.vlan)
    port.store32(at + packet.protocol.at, type)
    this.#forward(port, number, FIRST_TAP + tap, station.vlan)
  }

  /** A frame from outside, its tag taken off. */
  receive(port: HartPort, number: number): void {
    const at = packetAt(number)
    const data = port.load64(at + packet.data.at)
    const vlan = port.load32(at + packet.vlan.at)
    const low = port.load32(data + SOURCE)
    const high = port.load16(data + SOURCE_HIGH)
    port.store32(at + packet.port.at, UPLINK)
    port.store32(at + packet.protocol.at, port.load16(data + TYPE))
    if (!this.#table.learn(port, low, highOf(high, vlan), UPLINK)) {
      this.record.forged++
      return this.#packets.free(port, number)
    }
    this.#forward(port, number, UPLINK, vlan)
  }

  #forward(port: HartPort, number: number, from: number, vlan: number): void {
    const data = port.load64(packetAt(number) + packet.data.at)
    // A frame begins two bytes behind a word, so that what follows its header is aligned.
    const rest = port.load32(data + DESTINATION_REST)
    const low = (port.load16(data) | (rest << 16)) >>> 0
    const high = rest >>> 16
    if ((low & GROUP) !== 0) return this.#spread(port, number, from, vlan)
    const to = this.#table.portOf(port, low, highOf(high, vlan))
    if (to >= FIRST_TAP) {
      // What a card sends to itself does not come back.
      if (to === from) return this.#packets.free(port, number)
      this.record.forwarded++
      return this.#taps.give(port, to - FIRST_TAP, number)
    }
    if (from !== UPLINK) return this.#device.transmit(port, number)
    if (vlan === 0 && to === NO_PORT) return this.#local(port, number)
    this.#packets.free(port, number)
  }

  /** To every port of the VLAN but the one that it came from. */
  #spread(port: HartPort, number: number, from: number, vlan: number): void {
    for (let tap = 0; tap < this.#stations.length; tap++) {
      const station = this.#stations[tap]
      if (!station || station.vlan !== vlan || FIRST_TAP + tap === from) continue
      const copy = this.#packets.share(port, number)
      if (copy === NO_PACKET) continue
      this.record.forwarded++
      this.#taps.give(port, tap, copy)
    }
    if (from !== UPLINK) return this.#device.transmit(port, number)
    if (vlan === 0) return this.#local(port, number)
    this.#packets.free(port, number)
  }
}
