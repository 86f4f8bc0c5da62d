/**
 * The machine's NVMe disk with its driver, divided among the guests: each has a range of sectors, and as many requests
 * at a time as every other. Data goes straight between the disk and the guest's memory.
 */
import type { BlockDevice, InterruptController } from '../../drivers/environment.ts'
import type { PcieBus } from '../../drivers/pcie.ts'
import type { CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import type { PlacedDevice } from '../core/placed-device.ts'
import type { BlockBackend, GuestMemory } from '../virtual/chip.ts'

/** Mass storage, non-volatile memory, NVM Express. */
const NVME_CLASS = 0x01_08_02
/** The root bus's wires are sources from here on. */
const FIRST_WIRE = 32
const TICKS_PER_MICROSECOND = 10
/** 128 KiB: what the controller takes at the least (NVMe 1.4, MDTS) and our driver at the most. */
const MAXIMUM_SECTORS = 256
const SECTOR = 512

/** A range of the disk's sectors. */
export interface Range {
  readonly first: number
  readonly sectors: number
}

interface Partition extends Range {
  readonly memory: GuestMemory
  completed: (port: HartPort, tag: number, ok: boolean) => void
  room: (port: HartPort) => void
}

export class NativeDisk implements PlacedDevice {
  readonly name = 'nvme'
  /** For the VMM's registered state. */
  readonly state: Record<string, StateRecord>
  readonly #record = { source: 0, started: false, ready: false, failed: false }
  readonly #partitions: Partition[] = []
  /** How many share the driver's tags, every so-manieth is one's; and how many each has. A tag decides its queue: so guests have theirs. */
  readonly #guests: number
  readonly #share: number
  readonly #maximumSectors: number
  readonly #environment: PortEnvironment
  readonly #driver: BlockDevice
  readonly #bus: PcieBus
  readonly #controller: InterruptController
  readonly #window: number

  /**
   * `window`: where the controller's registers are put, as the environment has it. `partitions`: how many there will be.
   * `maximumSectors`: of a request, if the driver takes less than the controller does.
   */
  constructor(
    current: CurrentPort,
    environment: PortEnvironment,
    driver: BlockDevice,
    bus: PcieBus,
    controller: InterruptController,
    window: number,
    partitions: number,
    maximumSectors = MAXIMUM_SECTORS,
  ) {
    this.#environment = environment
    this.#driver = driver
    this.#bus = bus
    this.#controller = controller
    this.#window = window
    this.#maximumSectors = maximumSectors
    this.#guests = Math.max(1, partitions)
    this.#share = Math.max(1, Math.floor(driver.depth / this.#guests))
    this.state = { disk: this.#record, ...environment.registered }
    driver.onCompleted((tag, how) => {
      const partition = this.#partitions[tag % this.#guests]
      partition.completed(current.port, Math.floor(tag / this.#guests), how === 'ok')
    })
  }

  /** A guest's part of the disk. Set-up. */
  partition(range: Range, memory: GuestMemory): BlockBackend {
    const index = this.#partitions.length
    const partition: Partition = { ...range, memory, completed: () => {}, room: () => {} }
    this.#partitions.push(partition)
    return {
      depth: this.#share,
      maximumSectors: this.#maximumSectors,
      sectors: () => range.sectors,
      submit: (port, tag, operation, sector, count, guestAddress) =>
        this.#submit(port, partition, tag * this.#guests + index, tag, operation, sector, count, guestAddress),
      attach: (completed, room) => {
        partition.completed = completed
        partition.room = room
      },
    }
  }

  #submit(
    port: HartPort,
    partition: Partition,
    tag: number,
    own: number,
    operation: 'read' | 'write' | 'flush',
    sector: number,
    count: number,
    guestAddress: number,
  ): boolean {
    if (this.#record.failed || (operation !== 'flush' && sector + count > partition.sectors)) {
      partition.completed(port, own, false)
      return true
    }
    if (operation === 'flush') return this.#driver.submit(tag, 'flush', 0, 0, 0, false)
    const address = partition.memory.deviceAddress(port, guestAddress, count * SECTOR)
    if (address < 0) {
      partition.completed(port, own, false)
      return true
    }
    return this.#driver.submit(tag, operation, partition.first + sector, count, address, false)
  }

  source(): number {
    return this.#record.source
  }

  /** Finds the device; its driver begins once its wire has been enabled. */
  start(port: HartPort): void {
    const slot = this.#bus.findClass(NVME_CLASS)
    if (slot < 0) {
      this.#fail(port)
      return
    }
    this.#bus.enable(slot, this.#window)
    this.#record.source = FIRST_WIRE + this.#bus.wire(slot)
  }

  settled(): boolean {
    return this.#record.ready || this.#record.failed
  }

  /** The driver's hold on its wire, at the interrupt controller. */
  mask(masked: boolean): void {
    if (masked) this.#controller.disable(this.#record.source)
    else this.#controller.enable(this.#record.source, 1)
  }

  interrupt(): void {
    this.#environment.interrupted(0)
  }

  elapsed(port: HartPort): number {
    const record = this.#record
    if (record.source !== 0 && !record.started) {
      record.started = true
      this.#driver.start()
    }
    const next = this.#environment.elapsed()
    const ready = this.#driver.ready()
    if (ready !== record.ready) {
      record.ready = ready
      if (ready) this.#announce(port)
    }
    if (!ready && !record.failed && this.#driver.failure() !== '') this.#fail(port)
    return next * TICKS_PER_MICROSECOND
  }

  /** The disk is of no use: what waits for it, and whatever comes, fails. */
  #fail(port: HartPort): void {
    this.#record.failed = true
    this.#announce(port)
  }

  /** What was refused before is taken now. */
  #announce(port: HartPort): void {
    for (let index = 0; index < this.#partitions.length; index++) this.#partitions[index].room(port)
  }
}
