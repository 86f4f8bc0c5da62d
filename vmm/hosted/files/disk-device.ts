/** The machine's disk as the host's kernel finds it: its controller on the PCIe bus, its wire, its driver's clock. */
import type { BlockDevice, InterruptController } from '../../../drivers/environment.ts'
import type { PcieBus } from '../../../drivers/pcie.ts'
import type { PortEnvironment } from '../../../drivers/port-environment.ts'
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import type { PlacedDevice } from '../../core/placed-device.ts'
import type { BlockLayer } from './block-layer.ts'

/** Mass storage, non-volatile memory, NVM Express. */
const NVME_CLASS = 0x01_08_02
/** The root bus's wires are sources from here on. */
const FIRST_WIRE = 32
const TICKS_PER_MICROSECOND = 10

export class DiskDevice implements PlacedDevice {
  readonly name = 'nvme'
  readonly state: Record<string, StateRecord>
  readonly record = { source: 0, started: false }
  readonly #environment: PortEnvironment
  readonly #driver: BlockDevice
  readonly #bus: PcieBus
  readonly #controller: InterruptController
  readonly #window: number
  readonly #blocks: BlockLayer

  /** `window`: where the controller's registers are put. */
  constructor(
    environment: PortEnvironment,
    driver: BlockDevice,
    bus: PcieBus,
    controller: InterruptController,
    window: number,
    blocks: BlockLayer,
  ) {
    this.#environment = environment
    this.#driver = driver
    this.#bus = bus
    this.#controller = controller
    this.#window = window
    this.#blocks = blocks
    this.state = { 'disk device': this.record, ...environment.registered }
  }

  source(): number {
    return this.record.source
  }

  /** Finds the device; its driver begins once its wire has been enabled. */
  start(): void {
    const slot = this.#bus.findClass(NVME_CLASS)
    if (slot < 0) {
      this.#blocks.record.failed = true
      return
    }
    this.#bus.enable(slot, this.#window)
    this.record.source = FIRST_WIRE + this.#bus.wire(slot)
  }

  /** The driver's hold on its wire, at the interrupt controller. */
  mask(masked: boolean): void {
    if (masked) this.#controller.disable(this.record.source)
    else this.#controller.enable(this.record.source, 1)
  }

  settled(): boolean {
    return this.#blocks.record.failed || this.#driver.ready()
  }

  interrupt(): void {
    this.#environment.interrupted(0)
  }

  elapsed(port: HartPort): number {
    const { record } = this
    if (record.source !== 0 && !record.started) {
      record.started = true
      this.#driver.start()
    }
    const next = this.#environment.elapsed()
    if (this.#driver.failure() !== '' && !this.#blocks.record.failed) this.#blocks.fail(port)
    return next * TICKS_PER_MICROSECOND
  }
}
