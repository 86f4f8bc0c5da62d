/**
 * The machine's network card in the host's kernel. Sending: a queue in front of the card's ring. Receiving: at an interrupt
 * the card is told to be quiet, and a soft interrupt polls it, some frames a round, until there are no more; then it may
 * interrupt again.
 */
import type { InterruptController } from '../../../drivers/environment.ts'
import type { NicDevice } from '../../../drivers/nic.ts'
import type { PcieBus } from '../../../drivers/pcie.ts'
import type { CurrentPort, PortEnvironment } from '../../../drivers/port-environment.ts'
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { NIC_DEVICE, NIC_VENDOR } from '../../../hw/spec/devices/nic.ts'
import type { PlacedDevice } from '../../core/placed-device.ts'
import { SOFT_NET_RX, SOFT_NET_TX, type SoftInterrupts } from '../soft-interrupts.ts'
import { type DeviceMemory, NETWORK_DEVICE, NOT_MAPPED } from '../memory/device-memory.ts'
import { FairQueue } from './fair-queue.ts'
import { NO_PACKET, packet, packetAt, type Packets, PACKET_BYTES } from './packets.ts'

const FIRST_WIRE = 32
const TICKS_PER_MICROSECOND = 10
/** Frames at a time, each way. */
export const NETWORK_DEPTH = 64
/** Frames that a round handles: an entry is short. */
const BUDGET = 16
const LEAST_FRAME = 14
/** IEEE 802.1Q: the type of a tagged frame as it stands in memory, the tag's offset and size, its VLAN. */
const TAGGED = 0x0081
const TAG = 12
const TAG_BYTES = 4
const VLAN = 0xfff

/** Has a frame that has come in: it is his now. */
export type Receiver = (port: HartPort, number: number) => void

export class HostNetworkDevice implements PlacedDevice {
  readonly name = 'nic'
  readonly state: Record<string, StateRecord>
  readonly record = { source: 0, started: false, ready: false, lost: 0 }
  /** By tag: the packet whose data the card has, plus one. */
  readonly #sending = new Int32Array(NETWORK_DEPTH)
  readonly #receiving = new Int32Array(NETWORK_DEPTH)
  readonly #queue = new FairQueue()
  readonly #current: CurrentPort
  readonly #environment: PortEnvironment
  readonly #driver: NicDevice
  readonly #bus: PcieBus
  readonly #controller: InterruptController
  readonly #window: number
  readonly #packets: Packets
  readonly #memory: DeviceMemory
  readonly #soft: SoftInterrupts
  #receive: Receiver = () => {}

  constructor(
    current: CurrentPort,
    environment: PortEnvironment,
    driver: NicDevice,
    bus: PcieBus,
    controller: InterruptController,
    window: number,
    packets: Packets,
    soft: SoftInterrupts,
    memory: DeviceMemory,
  ) {
    this.#memory = memory
    this.#current = current
    this.#environment = environment
    this.#driver = driver
    this.#bus = bus
    this.#controller = controller
    this.#window = window
    this.#packets = packets
    this.#soft = soft
    this.state = {
      'network device': this.record,
      'network sending': this.#sending,
      'network receiving': this.#receiving,
      ...this.#queue.state,
      ...environment.registered,
    }
    driver.onTransmitted(tag => this.#transmitted(current.port, tag))
    driver.onReceived((tag, bytes) => this.#received(tag, bytes))
    soft.attach(SOFT_NET_RX, port => this.#poll(port))
    soft.attach(SOFT_NET_TX, port => this.#send(port))
  }

  /** Who has the frames that come. Set-up. */
  attach(receive: Receiver): void {
    this.#receive = receive
  }

  /** The card's station address, once it is ready. */
  mac(): readonly number[] {
    return this.#driver.mac()
  }

  /** Sends a packet, or frees it: behind those that wait. */
  transmit(port: HartPort, number: number): void {
    if (!this.record.ready) return this.#lose(port, number)
    const lost = this.#queue.add(port, number)
    if (lost !== NO_PACKET) this.#lose(port, lost)
    this.#send(port)
  }

  /** Gives the card what waits, as long as its ring has room. */
  #send(port: HartPort): boolean {
    while (this.#queue.record.count > 0) {
      let tag = 0
      while (tag < NETWORK_DEPTH && this.#sending[tag] !== 0) tag++
      if (tag === NETWORK_DEPTH) return false
      const number = this.#queue.take(port)
      const at = packetAt(number)
      const vlan = port.load32(at + packet.vlan.at)
      if (vlan !== 0 && !this.#packets.unshare(port, number)) {
        this.#lose(port, number)
        continue
      }
      if (vlan !== 0) addTag(port, at, vlan)
      const bytes = port.load32(at + packet.length.at)
      const mapped = this.#memory.map(port, NETWORK_DEVICE, port.load64(at + packet.data.at), bytes)
      if (mapped === NOT_MAPPED) this.#lose(port, number)
      else if (this.#driver.transmit(tag, mapped, bytes)) {
        port.store32(at + packet.mapped.at, bytes)
        this.#sending[tag] = number + 1
      } else {
        this.#memory.unmap(port, NETWORK_DEVICE, bytes)
        this.#lose(port, number)
      }
    }
    return false
  }

  #lose(port: HartPort, number: number): void {
    this.record.lost++
    this.#packets.free(port, number)
  }

  #transmitted(port: HartPort, tag: number): void {
    const number = this.#sending[tag] - 1
    this.#memory.unmap(port, NETWORK_DEVICE, port.load32(packetAt(number) + packet.mapped.at))
    this.#packets.free(port, number)
    this.#sending[tag] = 0
    if (this.#queue.record.count > 0) this.#soft.raise(port.hart, SOFT_NET_TX)
  }

  #received(tag: number, bytes: number): void {
    const { port } = this.#current
    const number = this.#receiving[tag] - 1
    this.#receiving[tag] = 0
    const fresh = this.#packets.take(port)
    // Without memory for the next frame this one is lost, and its buffer stays the card's.
    if (fresh === NO_PACKET || bytes < LEAST_FRAME) {
      if (fresh !== NO_PACKET) this.#packets.free(port, fresh)
      this.record.lost++
      return this.#provide(port, tag, number)
    }
    this.#provide(port, tag, fresh)
    const at = packetAt(number)
    port.store32(at + packet.length.at, bytes)
    takeTag(port, at)
    this.#receive(port, number)
  }

  #provide(port: HartPort, tag: number, number: number): void {
    this.#receiving[tag] = number + 1
    this.#driver.provide(tag, port.load64(packetAt(number) + packet.data.at), PACKET_BYTES)
  }

  source(): number {
    return this.record.source
  }

  /** Finds the device; its driver begins once its wire has been enabled. */
  start(): void {
    const slot = this.#bus.find(NIC_VENDOR, NIC_DEVICE)
    if (slot < 0) return
    this.#bus.enable(slot, this.#window)
    this.record.source = FIRST_WIRE + this.#bus.wire(slot)
  }

  settled(): boolean {
    return this.record.source === 0 || this.record.ready || this.#driver.failure() !== ''
  }

  /** The driver's hold on its wire, at the interrupt controller. */
  mask(masked: boolean): void {
    if (masked) this.#controller.disable(this.record.source)
    else this.#controller.enable(this.record.source, 1)
  }

  interrupt(): void {
    this.#environment.interrupted(0)
  }

  /** The driver has been interrupted, and has told the card to be quiet. */
  schedule(): void {
    this.#soft.raise(this.#current.port.hart, SOFT_NET_RX)
  }

  /** A round of the soft interrupt. True if there may be more. */
  #poll(port: HartPort): boolean {
    port.account('host kernel', 'network soft interrupt', 'computing')
    if (this.#driver.poll(BUDGET) === BUDGET) return true
    this.#driver.listen()
    return false
  }

  elapsed(port: HartPort): number {
    const { record } = this
    if (record.source !== 0 && !record.started) {
      record.started = true
      this.#driver.start()
    }
    const next = this.#environment.elapsed()
    const ready = this.#driver.ready()
    if (ready && !record.ready) {
      for (let tag = 0; tag < NETWORK_DEPTH; tag++) {
        const number = this.#packets.take(port)
        if (number !== NO_PACKET) this.#provide(port, tag, number)
      }
    }
    record.ready = ready
    return next * TICKS_PER_MICROSECOND
  }
}

/** Puts a tag behind the addresses, which move into the headroom. */
function addTag(port: HartPort, at: number, vlan: number): void {
  const data = port.load64(at + packet.data.at)
  const to = data - TAG_BYTES
  for (let offset = 0; offset < TAG; offset += 2) port.store16(to + offset, port.load16(data + offset))
  port.store16(to + TAG, TAGGED)
  port.store16(to + TAG + 2, swapped(vlan))
  port.store64(at + packet.data.at, to)
  port.store32(at + packet.length.at, port.load32(at + packet.length.at) + TAG_BYTES)
}

/** Takes a tag off, if there is one, by moving the addresses over it. */
function takeTag(port: HartPort, at: number): void {
  const data = port.load64(at + packet.data.at)
  if (port.load16(data + TAG) !== TAGGED) return
  port.store32(at + packet.vlan.at, swapped(port.load16(data + TAG + 2)) & VLAN)
  for (let offset = TAG - 2; offset >= 0; offset -= 2)
    port.store16(data + offset + TAG_BYTES, port.load16(data + offset))
  port.store64(at + packet.data.at, data + TAG_BYTES)
  port.store32(at + packet.length.at, port.load32(at + packet.length.at) - TAG_BYTES)
}

/** The bytes of a 16-bit word in the network's order. */
function swapped(word: number): number {
  return ((word & 0xff) << 8) | (word >>> 8)
}
