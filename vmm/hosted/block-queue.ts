/**
 * The host's block layer: pages of the cache wait here to be read or written, neighbours on the disk and in memory go
 * together in one command, and the NVMe driver's interrupt completes them.
 */
import type { BlockDevice, InterruptController } from '../../drivers/environment.ts'
import type { PcieBus } from '../../drivers/pcie.ts'
import type { CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import type { PlacedDevice } from '../core/placed-device.ts'
import { CACHE_PAGE, CACHE_PAGES, type PageCache, READING } from './page-cache.ts'

/** Mass storage, non-volatile memory, NVM Express. */
const NVME_CLASS = 0x01_08_02
/** The root bus's wires are sources from here on. */
const FIRST_WIRE = 32
const TICKS_PER_MICROSECOND = 10
/** Commands at a time. */
export const DISK_DEPTH = 32
const PAGE_SECTORS = CACHE_PAGE / 512
/** Pages of one command: 64 KiB. */
const MOST_PAGES = 16
/** In place of a page: a flush of the disk's write cache. */
const FLUSH = -1

/** Where a page lies on the disk. */
export interface PageLocation {
  sectorOf(port: HartPort, page: number): number
}

export class BlockQueue implements PlacedDevice {
  readonly name = 'nvme'
  readonly state: Record<string, StateRecord>
  readonly #record = {
    source: 0,
    started: false,
    failed: false,
    first: 0,
    count: 0,
    flushes: 0,
    flushing: false,
    free: DISK_DEPTH,
  }
  /** Pages that wait. */
  readonly #waiting = new Int32Array(CACHE_PAGES)
  /** By tag: the first page of the command or FLUSH, and how many; none: 0. */
  readonly #pages = new Int32Array(DISK_DEPTH)
  readonly #counts = new Int32Array(DISK_DEPTH)
  readonly #environment: PortEnvironment
  readonly #driver: BlockDevice
  readonly #bus: PcieBus
  readonly #controller: InterruptController
  readonly #window: number
  readonly #cache: PageCache
  readonly #location: PageLocation
  #completed: (port: HartPort, page: number, ok: boolean) => void = () => {}
  #flushed: (port: HartPort, ok: boolean) => void = () => {}

  /** `window`: where the controller's registers are put. */
  constructor(
    current: CurrentPort,
    environment: PortEnvironment,
    driver: BlockDevice,
    bus: PcieBus,
    controller: InterruptController,
    window: number,
    cache: PageCache,
    location: PageLocation,
  ) {
    this.#environment = environment
    this.#driver = driver
    this.#bus = bus
    this.#controller = controller
    this.#window = window
    this.#cache = cache
    this.#location = location
    this.state = {
      'block queue': this.#record,
      waiting: this.#waiting,
      'tag pages': this.#pages,
      'tag counts': this.#counts,
      ...environment.registered,
    }
    driver.onCompleted((tag, how) => this.#complete(current.port, tag, how === 'ok'))
  }

  /** Who is told of each page, and of each flush. */
  attach(
    completed: (port: HartPort, page: number, ok: boolean) => void,
    flushed: (port: HartPort, ok: boolean) => void,
  ): void {
    this.#completed = completed
    this.#flushed = flushed
  }

  /** Queues a page: its flags say whether it is to be read or written. `submit` sends it. */
  add(page: number): void {
    const record = this.#record
    this.#waiting[(record.first + record.count) % CACHE_PAGES] = page
    record.count++
  }

  /** Queues a flush of the disk; they are done one after the other. */
  addFlush(): void {
    this.#record.flushes++
  }

  /** Gives the driver what waits, as far as it has room. */
  submit(port: HartPort): void {
    const record = this.#record
    if (record.failed) return this.#failAll(port)
    if (!this.#driver.ready()) return
    while (record.free > 0 && record.count > 0) if (!this.#submitRun(port)) return
    if (record.free === 0 || record.flushes === 0 || record.flushing) return
    const tag = this.#freeTag()
    if (!this.#driver.submit(tag, 'flush', 0, 0, 0, false)) return
    this.#take(tag, FLUSH, 1)
    record.flushes--
    record.flushing = true
  }

  /** The page in front, with those behind it that continue it on the disk and in memory. */
  #submitRun(port: HartPort): boolean {
    const record = this.#record
    const page = this.#waiting[record.first]
    const key = this.#cache.keyOf(port, page)
    const reading = (this.#cache.flags(port, page) & READING) !== 0
    let count = 1
    while (count < record.count && count < MOST_PAGES) {
      const next = this.#waiting[(record.first + count) % CACHE_PAGES]
      if (next !== page + count || this.#cache.keyOf(port, next) !== key + count) break
      if (((this.#cache.flags(port, next) & READING) !== 0) !== reading) break
      count++
    }
    const tag = this.#freeTag()
    const sector = this.#location.sectorOf(port, page)
    if (
      !this.#driver.submit(
        tag,
        reading ? 'read' : 'write',
        sector,
        count * PAGE_SECTORS,
        this.#cache.addressOf(page),
        false,
      )
    )
      return false
    this.#take(tag, page, count)
    record.first = (record.first + count) % CACHE_PAGES
    record.count -= count
    return true
  }

  #take(tag: number, page: number, count: number): void {
    this.#pages[tag] = page
    this.#counts[tag] = count
    this.#record.free--
  }

  #freeTag(): number {
    let tag = 0
    while (this.#counts[tag] !== 0) tag++
    return tag
  }

  #complete(port: HartPort, tag: number, ok: boolean): void {
    const page = this.#pages[tag]
    const count = this.#counts[tag]
    this.#counts[tag] = 0
    this.#record.free++
    if (page === FLUSH) {
      this.#record.flushing = false
      this.#flushed(port, ok)
    } else for (let index = 0; index < count; index++) this.#completed(port, page + index, ok)
  }

  #failAll(port: HartPort): void {
    const record = this.#record
    while (record.count > 0) {
      const page = this.#waiting[record.first]
      record.first = (record.first + 1) % CACHE_PAGES
      record.count--
      this.#completed(port, page, false)
    }
    while (record.flushes > 0) {
      record.flushes--
      this.#flushed(port, false)
    }
  }

  source(): number {
    return this.#record.source
  }

  /** Finds the device; its driver begins once its wire has been enabled. */
  start(): void {
    const slot = this.#bus.findClass(NVME_CLASS)
    if (slot < 0) {
      this.#record.failed = true
      return
    }
    this.#bus.enable(slot, this.#window)
    this.#record.source = FIRST_WIRE + this.#bus.wire(slot)
  }

  /** The driver's hold on its wire, at the interrupt controller. */
  mask(masked: boolean): void {
    if (masked) this.#controller.disable(this.#record.source)
    else this.#controller.enable(this.#record.source, 1)
  }

  settled(): boolean {
    return this.#record.failed || this.#driver.ready()
  }

  interrupt(port: HartPort): void {
    this.#environment.interrupted(0)
    this.submit(port)
  }

  elapsed(port: HartPort): number {
    const record = this.#record
    if (record.source !== 0 && !record.started) {
      record.started = true
      this.#driver.start()
    }
    const next = this.#environment.elapsed()
    if (this.#driver.failure() !== '') record.failed = true
    this.submit(port)
    return next * TICKS_PER_MICROSECOND
  }
}
