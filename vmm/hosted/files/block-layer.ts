/**
 * The host's block layer. Whoever has something for the disk plugs: its requests gather on the hart, neighbours merge.
 * Unplugging moves them to the hart's software queue and runs the hardware queue, which hands what the software queues
 * have to the scheduler and takes what that chooses as long as it has tags. The NVMe driver's interrupt takes completions;
 * a soft interrupt tells who waits.
 */
import type { BlockDevice, InterruptController } from '../../../drivers/environment.ts'
import type { PcieBus } from '../../../drivers/pcie.ts'
import type { CurrentPort, PortEnvironment } from '../../../drivers/port-environment.ts'
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import type { FreeMemory } from '../../core/free-memory.ts'
import type { PlacedDevice } from '../../core/placed-device.ts'
import { SOFT_BLOCK, type SoftInterrupts } from '../soft-interrupts.ts'
import { DeadlineScheduler } from './deadline-scheduler.ts'
import { NO_REQUEST, request, requestAt, RequestQueue, RequestSlab } from './requests.ts'

/** Mass storage, non-volatile memory, NVM Express. */
const NVME_CLASS = 0x01_08_02
/** The root bus's wires are sources from here on. */
const FIRST_WIRE = 32
const TICKS_PER_MICROSECOND = 10
/** Commands at a time. */
export const DISK_DEPTH = 32
const SECTOR = 512
/** Policy: sectors of a request that others were merged into (128 KiB). */
const MOST_MERGED = 256

export const BLOCK_READ = 0
export const BLOCK_WRITE = 1
/** A write that is on the medium when it is over. */
export const BLOCK_WRITE_THROUGH = 2
const BLOCK_FLUSH = 3
const OPERATIONS = ['read', 'write', 'write', 'flush'] as const

/** Whose request it is: the page cache's, with the first page as its cookie; the journal's; a process's, past the cache. */
export const FOR_PAGES = 0
export const FOR_JOURNAL = 1
export const FOR_PROCESS = 2
const FOR_FLUSH = 3

/** Hears that a request is over: its cookie, its sectors. */
export type Completed = (port: HartPort, cookie: number, sectors: number, ok: boolean) => void

export class BlockLayer implements PlacedDevice {
  readonly name = 'nvme'
  readonly state: Record<string, StateRecord>
  /** Flushes: the last asked for, the last that is over, the one under way. */
  readonly record = {
    source: 0,
    started: false,
    failed: false,
    asked: 0,
    flushed: 0,
    flushing: 0,
    free: DISK_DEPTH,
  }
  /** By tag: its request, plus one. */
  readonly #tags = new Int32Array(DISK_DEPTH)
  readonly #plugs: readonly RequestQueue[]
  readonly #software: readonly RequestQueue[]
  readonly #done = new RequestQueue()
  readonly #scheduler = new DeadlineScheduler()
  readonly #slab = new RequestSlab()
  readonly #completed: Completed[] = [() => {}, () => {}, () => {}, () => {}]
  readonly #environment: PortEnvironment
  readonly #driver: BlockDevice
  readonly #bus: PcieBus
  readonly #controller: InterruptController
  readonly #window: number
  readonly #soft: SoftInterrupts

  /** `window`: where the controller's registers are put. */
  constructor(
    current: CurrentPort,
    environment: PortEnvironment,
    driver: BlockDevice,
    bus: PcieBus,
    controller: InterruptController,
    window: number,
    soft: SoftInterrupts,
    harts: number,
  ) {
    this.#environment = environment
    this.#driver = driver
    this.#bus = bus
    this.#controller = controller
    this.#window = window
    this.#soft = soft
    this.#plugs = Array.from({ length: harts }, () => new RequestQueue())
    this.#software = Array.from({ length: harts }, () => new RequestQueue())
    this.state = {
      'block layer': this.record,
      'block tags': this.#tags,
      'block done': this.#done.record,
      ...this.#scheduler.state,
      'block slab': this.#slab.record,
      ...environment.registered,
    }
    this.#plugs.forEach(({ record }, hart) => (this.state[`plug ${hart}`] = record))
    this.#software.forEach(({ record }, hart) => (this.state[`software queue ${hart}`] = record))
    this.#completed[FOR_FLUSH] = (port, cookie, sectors, ok) => this.#flushEnded(port, cookie, sectors, ok)
    driver.onCompleted((tag, how) => this.#complete(current.port, tag, how === 'ok'))
    soft.attach(SOFT_BLOCK, port => this.#finish(port))
  }

  /** Who hears of the end of requests of a kind. Set-up. */
  attach(kind: number, completed: Completed): void {
    this.#completed[kind] = completed
  }

  #flushFailed: (port: HartPort, ok: boolean) => void = () => {}

  /** Who hears that a flush is over. Set-up. */
  attachFlush(flushed: (port: HartPort, ok: boolean) => void): void {
    this.#flushFailed = flushed
  }

  /** Makes the slab of requests. */
  create(port: HartPort, free: FreeMemory): void {
    this.#slab.create(port)
    this.#scheduler.create(port, free)
  }

  /** The disk's size. */
  sectors(): number {
    return this.#driver.sectors()
  }

  /** Plugs a request, or merges it with the one that was plugged last: then true. */
  add(
    port: HartPort,
    operation: number,
    sector: number,
    sectors: number,
    address: number,
    kind: number,
    cookie: number,
  ): boolean {
    const plug = this.#plugs[port.hart]
    const last = plug.last()
    if (last !== NO_REQUEST && kind !== FOR_JOURNAL) {
      const at = requestAt(last)
      const before = port.load32(at + request.sectors.at)
      if (
        port.load64(at + request.sector.at) + before === sector &&
        port.load64(at + request.address.at) + before * SECTOR === address &&
        port.load32(at + request.operation.at) === operation &&
        port.load32(at + request.kind.at) === kind &&
        (kind === FOR_PAGES || port.load32(at + request.cookie.at) === cookie) &&
        before + sectors <= MOST_MERGED &&
        before + sectors <= this.#driver.maximumSectors()
      ) {
        port.store32(at + request.sectors.at, before + sectors)
        return true
      }
    }
    plug.add(port, this.#slab.take(port, operation, sector, sectors, address, kind, cookie))
    return false
  }

  /** Sends what has been plugged. */
  unplug(port: HartPort): void {
    this.#software[port.hart].join(port, this.#plugs[port.hart])
    this.#run(port)
  }

  /** Asks for a flush of the disk's write cache. Flushes that wait go together. Returns the number that `flushed` reaches when it is over. */
  flush(port: HartPort): number {
    const { record } = this
    record.asked++
    this.#run(port)
    return record.asked
  }

  flushed(): number {
    return this.record.flushed
  }

  /** The hardware queue: gives the driver what waits, as long as there are tags. */
  #run(port: HartPort): void {
    const { record } = this
    if (record.failed) return this.#failAll(port)
    if (!this.#driver.ready()) return
    this.#schedule(port)
    while (record.free > 0) {
      const number = this.#scheduler.choose(port)
      if (number === NO_REQUEST || !this.#issue(port, number)) break
      this.#scheduler.take(port, number)
    }
    if (record.free === 0 || record.flushing !== 0 || record.flushed === record.asked) return
    record.flushing = record.asked
    this.#issue(port, this.#slab.take(port, BLOCK_FLUSH, 0, 0, 0, FOR_FLUSH, record.asked))
  }

  /** What waits in the software queues is put in order. */
  #schedule(port: HartPort): void {
    for (let hart = 0; hart < this.#software.length; hart++) {
      const queue = this.#software[hart]
      for (let number = queue.take(port); number !== NO_REQUEST; number = queue.take(port))
        this.#scheduler.add(port, number, port.load32(requestAt(number) + request.operation.at) !== BLOCK_READ)
    }
  }

  #issue(port: HartPort, number: number): boolean {
    const at = requestAt(number)
    let tag = 0
    while (this.#tags[tag] !== 0) tag++
    const operation = port.load32(at + request.operation.at)
    if (
      !this.#driver.submit(
        tag,
        OPERATIONS[operation],
        port.load64(at + request.sector.at),
        port.load32(at + request.sectors.at),
        port.load64(at + request.address.at),
        operation === BLOCK_WRITE_THROUGH,
      )
    )
      return false
    this.#tags[tag] = number + 1
    this.record.free--
    return true
  }

  /** In the interrupt: the request waits for the soft one. */
  #complete(port: HartPort, tag: number, ok: boolean): void {
    const number = this.#tags[tag] - 1
    this.#tags[tag] = 0
    this.record.free++
    if (!ok) port.store32(requestAt(number) + request.failed.at, 1)
    this.#done.add(port, number)
    this.#soft.raise(port.hart, SOFT_BLOCK)
  }

  /** In the soft interrupt: tells who waits, and gives the disk more to do. */
  #finish(port: HartPort): boolean {
    port.account('host kernel', 'block soft interrupt', 'computing')
    for (let number = this.#done.take(port); number !== NO_REQUEST; number = this.#done.take(port)) {
      this.#end(port, number, port.load32(requestAt(number) + request.failed.at) === 0)
    }
    this.#run(port)
    return false
  }

  #end(port: HartPort, number: number, ok: boolean): void {
    const at = requestAt(number)
    const cookie = port.load32(at + request.cookie.at)
    const sectors = port.load32(at + request.sectors.at)
    this.#slab.give(port, number)
    this.#completed[port.load32(at + request.kind.at)](port, cookie, sectors, ok)
  }

  #flushEnded(port: HartPort, covered: number, _sectors: number, ok: boolean): void {
    const { record } = this
    record.flushed = covered
    record.flushing = 0
    this.#flushFailed(port, ok)
  }

  #failAll(port: HartPort): void {
    const { record } = this
    this.#schedule(port)
    for (let number = this.#scheduler.choose(port); number !== NO_REQUEST; number = this.#scheduler.choose(port)) {
      this.#scheduler.take(port, number)
      this.#end(port, number, false)
    }
    if (record.flushed !== record.asked) this.#flushEnded(port, record.asked, 0, false)
  }

  source(): number {
    return this.record.source
  }

  /** Finds the device; its driver begins once its wire has been enabled. */
  start(): void {
    const slot = this.#bus.findClass(NVME_CLASS)
    if (slot < 0) {
      this.record.failed = true
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
    return this.record.failed || this.#driver.ready()
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
    if (this.#driver.failure() !== '' && !record.failed) {
      record.failed = true
      this.#soft.raise(port.hart, SOFT_BLOCK)
    }
    return next * TICKS_PER_MICROSECOND
  }
}
