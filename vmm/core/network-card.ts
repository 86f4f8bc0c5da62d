/** The machine's network card with its driver: the virtual switch's way out. Frames wait in DMA memory of the VMM's, both ways. */
import type { DmaBuffer, InterruptController, NetworkDevice } from '../../drivers/environment.ts'
import type { PcieBus } from '../../drivers/pcie.ts'
import type { CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { NIC_DEVICE, NIC_VENDOR } from '../../hw/spec/devices/nic.ts'
import type { PlacedDevice } from './placed-device.ts'
import type { Uplink, VirtualSwitch } from './virtual-switch.ts'

const FIRST_WIRE = 32
const TICKS_PER_MICROSECOND = 10
/** Frames at a time, each way. */
export const NETWORK_DEPTH = 64
const BUFFER = 2048
/** Before a frame to be sent: room for its tag. */
const HEADROOM = 8
const LEAST_FRAME = 14
/** IEEE 802.1Q: the type of a tagged frame as it stands in memory, the tag's offset and size, its VLAN. */
const TAGGED = 0x0081
const TAG = 12
const TAG_BYTES = 4
const VLAN = 0xfff

export class NetworkCard implements PlacedDevice, Uplink {
  readonly name = 'nic'
  /** For the VMM's registered state. */
  readonly state: Record<string, StateRecord>
  /** `next`: the sending buffer whose turn it is; frames that found no room. */
  readonly #record = { source: 0, started: false, ready: false, next: 0, lost: 0 }
  /** By sending buffer: 1 while the card has it. */
  readonly #sending = new Int32Array(NETWORK_DEPTH)
  readonly #outgoing: DmaBuffer
  readonly #incoming: DmaBuffer
  readonly #spare: number
  readonly #current: CurrentPort
  readonly #environment: PortEnvironment
  readonly #driver: NetworkDevice
  readonly #bus: PcieBus
  readonly #controller: InterruptController
  readonly #window: number
  readonly #switch: VirtualSwitch

  constructor(
    current: CurrentPort,
    environment: PortEnvironment,
    driver: NetworkDevice,
    bus: PcieBus,
    controller: InterruptController,
    window: number,
    virtualSwitch: VirtualSwitch,
  ) {
    this.#current = current
    this.#environment = environment
    this.#driver = driver
    this.#bus = bus
    this.#controller = controller
    this.#window = window
    this.#switch = virtualSwitch
    // The VMM runs untranslated: a buffer is for its loads and stores where it is for the device.
    this.#outgoing = environment.dma.allocate(NETWORK_DEPTH * BUFFER)
    this.#incoming = environment.dma.allocate(NETWORK_DEPTH * BUFFER)
    this.#spare = environment.dma.allocate(BUFFER).device + HEADROOM
    this.state = { network: this.#record, 'network sending': this.#sending, ...environment.registered }
    driver.onTransmitted(tag => {
      this.#sending[tag] = 0
    })
    driver.onReceived((tag, bytes) => this.#received(tag, bytes))
  }

  source(): number {
    return this.#record.source
  }

  /** Finds the device; its driver begins once its wire has been enabled. */
  start(): void {
    const slot = this.#bus.find(NIC_VENDOR, NIC_DEVICE)
    if (slot < 0) return
    this.#bus.enable(slot, this.#window)
    this.#record.source = FIRST_WIRE + this.#bus.wire(slot)
  }

  settled(): boolean {
    return this.#record.source === 0 || this.#record.ready || this.#driver.failure() !== ''
  }

  /** The driver's hold on its wire, at the interrupt controller. */
  mask(masked: boolean): void {
    if (masked) this.#controller.disable(this.#record.source)
    else this.#controller.enable(this.#record.source, 1)
  }

  interrupt(): void {
    this.#environment.interrupted(0)
  }

  elapsed(): number {
    const record = this.#record
    if (record.source !== 0 && !record.started) {
      record.started = true
      this.#driver.start()
    }
    const next = this.#environment.elapsed()
    const ready = this.#driver.ready()
    if (ready && !record.ready) {
      for (let tag = 0; tag < NETWORK_DEPTH; tag++)
        this.#driver.provide(tag, this.#incoming.device + tag * BUFFER, BUFFER)
    }
    record.ready = ready
    return next * TICKS_PER_MICROSECOND
  }

  buffer(): number {
    const { next } = this.#record
    return this.#sending[next] === 0 ? this.#outgoing.device + next * BUFFER + HEADROOM : this.#spare
  }

  send(port: HartPort, address: number, bytes: number, vlan: number): void {
    const record = this.#record
    const tag = record.next
    if (address !== this.#outgoing.device + tag * BUFFER + HEADROOM || !this.#driver.ready()) {
      record.lost++
      return
    }
    let from = address
    let length = bytes
    if (vlan !== 0) {
      from -= TAG_BYTES
      length += TAG_BYTES
      for (let offset = 0; offset < TAG; offset += 4) port.store32(from + offset, port.load32(address + offset))
      port.store16(from + TAG, TAGGED)
      port.store16(from + TAG + 2, swapped(vlan))
    }
    if (!this.#driver.transmit(tag, from, length)) {
      record.lost++
      return
    }
    this.#sending[tag] = 1
    record.next = tag + 1 === NETWORK_DEPTH ? 0 : tag + 1
  }

  #received(tag: number, bytes: number): void {
    const { port } = this.#current
    const at = this.#incoming.device + tag * BUFFER
    if (bytes >= LEAST_FRAME) this.#pass(port, at, bytes)
    this.#driver.provide(tag, at, BUFFER)
  }

  /** Takes a tag off, if there is one, by moving the addresses over it. */
  #pass(port: HartPort, at: number, bytes: number): void {
    if (port.load16(at + TAG) !== TAGGED) return this.#switch.receive(port, at, bytes, 0)
    const vlan = swapped(port.load16(at + TAG + 2)) & VLAN
    for (let offset = TAG - 4; offset >= 0; offset -= 4) port.store32(at + offset + TAG_BYTES, port.load32(at + offset))
    this.#switch.receive(port, at + TAG_BYTES, bytes - TAG_BYTES, vlan)
  }
}

/** The bytes of a 16-bit word in the network's order. */
function swapped(word: number): number {
  return ((word & 0xff) << 8) | (word >>> 8)
}
