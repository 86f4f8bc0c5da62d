/**
 * The virtio transport that a guest sees: memory-mapped, version 2 (virtio 1.2, 4.2). Control registers answer to
 * aligned accesses of 32 bits only, the configuration space to any.
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { VIRTIO_F, VIRTIO_MMIO_CONFIG, virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import { withField } from '../../hw/spec/registers.ts'
import type { GuestMemory, VirtualChip, VirtualLine } from './chip.ts'
import { QUEUE_MAXIMUM, VirtualQueue } from './queue.ts'

const { fields: status } = virtioMmio.Status
const FEATURES_OK = withField(status.FEATURES_OK, 0, 1)
const DRIVER_OK = withField(status.DRIVER_OK, 0, 1)
const NEEDS_RESET = withField(status.DEVICE_NEEDS_RESET, 0, 1)
const USED_BUFFER = withField(virtioMmio.InterruptStatus.fields.UsedBuffer, 0, 1)
const CONFIGURATION_CHANGE = withField(virtioMmio.InterruptStatus.fields.ConfigurationChange, 0, 1)
const EVENT_IDX = 1 << VIRTIO_F.EVENT_IDX
const INDIRECT_DESC = 1 << VIRTIO_F.INDIRECT_DESC
/** The only feature of word 1. */
const VERSION_1 = 1
const FOUR_GIB = 2 ** 32

/** What there is behind the transport. */
export interface VirtioDevice {
  readonly id: number
  /** Feature bits of word 0 of this kind of device; the transport's own are added. */
  readonly features: number
  readonly config: Uint8Array
  /** The guest has made buffers available in a queue. */
  notified(port: HartPort, queue: number): void
  /** The guest resets the device: true if it has let go of all memory; else it calls `quiesced` when it has. */
  reset(port: HartPort): boolean
}

export class VirtioTransport implements VirtualChip {
  /** Registered with the VMM's state. `resetting`: a reset that waits for the device's last access to memory. */
  readonly record = {
    status: 0,
    deviceSelector: 0,
    driverSelector: 0,
    low: 0,
    high: 0,
    queue: 0,
    cause: 0,
    resetting: false,
  }
  readonly queues: readonly VirtualQueue[]
  readonly #line: VirtualLine
  readonly #device: VirtioDevice
  readonly #features: number

  constructor(line: VirtualLine, memory: GuestMemory, queues: number, device: VirtioDevice) {
    this.#line = line
    this.#device = device
    this.#features = device.features | EVENT_IDX | INDIRECT_DESC
    this.queues = Array.from({ length: queues }, () => new VirtualQueue(memory))
  }

  /** For the VMM's registered state. A queue's chain is part of it where it outlives an entry. */
  state(name: string, keepsChains: boolean): Record<string, StateRecord> {
    const state: Record<string, StateRecord> = { [name]: this.record }
    this.queues.forEach((queue, index) => {
      state[`${name} queue ${index}`] = queue.record
      if (!keepsChains) return
      state[`${name} addresses ${index}`] = queue.addresses
      state[`${name} lengths ${index}`] = queue.lengths
    })
    return state
  }

  read(_port: HartPort, offset: number, bytes: 1 | 2 | 4): number {
    if (offset >= VIRTIO_MMIO_CONFIG) return this.#configuration(offset - VIRTIO_MMIO_CONFIG, bytes)
    if (bytes !== 4 || offset % 4 !== 0) return 0
    const { record } = this
    if (offset === virtioMmio.InterruptStatus.at) return record.cause
    if (offset === virtioMmio.Status.at) return record.status
    if (offset === virtioMmio.MagicValue.at) return virtioMmio.MagicValue.reset
    if (offset === virtioMmio.Version.at) return virtioMmio.Version.reset
    if (offset === virtioMmio.DeviceID.at) return this.#device.id
    if (offset === virtioMmio.DeviceFeatures.at) return this.#offered(record.deviceSelector)
    if (offset === virtioMmio.QueueNumMax.at) return record.queue < this.queues.length ? QUEUE_MAXIMUM : 0
    if (offset === virtioMmio.QueueReady.at)
      return record.queue < this.queues.length && this.queues[record.queue].record.ready ? 1 : 0
    // There is no shared memory: its length and base are all ones.
    if (offset >= virtioMmio.SHMLenLow.at && offset <= virtioMmio.SHMBaseHigh.at) return virtioMmio.SHMLenLow.reset
    return 0
  }

  #offered(word: number): number {
    if (word === 0) return this.#features >>> 0
    return word === 1 ? VERSION_1 : 0
  }

  #configuration(offset: number, bytes: number): number {
    const { config } = this.#device
    let value = 0
    for (let index = bytes - 1; index >= 0; index--) {
      value = value * 256 + (offset + index < config.length ? config[offset + index] : 0)
    }
    return value
  }

  write(port: HartPort, offset: number, bytes: 1 | 2 | 4, value: number): void {
    if (bytes !== 4 || offset % 4 !== 0 || offset >= VIRTIO_MMIO_CONFIG) return
    const { record } = this
    if (record.resetting) return
    if (offset === virtioMmio.QueueNotify.at) this.#notify(port, value)
    else if (offset === virtioMmio.InterruptACK.at) this.#raise(port, record.cause & ~value)
    else if (offset === virtioMmio.Status.at) this.#setStatus(port, value)
    else if (offset === virtioMmio.DeviceFeaturesSel.at) record.deviceSelector = value
    else if (offset === virtioMmio.DriverFeaturesSel.at) record.driverSelector = value
    else if (offset === virtioMmio.DriverFeatures.at) this.#accept(value)
    else if (offset === virtioMmio.QueueSel.at) record.queue = value
    else if (record.queue < this.queues.length) this.#setQueue(port, this.queues[record.queue], offset, value)
  }

  /** Features are not negotiable any more once FEATURES_OK is set. */
  #accept(value: number): void {
    const { record } = this
    if ((record.status & FEATURES_OK) !== 0) return
    if (record.driverSelector === 0) record.low = value
    else if (record.driverSelector === 1) record.high = value
  }

  #setQueue(port: HartPort, queue: VirtualQueue, offset: number, value: number): void {
    const { record } = queue
    if (offset === virtioMmio.QueueReady.at) {
      if (value !== 1) record.ready = false
      else if (!record.ready) this.#enable(port, queue)
      return
    }
    if (record.ready) return
    if (offset === virtioMmio.QueueNum.at) record.size = value
    else if (offset === virtioMmio.QueueDescLow.at) record.descriptors = withLow(record.descriptors, value)
    else if (offset === virtioMmio.QueueDescHigh.at) record.descriptors = withHigh(record.descriptors, value)
    else if (offset === virtioMmio.QueueDriverLow.at) record.driver = withLow(record.driver, value)
    else if (offset === virtioMmio.QueueDriverHigh.at) record.driver = withHigh(record.driver, value)
    else if (offset === virtioMmio.QueueDeviceLow.at) record.device = withLow(record.device, value)
    else if (offset === virtioMmio.QueueDeviceHigh.at) record.device = withHigh(record.device, value)
  }

  #enable(port: HartPort, queue: VirtualQueue): void {
    const { low } = this.record
    if (!queue.enable(port, (low & EVENT_IDX) !== 0, (low & INDIRECT_DESC) !== 0)) this.fail(port)
  }

  #setStatus(port: HartPort, value: number): void {
    const { record } = this
    if (value === 0) {
      record.resetting = true
      for (let index = 0; index < this.queues.length; index++) this.queues[index].record.ready = false
      if (this.#device.reset(port)) this.quiesced(port)
      return
    }
    const refused = (record.low & ~this.#features) !== 0 || record.high !== VERSION_1
    // A driver can set bits, but not clear them, nor claim features that it was not offered (virtio 1.2, 2.1, 3.1.1).
    const before = record.status
    record.status = (before | (value & 0xff & ~NEEDS_RESET)) >>> 0
    if (refused) record.status = (record.status & ~(FEATURES_OK | DRIVER_OK)) >>> 0
    if ((before & DRIVER_OK) === 0 && this.isRunning()) {
      // A driver may have filled its queues before.
      for (let index = 0; index < this.queues.length; index++) this.#device.notified(port, index)
    }
  }

  #notify(port: HartPort, queue: number): void {
    if (this.isRunning() && queue < this.queues.length) this.#device.notified(port, queue)
  }

  /** As if the driver had reset the device. */
  quiesce(port: HartPort): boolean {
    const { record } = this
    if (!record.resetting && record.status !== 0) this.#setStatus(port, 0)
    return !record.resetting
  }

  /** The reset is over: no access to the guest's memory follows. */
  quiesced(port: HartPort): void {
    const { record } = this
    record.resetting = false
    record.status = 0
    record.low = 0
    record.high = 0
    record.queue = 0
    record.deviceSelector = 0
    record.driverSelector = 0
    for (let index = 0; index < this.queues.length; index++) this.queues[index].reset()
    this.#raise(port, 0)
  }

  /** True if the device may take and use buffers. */
  isRunning(): boolean {
    const { record } = this
    return (record.status & (DRIVER_OK | NEEDS_RESET)) === DRIVER_OK && !record.resetting
  }

  /** Interrupts for what was given back in a queue, if the guest wants that; a broken queue breaks the device. */
  settle(port: HartPort, queue: VirtualQueue): void {
    if (queue.record.broken) this.fail(port)
    else if (queue.wantsInterrupt(port)) this.#raise(port, this.record.cause | USED_BUFFER)
  }

  /** The guest broke the rules: nothing goes on until it resets the device (virtio 1.2, 2.1.1). */
  fail(port: HartPort): void {
    const { record } = this
    if ((record.status & NEEDS_RESET) !== 0) return
    record.status = (record.status | NEEDS_RESET) >>> 0
    if ((record.status & DRIVER_OK) !== 0) this.#raise(port, record.cause | CONFIGURATION_CHANGE)
  }

  #raise(port: HartPort, cause: number): void {
    const { record } = this
    const before = record.cause
    record.cause = cause
    if ((before !== 0) !== (cause !== 0)) this.#line.set(port, cause !== 0)
  }
}

function withLow(address: number, low: number): number {
  return Math.floor(address / FOUR_GIB) * FOUR_GIB + low
}

/** Addresses of almost 2^53 and more need not be told apart: no guest has RAM there. */
function withHigh(address: number, high: number): number {
  return (high > 0x1f_ffff ? 0x1f_ffff : high) * FOUR_GIB + (address % FOUR_GIB)
}
