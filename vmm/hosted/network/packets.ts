/**
 * Packets on their way through the kernel, in the manner of Linux's sk_buff: a header of a slab and a buffer of 2 KiB, both
 * in RAM. A copy for another reader shares the buffer, which counts its users.
 */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { PACKET_DATA, TABLES } from '../layout.ts'
import { BUFFER_CACHE, NO_RECORD, PACKET_CACHE, SlabCache } from '../memory/slab-cache.ts'
import { SocketMemory } from './socket-memory.ts'

export const MOST_PACKETS = 240
export const PACKET_BYTES = 2048
/** Room before a frame for a tag or for headers; its payload behind the Ethernet header is aligned to 16 bytes. */
export const HEADROOM = 66
export const NO_PACKET = -1

/** `next` is the number of the next packet of its queue, plus one. */
export const packet = layout(0x40, 'our own', {
  next: { at: 0x00, bytes: 4 },
  buffer: { at: 0x04, bytes: 4 },
  data: { at: 0x08, bytes: 8 },
  length: { at: 0x10, bytes: 4 },
  port: { at: 0x14, bytes: 4 },
  vlan: { at: 0x18, bytes: 4 },
  protocol: { at: 0x1c, bytes: 4 },
  /** Whose it is, plus one. */
  socket: { at: 0x20, bytes: 4 },
  mapped: { at: 0x28, bytes: 4 },
  truesize: { at: 0x24, bytes: 4 },
})
/** At a buffer's end: how many headers share it. */
const USERS = PACKET_BYTES - 8

export function packetAt(number: number): number {
  return TABLES.packets + number * packet.size
}

function bufferAt(buffer: number): number {
  return PACKET_DATA + buffer * PACKET_BYTES
}

export class Packets {
  /** Packets that found no memory. */
  readonly record = { refused: 0 }
  readonly headers = new SlabCache(PACKET_CACHE, TABLES.packets, packet.size, MOST_PACKETS)
  readonly buffers = new SlabCache(BUFFER_CACHE, PACKET_DATA, PACKET_BYTES, MOST_PACKETS)
  readonly sockets = new SocketMemory()

  create(port: HartPort): void {
    this.headers.create(port)
    this.buffers.create(port)
    this.sockets.create(port)
  }

  /** A packet with a buffer, its data empty behind the headroom; NO_PACKET if there is no memory. */
  take(port: HartPort): number {
    const number = this.headers.take(port)
    if (number === NO_RECORD) return this.#refuse()
    const buffer = this.buffers.take(port)
    if (buffer === NO_RECORD) {
      this.headers.give(port, number)
      return this.#refuse()
    }
    const at = packetAt(number)
    const base = bufferAt(buffer)
    port.fill(at, 0, packet.size)
    port.store32(at + packet.buffer.at, buffer)
    port.store64(at + packet.data.at, base + HEADROOM)
    port.store32(at + packet.truesize.at, PACKET_BYTES + packet.size)
    port.store32(base + USERS, 1)
    return number
  }

  #refuse(): number {
    this.record.refused++
    return NO_PACKET
  }

  /** Another header for the same data, which is no socket's; NO_PACKET if there is no memory. */
  share(port: HartPort, number: number): number {
    const other = this.headers.take(port)
    if (other === NO_RECORD) return this.#refuse()
    const at = packetAt(other)
    port.copy(at, packetAt(number), packet.size)
    port.store32(at + packet.socket.at, 0)
    port.add32(bufferAt(port.load32(at + packet.buffer.at)) + USERS, 1)
    return other
  }

  /** Nobody has the packet any more: its socket may have another. */
  free(port: HartPort, number: number): void {
    const at = packetAt(number)
    const owner = port.load32(at + packet.socket.at)
    if (owner !== 0) this.sockets.uncharge(port, owner, port.load32(at + packet.truesize.at))
    const buffer = port.load32(at + packet.buffer.at)
    if (port.add32(bufferAt(buffer) + USERS, -1) === 1) this.buffers.give(port, buffer)
    this.headers.give(port, number)
  }

  /** Gives a packet data of its own where others read them too, so that they can be changed. False if there is no memory. */
  unshare(port: HartPort, number: number): boolean {
    const at = packetAt(number)
    const shared = port.load32(at + packet.buffer.at)
    const from = bufferAt(shared)
    if (port.load32(from + USERS) === 1) return true
    const buffer = this.buffers.take(port)
    if (buffer === NO_RECORD) return false
    const base = bufferAt(buffer)
    const data = port.load64(at + packet.data.at)
    port.copy(base + (data - from), data, port.load32(at + packet.length.at))
    port.store32(base + USERS, 1)
    port.store32(at + packet.buffer.at, buffer)
    port.store64(at + packet.data.at, base + (data - from))
    if (port.add32(from + USERS, -1) === 1) this.buffers.give(port, shared)
    return true
  }
}

/** A queue of packets: its first and last, plus one, and how many, in registered state. */
export class PacketQueue {
  readonly record = { first: 0, last: 0, count: 0 }

  add(port: HartPort, number: number): void {
    const { record } = this
    port.store32(packetAt(number) + packet.next.at, 0)
    if (record.last === 0) record.first = number + 1
    else port.store32(packetAt(record.last - 1) + packet.next.at, number + 1)
    record.last = number + 1
    record.count++
  }

  /** Takes the first packet out, or NO_PACKET. */
  take(port: HartPort): number {
    const { record } = this
    const number = record.first - 1
    if (number === NO_PACKET) return NO_PACKET
    record.first = port.load32(packetAt(number) + packet.next.at)
    if (record.first === 0) record.last = 0
    record.count--
    return number
  }

  first(): number {
    return this.record.first - 1
  }
}
