/** A small virtio device over MMIO for the drivers' tests: strict about what a driver may do, written from virtio 1.2 and the tables alone. */
import type { Chip, Clock } from '../../hw/bus/chip.ts'
import { VIRTIO_F, VIRTIO_MMIO_CONFIG, virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import {
  availEventAt,
  usedEventAt,
  virtqAvail,
  virtqDesc,
  virtqUsed,
  virtqUsedElem,
} from '../../hw/spec/layouts/virtqueue.ts'
import type { BenchMemory, BenchTime } from '../hw/devices/bench.ts'

export interface Segment {
  readonly address: number
  readonly bytes: number
  readonly writable: boolean
}

export interface Chain {
  readonly head: number
  readonly segments: readonly Segment[]
}

export interface VirtioModelOptions {
  readonly id: number
  /** Feature bits of word 0 that are offered; VERSION_1 always is. */
  readonly features: number
  readonly queues: number
  readonly config: Uint8Array
  /** QueueNumMax; 256 unless given. */
  readonly most?: number
  /** Serves a chain: the bytes written into it, or nothing if it is kept for later (see `use`). */
  readonly serve: (queue: number, chain: Chain) => number | undefined
}

interface Queue {
  size: number
  ready: boolean
  desc: number
  driver: number
  device: number
  seen: number
  used: number
  kept: Chain[]
}

const SERVICE_NANOSECONDS = 700
const DRIVER_OK = 4
const FEATURES_OK = 8

export class VirtioModel implements Chip {
  level = false
  notifications = 0
  interrupts = 0
  readonly #options: VirtioModelOptions
  readonly #time: BenchTime
  readonly #memory: BenchMemory
  #status = 0
  #sel = 0
  #featuresSel = 0
  #driverSel = 0
  #accepted = [0, 0]
  #cause = 0
  #queues: Queue[] = []

  constructor(options: VirtioModelOptions, time: BenchTime, memory: BenchMemory) {
    this.#options = options
    this.#time = time
    this.#memory = memory
    this.#reset()
  }

  read(offset: number, bytes: 1 | 2 | 4): number {
    const { config, id, features, most = 256 } = this.#options
    if (offset >= VIRTIO_MMIO_CONFIG) {
      let value = 0
      for (let i = bytes - 1; i >= 0; i--) value = value * 256 + (config[offset - VIRTIO_MMIO_CONFIG + i] ?? 0)
      return value
    }
    if (bytes !== 4) throw new Error(`control register ${offset} read by ${bytes} bytes`)
    switch (offset) {
      case virtioMmio.MagicValue.at:
        return virtioMmio.MagicValue.reset
      case virtioMmio.Version.at:
        return 2
      case virtioMmio.DeviceID.at:
        return id
      case virtioMmio.DeviceFeatures.at:
        return this.#featuresSel === 0 ? features : 1
      case virtioMmio.QueueNumMax.at:
        return this.#sel < this.#options.queues ? most : 0
      case virtioMmio.QueueReady.at:
        return this.#queues[this.#sel]?.ready ? 1 : 0
      case virtioMmio.InterruptStatus.at:
        return this.#cause
      case virtioMmio.Status.at:
        return this.#status
      default:
        return 0
    }
  }

  write(offset: number, bytes: 1 | 2 | 4, value: number): void {
    if (bytes !== 4) throw new Error(`register ${offset} written by ${bytes} bytes`)
    const queue = this.#queues[this.#sel]
    switch (offset) {
      case virtioMmio.DeviceFeaturesSel.at:
        this.#featuresSel = value
        break
      case virtioMmio.DriverFeaturesSel.at:
        this.#driverSel = value
        break
      case virtioMmio.DriverFeatures.at:
        this.#accepted[this.#driverSel] = value
        break
      case virtioMmio.QueueSel.at:
        this.#sel = value
        break
      case virtioMmio.QueueNum.at:
        queue.size = value
        break
      case virtioMmio.QueueReady.at:
        queue.ready = value === 1
        break
      case virtioMmio.QueueDescLow.at:
        queue.desc = value
        break
      case virtioMmio.QueueDriverLow.at:
        queue.driver = value
        break
      case virtioMmio.QueueDeviceLow.at:
        queue.device = value
        break
      case virtioMmio.QueueDescHigh.at:
        queue.desc += value * 2 ** 32
        break
      case virtioMmio.QueueDriverHigh.at:
        queue.driver += value * 2 ** 32
        break
      case virtioMmio.QueueDeviceHigh.at:
        queue.device += value * 2 ** 32
        break
      case virtioMmio.QueueNotify.at:
        this.#notify(value)
        break
      case virtioMmio.InterruptACK.at:
        this.#raise(this.#cause & ~value)
        break
      case virtioMmio.Status.at:
        this.#setStatus(value)
        break
      default:
        throw new Error(`register ${offset} written`)
    }
  }

  /** Lies in the used ring, whose address `lie` is given, and interrupts. */
  forge(index: number, lie: (used: number) => void): void {
    lie(this.#queues[index].device)
    this.#raise(this.#cause | 1)
  }

  /** A clock that calls `due`, for what happens outside. */
  clock(due: () => void): Clock {
    return this.#time.clockFor(() => ({ due }))
  }

  /** Says that the configuration space has changed. */
  changeConfiguration(): void {
    this.#raise(this.#cause | 2)
  }

  /** Chains that `serve` kept, oldest first. */
  kept(queue: number): readonly Chain[] {
    return this.#queues[queue].kept
  }

  /** Returns a chain that was kept, with so many bytes written into it. */
  use(index: number, chain: Chain, bytes: number): void {
    const queue = this.#queues[index]
    queue.kept = queue.kept.filter(({ head }) => head !== chain.head)
    this.#complete(queue, chain, bytes)
  }

  #reset(): void {
    this.#status = 0
    this.#accepted = [0, 0]
    this.#raise(0)
    this.#queues = Array.from({ length: this.#options.queues }, () => ({
      size: 0,
      ready: false,
      desc: 0,
      driver: 0,
      device: 0,
      seen: 0,
      used: 0,
      kept: [],
    }))
  }

  #setStatus(value: number): void {
    if (value === 0) this.#reset()
    else {
      this.#status = value
      const [low = 0, high = 0] = this.#accepted
      if ((value & FEATURES_OK) !== 0 && ((low & ~this.#options.features) !== 0 || high !== 1))
        this.#status &= ~FEATURES_OK
    }
  }

  #raise(cause: number): void {
    if (cause !== 0 && !this.level) this.interrupts += 1
    this.#cause = cause
    this.level = cause !== 0
  }

  #notify(index: number): void {
    if ((this.#status & DRIVER_OK) === 0) throw new Error('notified before DRIVER_OK')
    this.notifications += 1
    const clock = this.#time.clockFor(() => ({ due: () => this.#serve(index) }))
    clock.at(clock.now() + SERVICE_NANOSECONDS, 'serve')
  }

  #serve(index: number): void {
    const queue = this.#queues[index]
    const { view } = this.#memory
    if (!queue?.ready) return
    for (;;) {
      if (queue.seen === view.getUint16(queue.driver + virtqAvail.idx.at, true)) {
        if (!this.#eventIdx()) return
        view.setUint16(queue.device + availEventAt(queue.size), queue.seen, true)
        return
      }
      const head = view.getUint16(queue.driver + virtqAvail.size + 2 * (queue.seen % queue.size), true)
      queue.seen = (queue.seen + 1) & 0xffff
      const chain = this.#chain(queue, head)
      const bytes = this.#options.serve(index, chain)
      if (bytes === undefined) queue.kept.push(chain)
      else this.#complete(queue, chain, bytes)
    }
  }

  #chain(queue: Queue, head: number): Chain {
    const { view } = this.#memory
    const segments: Segment[] = []
    for (let at = head; ; ) {
      if (at >= queue.size || segments.length >= queue.size) throw new Error(`chain ${head} runs wild`)
      const desc = queue.desc + at * virtqDesc.size
      const flags = view.getUint16(desc + virtqDesc.flags.at, true)
      if (segments.at(-1)?.writable && (flags & 2) === 0) throw new Error('a readable descriptor after a writable one')
      segments.push({
        address: view.getUint32(desc, true) + view.getUint32(desc + 4, true) * 2 ** 32,
        bytes: view.getUint32(desc + virtqDesc.len.at, true),
        writable: (flags & 2) !== 0,
      })
      if ((flags & 1) === 0) return { head, segments }
      at = view.getUint16(desc + virtqDesc.next.at, true)
    }
  }

  #complete(queue: Queue, { head }: Chain, bytes: number): void {
    const { view } = this.#memory
    const at = queue.device + virtqUsed.size + (queue.used % queue.size) * virtqUsedElem.size
    view.setUint32(at, head, true)
    view.setUint32(at + virtqUsedElem.len.at, bytes, true)
    const old = queue.used
    queue.used = (old + 1) & 0xffff
    view.setUint16(queue.device + virtqUsed.idx.at, queue.used, true)
    const wanted = this.#eventIdx()
      ? view.getUint16(queue.driver + usedEventAt(queue.size), true) === old
      : (view.getUint16(queue.driver + virtqAvail.flags.at, true) & 1) === 0
    if (wanted) this.#raise(this.#cause | 1)
  }

  #eventIdx(): boolean {
    return ((this.#accepted[0] >>> VIRTIO_F.EVENT_IDX) & 1) === 1
  }
}

/** A disk's `serve` over an array of sectors; `fails` makes a sector unreadable and unwritable. */
export function serveDisk(
  memory: BenchMemory,
  disk: Uint8Array,
  fails: ReadonlySet<number> = new Set(),
): VirtioModelOptions['serve'] {
  return (_queue, { segments }) => {
    const [header, ...rest] = segments
    const status = rest.pop()!
    if (header.bytes !== 16 || header.writable || status.bytes !== 1 || !status.writable)
      throw new Error('not a block request')
    const type = memory.view.getUint32(header.address, true)
    const from = memory.view.getUint32(header.address + 8, true) * 512
    const bytes = rest.reduce((sum, segment) => sum + segment.bytes, 0)
    const bad =
      from + bytes > disk.length || [...fails].some(sector => sector * 512 < from + bytes && from < (sector + 1) * 512)
    memory.bytes[status.address] = type !== 0 && type !== 1 && type !== 4 ? 2 : bad ? 1 : 0
    if (type === 4 && rest.length > 0) throw new Error('a flush with data')
    if (bad || type === 4) return 1
    let at = from
    for (const { address, bytes: length, writable } of rest) {
      if (writable !== (type === 0)) throw new Error('data of the wrong direction')
      if (type === 0) memory.bytes.set(disk.subarray(at, at + length), address)
      else disk.set(memory.bytes.subarray(address, address + length), at)
      at += length
    }
    return type === 0 ? bytes + 1 : 1
  }
}
