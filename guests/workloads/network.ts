/**
 * Network: asks by ARP who 10.0.0.1 is, then sends it UDP frames, one after the other, and waits for each to come back
 * from its echo port; small and large ones take turns. What comes back is verified.
 */
import type { NetworkDevice } from '../../drivers/environment.ts'
import { nicDriver } from '../../drivers/nic.ts'
import { virtioNet } from '../../drivers/virtio-net.ts'
import type { HartPort } from '../../hw/port.ts'
import { VIRTIO_ID } from '../../hw/spec/devices/virtio-mmio.ts'
import {
  BEGIN,
  DONE,
  FAILED,
  type Hardware,
  RETRY,
  scriptedGuest,
  type Task,
  type TaskGround,
  WAIT,
} from '../scripted/guest.ts'
import { scriptedImage } from '../scripted/image.ts'
import type { Workload } from '../workload.ts'

const ECHOES = 300
const DEPTH = 4
/** Frames sent, without the checksum that the card adds. */
const SMALL = 64
const LARGE = 1400
const BUFFER_BYTES = 2048
const DATA_BYTES = 2 * DEPTH * BUFFER_BYTES

const STATION = 0x0a00_0001
const OURSELVES = 0x0a00_0002
const ECHO_PORT = 7
const OUR_PORT = 4000
const BROADCAST = 0xff

// Ethernet, ARP (RFC 826), IPv4 (RFC 791) and UDP (RFC 768): offsets in a frame.
const SOURCE = 6
const TYPE = 12
const TYPE_ARP = 0x0806
const TYPE_IPV4 = 0x0800
const ARP = 14
const ARP_OPERATION = 20
const ARP_SENDER = 22
const ARP_SENDER_IP = 28
const ARP_TARGET_IP = 38
const ARP_BYTES = 60
const ARP_REQUEST = 1
const ARP_REPLY = 2
const IP = 14
const IP_SUM = 24
const IP_FROM = 26
const IP_TO = 30
const UDP = 34
const PAYLOAD = 42
/** The payload: the echo's number, then a stamp in each line. */
const FIRST_STAMP = 48
const LINE = 64
const MAC_BYTES = 6

// Buffers for sending, by tag.
const REQUEST = 0
const SMALL_FRAME = 1
const LARGE_FRAME = 2

const STARTING = 0
const RESOLVING = 1
const RESOLVED = 2
const ECHOING = 3

const hardware: Hardware<NetworkDevice> = {
  pcieClass: 0x02_0000,
  virtioId: VIRTIO_ID.network,
  queueDepth: DEPTH,
  physical: nicDriver,
  virtual: virtioNet,
}

function networkTask({ device, drivers, data }: TaskGround<NetworkDevice>): Task {
  const state = { phase: STARTING, sent: 0, echoed: 0, bad: 0 }
  const mac = new Int32Array(MAC_BYTES)
  const station = new Int32Array(MAC_BYTES)
  /** By tag: bytes received into it, and whether the card has it. */
  const arrived = new Int32Array(DEPTH)
  const provided = new Int32Array(DEPTH)
  /** By tag: 1 while the card has the frame to be sent. */
  const sending = new Int32Array(DEPTH)

  function step(port: HartPort): number {
    const card = device()
    if (!card.ready()) return card.failure() === '' ? WAIT : FAILED
    if (state.phase === STARTING && !begin(port, card)) return RETRY
    if (!receive(port)) return FAILED
    if (!provide(card)) return RETRY
    if (state.phase === RESOLVED) {
      makeEcho(port, SMALL_FRAME, SMALL)
      makeEcho(port, LARGE_FRAME, LARGE)
      state.phase = ECHOING
      return BEGIN
    }
    if (state.phase !== ECHOING) return WAIT
    if (state.echoed === ECHOES) return DONE
    return state.sent > state.echoed || send(port, card) ? WAIT : RETRY
  }

  /** Asks who the station is, once there is a link. */
  function begin(port: HartPort, card: NetworkDevice): boolean {
    if (!card.linkUp() || !provide(card)) return false
    const address = card.mac()
    for (let index = 0; index < MAC_BYTES; index++) mac[index] = address[index]!
    makeRequest(port)
    sending[REQUEST] = 1
    if (!card.transmit(REQUEST, frameOf(REQUEST), ARP_BYTES)) return false
    state.phase = RESOLVING
    return true
  }

  function provide(card: NetworkDevice): boolean {
    for (let tag = 0; tag < DEPTH; tag++) {
      if (provided[tag] !== 0) continue
      if (!card.provide(tag, bufferOf(tag), BUFFER_BYTES)) return false
      provided[tag] = 1
    }
    return true
  }

  /** Looks at the frames that have come. False if one is not what it should be. */
  function receive(port: HartPort): boolean {
    for (let tag = 0; tag < DEPTH; tag++) {
      const bytes = arrived[tag]
      if (bytes === 0) continue
      arrived[tag] = 0
      provided[tag] = 0
      const frame = bufferOf(tag)
      const type = get16(port, frame + TYPE)
      if (type === TYPE_ARP && get16(port, frame + ARP_OPERATION) === ARP_REPLY && state.phase === RESOLVING) {
        for (let index = 0; index < MAC_BYTES; index++) station[index] = port.load8(frame + ARP_SENDER + index)
        state.phase = RESOLVED
      } else if (type === TYPE_IPV4 && state.phase === ECHOING) {
        if (!isEcho(port, frame, bytes)) return false
        state.echoed++
      }
    }
    return true
  }

  function isEcho(port: HartPort, frame: number, bytes: number): boolean {
    const number = state.sent - 1
    if (bytes < bytesOf(number) || get16(port, frame + UDP) !== ECHO_PORT) return false
    if (port.load32(frame + PAYLOAD) !== number) return false
    for (let at = FIRST_STAMP; at + 4 <= bytesOf(number); at += LINE) {
      if (port.load32(frame + at) !== stamp(number, at)) return false
    }
    return true
  }

  function send(port: HartPort, card: NetworkDevice): boolean {
    const number = state.sent
    const tag = number % 2 === 0 ? SMALL_FRAME : LARGE_FRAME
    if (sending[tag] !== 0) return false
    const frame = frameOf(tag)
    port.store32(frame + PAYLOAD, number)
    for (let at = FIRST_STAMP; at + 4 <= bytesOf(number); at += LINE) port.store32(frame + at, stamp(number, at))
    if (!card.transmit(tag, frame, bytesOf(number))) return false
    sending[tag] = 1
    state.sent++
    return true
  }

  function makeRequest(port: HartPort): void {
    const frame = frameOf(REQUEST)
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

  /** What is the same in every frame of a size. Without a UDP checksum, which IPv4 allows. */
  function makeEcho(port: HartPort, tag: number, bytes: number): void {
    const frame = frameOf(tag)
    for (let index = 0; index < MAC_BYTES; index++) {
      port.store8(frame + index, station[index])
      port.store8(frame + SOURCE + index, mac[index])
    }
    put16(port, frame + TYPE, TYPE_IPV4)
    put32(port, frame + IP, 0x4500_0000 + bytes - IP)
    put32(port, frame + IP + 8, 0x4011_0000)
    put32(port, frame + IP_FROM, OURSELVES)
    put32(port, frame + IP_TO, STATION)
    let sum = 0
    for (let at = IP; at < UDP; at += 2) sum += get16(port, frame + at)
    sum = (sum & 0xffff) + (sum >>> 16)
    put16(port, frame + IP_SUM, ~sum & 0xffff)
    put16(port, frame + UDP, OUR_PORT)
    put16(port, frame + UDP + 2, ECHO_PORT)
    put32(port, frame + UDP + 4, (bytes - UDP) * 65536)
  }

  function bufferOf(tag: number): number {
    return data + tag * BUFFER_BYTES
  }

  function frameOf(tag: number): number {
    return data + (DEPTH + tag) * BUFFER_BYTES
  }

  function transmitted(tag: number): void {
    sending[tag] = 0
  }

  function received(tag: number, bytes: number): void {
    arrived[tag] = bytes
  }

  for (const driver of drivers) {
    driver.onTransmitted(transmitted)
    driver.onReceived(received)
  }
  return { step, state: { run: state, mac, station, arrived, provided, sending } }
}

function bytesOf(number: number): number {
  return number % 2 === 0 ? SMALL : LARGE
}

function stamp(number: number, at: number): number {
  return Math.imul((number << 12) ^ at, 0x9e37_79b1) >>> 0
}

function get16(port: HartPort, at: number): number {
  return port.load8(at) * 256 + port.load8(at + 1)
}

function put16(port: HartPort, at: number, value: number): void {
  port.store8(at, value >>> 8)
  port.store8(at + 1, value & 0xff)
}

function put32(port: HartPort, at: number, value: number): void {
  put16(port, at, value >>> 16)
  put16(port, at + 2, value & 0xffff)
}

export const network: Workload = {
  name: 'network',
  does: `${ECHOES} UDP frames of ${SMALL} and ${LARGE} bytes echoed by a station, one at a time; data verified`,
  disk: false,
  network: true,
  operations: ECHOES,
  unit: 'cycles per echo',
  image: () => scriptedImage(DATA_BYTES),
  software: () => scriptedGuest('network workload', scriptedImage(DATA_BYTES), hardware, networkTask),
}
