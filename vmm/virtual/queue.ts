/**
 * The device's side of a split virtqueue (virtio 1.2, 2.7). Nothing that the guest wrote is believed: indices, lengths
 * and addresses are checked, each descriptor is fetched once, and a chain longer than its queue (a loop, too) breaks it.
 */
import type { HartPort } from '../../hw/port.ts'
import {
  availEventAt,
  usedEventAt,
  VIRTQ_AVAIL_ENTRY_BYTES,
  VIRTQ_AVAIL_F_NO_INTERRUPT,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
  VIRTQ_DESC_F_WRITE,
  virtqAvail,
  virtqAvailBytes,
  virtqDesc,
  virtqDescBytes,
  virtqUsed,
  virtqUsedBytes,
  virtqUsedElem,
} from '../../hw/spec/layouts/virtqueue.ts'
import type { GuestMemory } from './chip.ts'

/** QueueNumMax: entries of a queue, and therefore of a chain. */
export const QUEUE_MAXIMUM = 128
/** A guest's RAM is contiguous for its VMM at least within pieces of this size. */
const CONTIGUOUS = 0x20_0000
/** Descriptors and indirect tables are read by words of 8 bytes. */
const TABLE_ALIGNMENT = 8
const RING_ALIGNMENT = 4

export class VirtualQueue {
  /**
   * Registered with the VMM's state. Where the guest says that the parts are, and, once `ready`, where the VMM reaches
   * them; chains seen, used, and used when the guest was interrupted last; the chain taken last.
   */
  readonly record = {
    size: 0,
    ready: false,
    broken: false,
    events: false,
    indirect: false,
    descriptors: 0,
    driver: 0,
    device: 0,
    table: 0,
    available: 0,
    ring: 0,
    seen: 0,
    used: 0,
    told: 0,
    asked: 0,
    head: 0,
    count: 0,
    readable: 0,
    piece: 0,
  }
  /** Segments of the chain taken last: the first `readable` are to be read, the others up to `count` to be written. */
  readonly addresses = new Float64Array(QUEUE_MAXIMUM)
  readonly lengths = new Uint32Array(QUEUE_MAXIMUM)
  readonly #memory: GuestMemory

  constructor(memory: GuestMemory) {
    this.#memory = memory
  }

  /** As after a reset of the device. */
  reset(): void {
    const { record } = this
    record.size = 0
    record.ready = false
    record.broken = false
    record.descriptors = 0
    record.driver = 0
    record.device = 0
    record.count = 0
    record.readable = 0
  }

  /** Begins to serve the queue where the guest says that it is. False if it cannot be there. */
  enable(port: HartPort, events: boolean, indirect: boolean): boolean {
    const { record } = this
    const { size, descriptors, driver, device } = record
    if (size === 0 || size > QUEUE_MAXIMUM || (size & (size - 1)) !== 0) return false
    if (descriptors % TABLE_ALIGNMENT !== 0 || driver % 2 !== 0 || device % RING_ALIGNMENT !== 0) return false
    record.table = this.#memory.reach(port, descriptors, virtqDescBytes(size))
    record.available = this.#memory.reach(port, driver, virtqAvailBytes(size))
    record.ring = this.#memory.reach(port, device, virtqUsedBytes(size))
    if (record.table < 0 || record.available < 0 || record.ring < 0) return false
    record.events = events
    record.indirect = indirect
    record.seen = 0
    record.used = 0
    record.told = 0
    record.asked = 0
    record.ready = true
    return true
  }

  /** True if the guest has made a chain available that has not been taken. Asks to be notified of the next one if not. */
  hasNext(port: HartPort): boolean {
    const { record } = this
    if (!record.ready || record.broken) return false
    if (this.#isAhead(port)) return true
    if (!record.events || record.asked === record.seen) return false
    record.asked = record.seen
    port.store16(record.ring + availEventAt(record.size), record.seen)
    // One that came before the guest could know is taken now: nobody notifies of it.
    port.fence()
    return this.#isAhead(port)
  }

  #isAhead(port: HartPort): boolean {
    const { record } = this
    const ahead = (port.load16(record.available + virtqAvail.idx.at) - record.seen) & 0xffff
    if (ahead > record.size) record.broken = true
    return ahead !== 0 && !record.broken
  }

  /** Takes the next chain: its segments are in `addresses` and `lengths`. False if there is none, or the queue is broken. */
  take(port: HartPort): boolean {
    if (!this.hasNext(port)) return false
    const { record } = this
    port.fence()
    const slot = record.seen & (record.size - 1)
    record.head = port.load16(record.available + virtqAvail.size + slot * VIRTQ_AVAIL_ENTRY_BYTES)
    record.seen = (record.seen + 1) & 0xffff
    if (this.#walk(port)) return true
    record.broken = true
    return false
  }

  /** Reads the chain's descriptors, once each. False if it is none. */
  #walk(port: HartPort): boolean {
    const { record } = this
    let table = record.table
    let entries = record.size
    let at = record.head
    record.count = 0
    record.readable = 0
    for (;;) {
      if (at >= entries || record.count === record.size) return false
      const descriptor = table + at * virtqDesc.size
      const address = port.load64(descriptor)
      const bytes = port.load32(descriptor + virtqDesc.len.at)
      const rest = port.load32(descriptor + virtqDesc.flags.at)
      if ((rest & VIRTQ_DESC_F_INDIRECT) !== 0) {
        if (!record.indirect || table !== record.table || (rest & VIRTQ_DESC_F_NEXT) !== 0) return false
        if (bytes === 0 || bytes % virtqDesc.size !== 0 || bytes > record.size * virtqDesc.size) return false
        table = this.#memory.reach(port, address, bytes)
        if (table < 0 || table % TABLE_ALIGNMENT !== 0 || table === record.table) return false
        entries = bytes / virtqDesc.size
        at = 0
        continue
      }
      const { count } = record
      if ((rest & VIRTQ_DESC_F_WRITE) === 0) {
        // What is to be read comes before what is to be written (virtio 1.2, 2.7.4.2).
        if (record.readable !== count) return false
        record.readable = count + 1
      }
      this.addresses[count] = address
      this.lengths[count] = bytes
      record.count = count + 1
      if ((rest & VIRTQ_DESC_F_NEXT) === 0) return true
      at = rest >>> 16
    }
  }

  /** Gives a chain back, with so many bytes written into it. */
  put(port: HartPort, head: number, written: number): void {
    const { record } = this
    const element = record.ring + virtqUsed.size + (record.used & (record.size - 1)) * virtqUsedElem.size
    port.store32(element, head)
    port.store32(element + virtqUsedElem.len.at, written)
    port.fence()
    record.used = (record.used + 1) & 0xffff
    port.store16(record.ring + virtqUsed.idx.at, record.used)
  }

  /** True if the guest wants an interrupt for what was given back since this was asked last (virtio 1.2, 2.7.7). */
  wantsInterrupt(port: HartPort): boolean {
    const { record } = this
    const { used, told } = record
    if (!record.ready || used === told) return false
    record.told = used
    port.fence()
    if (!record.events) return (port.load16(record.available) & VIRTQ_AVAIL_F_NO_INTERRUPT) === 0
    const event = port.load16(record.available + usedEventAt(record.size))
    return ((used - event - 1) & 0xffff) < ((used - told) & 0xffff)
  }

  /** How many of these bytes of the guest's lie together for the VMM, from `record.piece` on: 0 if the first is not in its RAM. */
  reachPiece(port: HartPort, address: number, bytes: number): number {
    const { record } = this
    record.piece = this.#memory.reach(port, address, bytes)
    if (record.piece >= 0) return bytes
    const first = CONTIGUOUS - (address % CONTIGUOUS)
    if (first >= bytes) return 0
    record.piece = this.#memory.reach(port, address, first)
    return record.piece < 0 ? 0 : first
  }

  /**
   * Copies the chain's readable bytes behind the first `skip` to the VMM's own memory, `most` at the most. Returns how
   * many there are, more than `most` perhaps; -1 if they are not the guest's.
   */
  gather(port: HartPort, to: number, skip: number, most: number): number {
    const { record } = this
    let left = skip
    let done = 0
    let total = 0
    for (let index = 0; index < record.readable; index++) {
      const bytes = this.lengths[index]
      const skipped = left < bytes ? left : bytes
      left -= skipped
      total += bytes - skipped
      let address = this.addresses[index] + skipped
      let wanted = Math.min(bytes - skipped, most - done)
      while (wanted > 0) {
        const piece = this.reachPiece(port, address, wanted)
        if (piece === 0) return -1
        port.copy(to + done, record.piece, piece)
        address += piece
        done += piece
        wanted -= piece
      }
    }
    return total
  }

  /** Bytes that the chain has room for. */
  room(): number {
    const { record } = this
    let bytes = 0
    for (let index = record.readable; index < record.count; index++) bytes += this.lengths[index]
    return bytes
  }

  /** Copies bytes of the VMM's into the chain's writable part, behind the first `skip` there. False if that is not the guest's. */
  scatter(port: HartPort, from: number, bytes: number, skip: number): boolean {
    const { record } = this
    let left = skip
    let done = 0
    for (let index = record.readable; index < record.count && done < bytes; index++) {
      const length = this.lengths[index]
      const skipped = left < length ? left : length
      left -= skipped
      let address = this.addresses[index] + skipped
      let wanted = Math.min(length - skipped, bytes - done)
      while (wanted > 0) {
        const piece = this.reachPiece(port, address, wanted)
        if (piece === 0) return false
        port.copy(record.piece, from + done, piece)
        address += piece
        done += piece
        wanted -= piece
      }
    }
    return true
  }

  /** Stores the first `count` of these bytes at the beginning of the chain's writable part. False if that is not the guest's. */
  store(port: HartPort, bytes: Uint8Array, count: number): boolean {
    const { record } = this
    let done = 0
    for (let index = record.readable; index < record.count && done < count; index++) {
      let address = this.addresses[index]
      let wanted = Math.min(this.lengths[index], count - done)
      while (wanted > 0) {
        const piece = this.reachPiece(port, address, wanted)
        if (piece === 0) return false
        const to = record.piece
        for (let at = 0; at < piece; at++) port.store8(to + at, bytes[done + at])
        address += piece
        done += piece
        wanted -= piece
      }
    }
    return true
  }

  /** Stores one byte at `offset` of the chain's writable part. False if there is no such byte. */
  store8(port: HartPort, offset: number, value: number): boolean {
    const { record } = this
    let left = offset
    for (let index = record.readable; index < record.count; index++) {
      const length = this.lengths[index]
      if (left < length) {
        if (this.reachPiece(port, this.addresses[index] + left, 1) === 0) return false
        port.store8(record.piece, value)
        return true
      }
      left -= length
    }
    return false
  }
}
