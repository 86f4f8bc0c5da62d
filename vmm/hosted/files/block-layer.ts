/**
 * The host's block layer. Whoever has something for the disk plugs: its requests gather on the hart, neighbours merge.
 * Unplugging moves them to the hart's software queue and runs the hardware queue, which hands what the software queues
 * have to the scheduler and takes what that chooses as long as it has tags. The NVMe driver's interrupt takes completions;
 * a soft interrupt tells who waits.
 */
import type { BlockDevice } from '../../../drivers/environment.ts'
import type { CurrentPort } from '../../../drivers/port-environment.ts'
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import type { FreeMemory } from '../../core/free-memory.ts'
import { type DeviceMemory, DISK_DEVICE, NOT_MAPPED } from '../memory/device-memory.ts'
import { SOFT_BLOCK, type SoftInterrupts } from '../soft-interrupts.ts'
import { DeadlineScheduler } from './deadline-scheduler.ts'
import { beginAccount, countMerged, createDiskAccounts, endAccount } from './disk-accounts.ts'
import { NO_REQUEST, request, requestAt, RequestQueue, RequestSlab } from './requests.ts'
import { createTags, giveTag, hasTags, NO_TAG, requestOfTag, takeTag } from './tags.ts'

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

export class BlockLayer {
  readonly state: Record<string, StateRecord>
  /** Flushes: the last asked for, the last that is over, the one under way. */
  readonly record = { failed: false, asked: 0, flushed: 0, flushing: 0 }
  readonly #plugs: readonly RequestQueue[]
  readonly #software: readonly RequestQueue[]
  readonly #done = new RequestQueue()
  readonly #scheduler = new DeadlineScheduler()
  readonly #slab = new RequestSlab()
  readonly #completed: Completed[] = [() => {}, () => {}, () => {}, () => {}]
  readonly #driver: BlockDevice
  readonly #soft: SoftInterrupts
  readonly #memory: DeviceMemory

  constructor(current: CurrentPort, driver: BlockDevice, soft: SoftInterrupts, harts: number, memory: DeviceMemory) {
    this.#driver = driver
    this.#soft = soft
    this.#memory = memory
    this.#plugs = Array.from({ length: harts }, () => new RequestQueue())
    this.#software = Array.from({ length: harts }, () => new RequestQueue())
    this.state = {
      'block layer': this.record,
      'block done': this.#done.record,
      ...this.#scheduler.state,
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
    createTags(port)
    createDiskAccounts(port, this.#plugs.length)
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
        countMerged(port, operation)
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
    while (hasTags(port)) {
      const number = this.#scheduler.choose(port)
      if (number === NO_REQUEST || !this.#issue(port, number)) break
      this.#scheduler.take(port, number)
    }
    if (!hasTags(port) || record.flushing !== 0 || record.flushed === record.asked) return
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

  /** Gives the driver a request, whose memory the disk can reach from now on. */
  #issue(port: HartPort, number: number): boolean {
    const at = requestAt(number)
    const operation = port.load32(at + request.operation.at)
    const sectors = port.load32(at + request.sectors.at)
    const tag = takeTag(port, number)
    if (tag === NO_TAG) return false
    const bytes = sectors * SECTOR
    const mapped =
      operation === BLOCK_FLUSH ? 0 : this.#memory.map(port, DISK_DEVICE, port.load64(at + request.address.at), bytes)
    if (mapped === NOT_MAPPED) {
      this.#over(port, tag, number, false)
      return true
    }
    beginAccount(port, number)
    const sector = port.load64(at + request.sector.at)
    const isThrough = operation === BLOCK_WRITE_THROUGH
    if (this.#driver.submit(tag, OPERATIONS[operation], sector, sectors, mapped, isThrough)) return true
    if (operation !== BLOCK_FLUSH) this.#memory.unmap(port, DISK_DEVICE, bytes)
    giveTag(port, tag)
    return false
  }

  /** In the interrupt: the disk is done with the memory; the request waits for the soft one. */
  #complete(port: HartPort, tag: number, ok: boolean): void {
    const number = requestOfTag(port, tag)
    const at = requestAt(number)
    if (port.load32(at + request.operation.at) !== BLOCK_FLUSH)
      this.#memory.unmap(port, DISK_DEVICE, port.load32(at + request.sectors.at) * SECTOR)
    endAccount(port, number)
    this.#over(port, tag, number, ok)
  }

  #over(port: HartPort, tag: number, number: number, ok: boolean): void {
    giveTag(port, tag)
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

  /** The disk is no more: whatever is asked of it fails. */
  fail(port: HartPort): void {
    this.record.failed = true
    this.#soft.raise(port.hart, SOFT_BLOCK)
  }
}
