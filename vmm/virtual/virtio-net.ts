/**
 * The virtio network card that a guest sees (virtio 1.2, 5.1): one queue pair, no offloads, a station address. Frames
 * that it sends are copied into memory of the VMM's first, and looked at there.
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { VIRTIO_ID } from '../../hw/spec/devices/virtio-mmio.ts'
import {
  VIRTIO_NET_F,
  VIRTIO_NET_RECEIVEQ,
  VIRTIO_NET_TRANSMITQ,
  virtioNetHdr,
} from '../../hw/spec/layouts/virtio-net.ts'
import {
  type GuestMemory,
  type Later,
  MAXIMUM_FRAME,
  type NetworkBackend,
  type VirtualLine,
  type WorkingChip,
} from './chip.ts'
import { type VirtioDevice, VirtioTransport } from './virtio-mmio.ts'

const HEADER = virtioNetHdr.size
const LINK_UP = 1
/** Ethernet's addresses and type: less is no frame. */
const LEAST_FRAME = 14
/** Frames sent in one call of `work`: so many fit into an entry, with a copy to each receiver. */
const BUDGET = 8

export class VirtualNet implements VirtioDevice, WorkingChip {
  readonly id = VIRTIO_ID.network
  readonly features = (1 << VIRTIO_NET_F.MAC) | (1 << VIRTIO_NET_F.STATUS)
  readonly config: Uint8Array
  readonly transport: VirtioTransport
  /** For the VMM's registered state. */
  readonly state: Record<string, StateRecord>
  readonly #record = { behind: false, working: false, received: 0, dropped: 0, sent: 0 }
  readonly #backend: NetworkBackend
  readonly #later: Later

  constructor(
    name: string,
    line: VirtualLine,
    memory: GuestMemory,
    later: Later,
    backend: NetworkBackend,
    mac: readonly number[],
  ) {
    this.#later = later
    this.#backend = backend
    this.config = Uint8Array.of(...mac, LINK_UP, 0)
    this.transport = new VirtioTransport(line, memory, 2, this)
    this.state = { ...this.transport.state(name, false), [`${name} frames`]: this.#record }
    backend.attach((port, address, bytes) => this.#deliver(port, address, bytes))
  }

  notified(port: HartPort, queue: number): void {
    // Buffers for receiving are looked at when a frame comes.
    if (queue !== VIRTIO_NET_TRANSMITQ) return
    this.#record.behind = true
    if (this.#later.deferred) this.#later.behind = true
    else this.work(port)
  }

  reset(): boolean {
    this.#record.behind = false
    return true
  }

  isBehind(): boolean {
    return this.#record.behind && this.transport.isRunning()
  }

  work(port: HartPort): void {
    const record = this.#record
    // A frame sent may be answered at once, by who answers within `transmit`.
    if (!record.behind || record.working || !this.transport.isRunning()) return
    const queue = this.transport.queues[VIRTIO_NET_TRANSMITQ]
    record.working = true
    let left = BUDGET
    while (left > 0 && queue.take(port)) {
      this.#send(port)
      queue.put(port, queue.record.head, 0)
      left--
    }
    record.working = false
    record.behind = left === 0
    if (record.behind) this.#later.behind = true
    this.transport.settle(port, queue)
  }

  #send(port: HartPort): void {
    const queue = this.transport.queues[VIRTIO_NET_TRANSMITQ]
    const buffer = this.#backend.buffer(port)
    const bytes = buffer === 0 ? -1 : queue.gather(port, buffer, HEADER, MAXIMUM_FRAME)
    if (bytes < LEAST_FRAME || bytes > MAXIMUM_FRAME) {
      this.#record.dropped++
      return
    }
    this.#record.sent++
    this.#backend.transmit(port, buffer, bytes)
  }

  #deliver(port: HartPort, address: number, bytes: number): boolean {
    const queue = this.transport.queues[VIRTIO_NET_RECEIVEQ]
    if (!this.transport.isRunning() || !queue.take(port)) {
      if (queue.record.broken) this.transport.fail(port)
      this.#record.dropped++
      return false
    }
    let written = 0
    if (queue.room() >= HEADER + bytes && this.#writeHeader(port) && queue.scatter(port, address, bytes, HEADER)) {
      written = HEADER + bytes
      this.#record.received++
    } else this.#record.dropped++
    queue.put(port, queue.record.head, written)
    this.transport.settle(port, queue)
    return written > 0
  }

  /** All zeroes, but for the number of buffers, which is one (virtio 1.2, 5.1.6.4.1). */
  #writeHeader(port: HartPort): boolean {
    const queue = this.transport.queues[VIRTIO_NET_RECEIVEQ]
    const { record, addresses, lengths } = queue
    const first = record.readable
    if (lengths[first] >= HEADER) {
      if (queue.reachPiece(port, addresses[first], HEADER) < HEADER) return false
      port.fill(record.piece, 0, HEADER)
    } else {
      for (let index = 0; index < HEADER; index++) if (!queue.store8(port, index, 0)) return false
    }
    return queue.store8(port, virtioNetHdr.num_buffers.at, 1)
  }
}
