/**
 * The virtio block device that a guest sees (virtio 1.2, 5.2): read, write, flush, get id. Data is not copied: its
 * guest addresses go to the backend, in pieces that lie together in the VMM's memory. A request is laid out as Linux
 * and most others do it: header and status in descriptors of their own, data in whole sectors at multiples of 4.
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { VIRTIO_ID } from '../../hw/spec/devices/virtio-mmio.ts'
import {
  VIRTIO_BLK_F,
  VIRTIO_BLK_ID_BYTES,
  VIRTIO_BLK_QUEUE,
  VIRTIO_BLK_S,
  VIRTIO_BLK_SECTOR_BYTES,
  VIRTIO_BLK_T,
  virtioBlkReq,
} from '../../hw/spec/layouts/virtio-blk.ts'
import type { BlockBackend, GuestMemory, Later, VirtualLine, WorkingChip } from './chip.ts'
import { QUEUE_MAXIMUM, type VirtualQueue } from './queue.ts'
import { type VirtioDevice, VirtioTransport } from './virtio-mmio.ts'

const SECTOR = VIRTIO_BLK_SECTOR_BYTES
const NONE = -1
/** What a request asks of the backend. */
const READ = 0
const WRITE = 1
const FLUSH = 2
/** Descriptors looked at and pieces given to the backend in one call of `work`. */
const BUDGET = 128
const CONFIG_BYTES = 64

export class VirtualBlk implements VirtioDevice, WorkingChip {
  readonly id = VIRTIO_ID.block
  readonly features = (1 << VIRTIO_BLK_F.SEG_MAX) | (1 << VIRTIO_BLK_F.FLUSH)
  readonly config = new Uint8Array(CONFIG_BYTES)
  readonly transport: VirtioTransport
  /** For the VMM's registered state. */
  readonly state: Record<string, StateRecord>
  /** The request that is being given to the backend: its slot, and how far it is. `outstanding`: tags in use. */
  readonly #record = {
    current: NONE,
    operation: READ,
    segment: 0,
    last: 0,
    done: 0,
    sector: 0,
    outstanding: 0,
    working: false,
    behind: false,
  }
  /** By slot: the chain's head or NONE, pieces under way, whether one failed, where the status goes, bytes read. */
  readonly #heads: Int32Array
  readonly #pieces: Int32Array
  readonly #failed: Int32Array
  readonly #statusAt: Float64Array
  readonly #written: Float64Array
  /** By tag: its slot, or NONE. */
  readonly #slots: Int32Array
  readonly #queue: VirtualQueue
  readonly #backend: BlockBackend
  readonly #later: Later
  readonly #serial: Uint8Array

  /** `serial` is what GET_ID answers, up to 20 characters. */
  constructor(
    name: string,
    line: VirtualLine,
    memory: GuestMemory,
    later: Later,
    backend: BlockBackend,
    sectors: number,
    serial: string,
  ) {
    this.#backend = backend
    this.#later = later
    this.#serial = Uint8Array.from({ length: VIRTIO_BLK_ID_BYTES }, (_, index) => serial.charCodeAt(index) || 0)
    const view = new DataView(this.config.buffer)
    view.setUint32(0, sectors >>> 0, true)
    view.setUint32(4, Math.floor(sectors / 2 ** 32), true)
    view.setUint32(12, QUEUE_MAXIMUM - 2, true)
    this.transport = new VirtioTransport(line, memory, 1, this)
    this.#queue = this.transport.queues[VIRTIO_BLK_QUEUE]!
    // One more than tags: the request that waits for one.
    const slots = backend.depth + 1
    this.#heads = new Int32Array(slots).fill(NONE)
    this.#pieces = new Int32Array(slots)
    this.#failed = new Int32Array(slots)
    this.#statusAt = new Float64Array(slots)
    this.#written = new Float64Array(slots)
    this.#slots = new Int32Array(backend.depth).fill(NONE)
    this.state = {
      ...this.transport.state(name, true),
      [`${name} request`]: this.#record,
      [`${name} heads`]: this.#heads,
      [`${name} pieces`]: this.#pieces,
      [`${name} failed`]: this.#failed,
      [`${name} status`]: this.#statusAt,
      [`${name} written`]: this.#written,
      [`${name} slots`]: this.#slots,
    }
    backend.attach(
      (port, tag, ok) => this.#completed(port, tag, ok),
      port => this.#goOn(port),
    )
  }

  notified(port: HartPort): void {
    if (this.#later.deferred) {
      this.#record.behind = true
      this.#later.behind = true
    } else this.#goOn(port)
  }

  reset(): boolean {
    this.#record.current = NONE
    this.#record.behind = false
    if (this.#record.outstanding > 0) return false
    this.#heads.fill(NONE)
    return true
  }

  #goOn(port: HartPort): void {
    this.#record.behind = true
    this.work(port)
  }

  isBehind(): boolean {
    return this.#record.behind && this.transport.isRunning()
  }

  work(port: HartPort): void {
    const record = this.#record
    if (!record.behind || record.working || !this.transport.isRunning()) return
    record.working = true
    record.behind = this.#serve(port)
    if (record.behind) this.#later.behind = true
    record.working = false
    this.transport.settle(port, this.#queue)
  }

  /** Gives requests to the backend until it has no room, none is left, or that was enough for now: then true. */
  #serve(port: HartPort): boolean {
    const record = this.#record
    for (let left = BUDGET; left > 0; left--) {
      if (record.current === NONE) {
        if (!this.#queue.take(port)) return false
        left -= this.#queue.record.count
        this.#begin(port)
      } else if (!this.#issue(port)) {
        return false
      }
    }
    return true
  }

  /** Looks at the chain that has been taken: what can be answered at once is, the rest becomes the current request. */
  #begin(port: HartPort): void {
    const { addresses, lengths } = this.#queue
    const { count, readable, head } = this.#queue.record
    if (readable === 0 || readable === count || lengths[0] !== virtioBlkReq.size || lengths[count - 1] !== 1) {
      return this.transport.fail(port)
    }
    const slot = firstFree(this.#heads)
    this.#heads[slot] = head
    this.#pieces[slot] = 0
    this.#failed[slot] = 0
    this.#statusAt[slot] = addresses[count - 1]!
    this.#written[slot] = 0
    // A header that is not in one piece, or not where a structure of this kind can be, is no request.
    if (addresses[0] % 4 !== 0 || this.#queue.reachPiece(port, addresses[0], virtioBlkReq.size) < virtioBlkReq.size) {
      return this.#finish(port, slot, VIRTIO_BLK_S.IOERR)
    }
    const header = this.#queue.record.piece
    const type = port.load32(header)
    const low = port.load32(header + virtioBlkReq.sector.at)
    const high = port.load32(header + virtioBlkReq.sector.at + 4)
    if (type === VIRTIO_BLK_T.IN && readable === 1) this.#beginData(port, slot, READ, high * 2 ** 32 + low, count - 1)
    else if (type === VIRTIO_BLK_T.OUT && readable === count - 1)
      this.#beginData(port, slot, WRITE, high * 2 ** 32 + low, count - 1)
    else if (type === VIRTIO_BLK_T.FLUSH && count === 2) this.#become(slot, FLUSH, 0, 2)
    else if (type === VIRTIO_BLK_T.GET_ID && readable === 1) this.#tellId(port, slot)
    else
      this.#finish(
        port,
        slot,
        type === VIRTIO_BLK_T.IN || type === VIRTIO_BLK_T.OUT ? VIRTIO_BLK_S.IOERR : VIRTIO_BLK_S.UNSUPP,
      )
  }

  #become(slot: number, operation: number, sector: number, last: number): void {
    const record = this.#record
    record.current = slot
    record.operation = operation
    record.sector = sector
    record.segment = 1
    record.last = last
    record.done = 0
  }

  /** Data lies in the segments 1 to `last` - 1. */
  #beginData(port: HartPort, slot: number, operation: number, sector: number, last: number): void {
    const { addresses, lengths } = this.#queue
    let bytes = 0
    let odd = false
    for (let index = 1; index < last; index++) {
      bytes += lengths[index]
      if (lengths[index] % SECTOR !== 0 || addresses[index] % 4 !== 0) odd = true
    }
    if (odd || sector + bytes / SECTOR > this.#backend.sectors(port))
      return this.#finish(port, slot, VIRTIO_BLK_S.IOERR)
    if (bytes === 0) return this.#finish(port, slot, VIRTIO_BLK_S.OK)
    this.#become(slot, operation, sector, last)
    if (operation === READ) this.#written[slot] = bytes
  }

  #tellId(port: HartPort, slot: number): void {
    const room = this.#queue.room() - 1
    const bytes = room < VIRTIO_BLK_ID_BYTES ? room : VIRTIO_BLK_ID_BYTES
    const good = this.#queue.store(port, this.#serial, bytes)
    this.#written[slot] = bytes
    this.#finish(port, slot, good ? VIRTIO_BLK_S.OK : VIRTIO_BLK_S.IOERR)
  }

  /** Gives the backend the next piece of the current request. False if it has no room. */
  #issue(port: HartPort): boolean {
    const record = this.#record
    const slot = record.current
    if (record.segment >= record.last) {
      record.current = NONE
      if (this.#pieces[slot] === 0) this.#conclude(port, slot)
      return true
    }
    const tag = firstFree(this.#slots)
    if (tag < 0) return false
    if (record.operation === FLUSH) {
      if (!this.#submit(port, tag, slot, 'flush', 0, 0, 0)) return false
      record.segment++
      return true
    }
    const { addresses, lengths } = this.#queue
    const { segment, done } = record
    const left = lengths[segment] - done
    if (left === 0) {
      record.segment++
      record.done = 0
      return true
    }
    const address = addresses[segment] + done
    const piece = this.#queue.reachPiece(port, address, Math.min(left, this.#backend.maximumSectors * SECTOR))
    const count = Math.floor(piece / SECTOR)
    if (count === 0) {
      // Not the guest's memory, or a sector that does not lie together.
      this.#failed[slot] = 1
      record.segment = record.last
      return true
    }
    if (!this.#submit(port, tag, slot, record.operation === READ ? 'read' : 'write', record.sector, count, address))
      return false
    record.sector += count
    record.done += count * SECTOR
    return true
  }

  #submit(
    port: HartPort,
    tag: number,
    slot: number,
    operation: 'read' | 'write' | 'flush',
    sector: number,
    count: number,
    address: number,
  ): boolean {
    this.#slots[tag] = slot
    this.#pieces[slot]++
    this.#record.outstanding++
    if (this.#backend.submit(port, tag, operation, sector, count, address)) return true
    this.#slots[tag] = NONE
    this.#pieces[slot]--
    this.#record.outstanding--
    return false
  }

  #completed(port: HartPort, tag: number, ok: boolean): void {
    const record = this.#record
    const slot = this.#slots[tag]
    this.#slots[tag] = NONE
    this.#pieces[slot]--
    record.outstanding--
    if (!ok) this.#failed[slot] = 1
    if (this.transport.record.resetting) {
      if (record.outstanding > 0) return
      this.#heads.fill(NONE)
      return this.transport.quiesced(port)
    }
    if (this.#pieces[slot] === 0 && slot !== record.current) this.#conclude(port, slot)
    if (record.working) return
    record.behind = true
    this.work(port)
  }

  #conclude(port: HartPort, slot: number): void {
    this.#finish(port, slot, this.#failed[slot] === 0 ? VIRTIO_BLK_S.OK : VIRTIO_BLK_S.IOERR)
  }

  /** Answers a request: its status, then its chain. */
  #finish(port: HartPort, slot: number, status: number): void {
    const head = this.#heads[slot]
    this.#heads[slot] = NONE
    // A device that has failed uses no buffers.
    if (!this.transport.isRunning()) return
    if (this.#queue.reachPiece(port, this.#statusAt[slot], 1) === 0) return this.transport.fail(port)
    port.store8(this.#queue.record.piece, status)
    this.#queue.put(port, head, (status === VIRTIO_BLK_S.OK ? this.#written[slot] : 0) + 1)
  }
}

/** Index of the first element that is NONE; NONE if there is none. */
function firstFree(list: Int32Array): number {
  for (let index = 0; index < list.length; index++) if (list[index] === NONE) return index
  return NONE
}
