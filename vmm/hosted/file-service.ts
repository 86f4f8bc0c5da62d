/**
 * The host's files, one a guest (its part of the disk), read and written through the page cache by requests that go on
 * while the process does something else. Written pages stay in the cache until a flush, until there are many, or for
 * five seconds. Data is copied between cache and process in the process's own address space.
 */
import { maskOf } from '../../hw/spec/csr.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { sstatus } from '../../hw/spec/csrs/supervisor.ts'
import { LARGE_PAGE } from '../core/g-stage.ts'
import type { BlockQueue } from './block-queue.ts'
import {
  CACHE_PAGE,
  CACHE_PAGES,
  DIRTY,
  FAILED,
  fileOf,
  keyOf,
  NO_PAGE,
  type PageCache,
  READING,
  REFERENCED,
  VALID,
  WRITING,
} from './page-cache.ts'
import type { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'
import {
  DISK_DONE,
  DISK_ERROR,
  DISK_FAILED,
  DISK_FLUSH,
  DISK_MOST_SECTORS,
  DISK_READ,
  DISK_STARTED,
  DISK_TAGS,
} from './system-calls.ts'
import { NEVER } from './task.ts'

const SECTOR = 512
const PAGE_SECTORS = CACHE_PAGE / SECTOR
/** Pages that a request may touch. */
const SPAN = DISK_MOST_SECTORS / PAGE_SECTORS + 1
/** sstatus.SUM: the kernel may reach the pages of the process. */
const SUM = maskOf(sstatus, 'SUM')
/** Policy: dirty pages of a file beyond which they are written, and how long they may wait (ticks). */
const MANY = CACHE_PAGES / 8
const PATIENCE = 50_000_000

/** What a request is at: no request; getting its pages; waiting for those that are being read; waiting for written pages; for the disk's flush. */
const NONE = 0
const GATHERING = 1
const READING_IN = 2
const WRITING_OUT = 3
const FLUSHING = 4
/** All files, where one may be named. */
const EVERY = -1

export class FileService {
  readonly state: Record<string, StateRecord>
  /** Requests, by process and tag. */
  readonly #stage: Int32Array
  readonly #operation: Int32Array
  readonly #sector: Float64Array
  readonly #count: Int32Array
  readonly #address: Float64Array
  readonly #gathered: Int32Array
  readonly #pages: Int32Array
  /** By file: requests, dirty pages in `#dirty` from the front, pages being written, flushes asked of the disk. */
  readonly #active: Int32Array
  readonly #dirtyCount: Int32Array
  readonly #writing: Int32Array
  readonly #writeError: Int32Array
  /** Dirty pages in the order in which they became so, of all files. */
  readonly #dirty = new Int32Array(CACHE_PAGES)
  readonly #record = { dirty: 0, due: NEVER, asked: 0, flushed: 0 }
  readonly #processes: readonly Process[]
  readonly #scheduler: Scheduler
  readonly #cache: PageCache
  readonly #queue: BlockQueue
  /** When the kernel looks after its devices next. */
  readonly #due: Float64Array

  constructor(
    processes: readonly Process[],
    scheduler: Scheduler,
    cache: PageCache,
    queue: BlockQueue,
    due: Float64Array,
  ) {
    const requests = processes.length * DISK_TAGS
    this.#processes = processes
    this.#scheduler = scheduler
    this.#cache = cache
    this.#queue = queue
    this.#due = due
    this.#stage = new Int32Array(requests)
    this.#operation = new Int32Array(requests)
    this.#sector = new Float64Array(requests)
    this.#count = new Int32Array(requests)
    this.#address = new Float64Array(requests)
    this.#gathered = new Int32Array(requests)
    this.#pages = new Int32Array(requests * SPAN)
    this.#active = new Int32Array(processes.length)
    this.#dirtyCount = new Int32Array(processes.length)
    this.#writing = new Int32Array(processes.length)
    this.#writeError = new Int32Array(processes.length)
    this.state = {
      stage: this.#stage,
      operation: this.#operation,
      sector: this.#sector,
      count: this.#count,
      address: this.#address,
      gathered: this.#gathered,
      pages: this.#pages,
      active: this.#active,
      dirtyCount: this.#dirtyCount,
      writing: this.#writing,
      writeError: this.#writeError,
      dirtyPages: this.#dirty,
      files: this.#record,
      cache: cache.record,
    }
    queue.attach(
      (port, page, ok) => this.#transferred(port, page, ok),
      (port, ok) => this.#flushed(port, ok),
    )
  }

  start(port: HartPort): void {
    this.#cache.create(port)
  }

  /** Writes what has waited long enough; returns when to call again (ticks). */
  elapsed(port: HartPort): number {
    const record = this.#record
    if (record.due <= port.read(time)) {
      record.due = NEVER
      this.#writeOut(port, EVERY)
    }
    return record.due
  }

  /** Begins a request of a process; what comes is a DISK_ result. The process's address space is the one in satp. */
  begin(
    port: HartPort,
    process: Process,
    tag: number,
    operation: number,
    sector: number,
    count: number,
    address: number,
  ): number {
    const file = process.vm.index
    const request = file * DISK_TAGS + tag
    if (tag >= DISK_TAGS || operation > DISK_FLUSH || this.#stage[request] !== NONE) return DISK_FAILED
    if (operation !== DISK_FLUSH) {
      if (count < 1 || count > DISK_MOST_SECTORS || sector + count > process.sectors) return DISK_FAILED
      if (!process.space.contains(address, count * SECTOR)) return DISK_FAILED
    }
    this.#stage[request] = operation === DISK_FLUSH ? WRITING_OUT : GATHERING
    this.#operation[request] = operation
    this.#sector[request] = sector
    this.#count[request] = count
    this.#address[request] = address
    this.#gathered[request] = 0
    this.#active[file]++
    return this.#advance(port, process, request)
  }

  /** A request of a process's that is over now: its tag, plus DISK_ERROR if it failed; -1 if there is none. */
  ended(port: HartPort, process: Process): number {
    const file = process.vm.index
    let left = this.#active[file]
    for (let tag = 0; left > 0 && tag < DISK_TAGS; tag++) {
      const request = file * DISK_TAGS + tag
      if (this.#stage[request] === NONE) continue
      left--
      const result = this.#advance(port, process, request)
      if (result !== DISK_STARTED) return result === DISK_DONE ? tag : tag + DISK_ERROR
    }
    return -1
  }

  /** A process is over: its requests are forgotten, what it has written goes to the disk. */
  abandon(port: HartPort, process: Process): void {
    const file = process.vm.index
    for (let tag = 0; tag < DISK_TAGS; tag++) {
      const request = file * DISK_TAGS + tag
      if (this.#stage[request] !== NONE) this.#finish(port, file, request, DISK_FAILED)
    }
    this.#writeOut(port, file)
  }

  /** Takes a request as far as it goes now. */
  #advance(port: HartPort, process: Process, request: number): number {
    const file = process.vm.index
    if (this.#stage[request] === GATHERING && !this.#gather(port, file, request)) return DISK_STARTED
    if (this.#stage[request] === READING_IN) return this.#transfer(port, process, request)
    if (this.#stage[request] === WRITING_OUT) {
      this.#writeOut(port, file)
      if (this.#writing[file] > 0 || this.#dirtyCount[file] > 0) return DISK_STARTED
      this.#stage[request] = FLUSHING
      this.#record.asked++
      this.#gathered[request] = this.#record.asked
      this.#queue.addFlush()
      this.#queue.submit(port)
    }
    if (this.#record.flushed < this.#gathered[request]) return DISK_STARTED
    const failed = this.#writeError[file] !== 0
    this.#writeError[file] = 0
    this.#gathered[request] = 0
    return this.#finish(port, file, request, failed ? DISK_FAILED : DISK_DONE)
  }

  /** Finds or takes the pages of a request and starts reading those that it needs. False: the cache has none to give now. */
  #gather(port: HartPort, file: number, request: number): boolean {
    const cache = this.#cache
    const sector = this.#sector[request]
    const first = Math.floor(sector / PAGE_SECTORS)
    const pages = Math.ceil((sector + this.#count[request]) / PAGE_SECTORS) - first
    for (let index = this.#gathered[request]; index < pages; index++) {
      const key = keyOf(file, first + index)
      let page = cache.find(port, key)
      if (page === NO_PAGE) page = cache.take(port, key)
      if (page === NO_PAGE) {
        this.#writeOut(port, EVERY)
        return false
      }
      this.#pages[request * SPAN + index] = page
      this.#gathered[request] = index + 1
      const flags = cache.flags(port, page)
      if ((flags & (VALID | READING)) === 0 && this.#needsContents(request, first + index)) {
        cache.setFlags(port, page, READING | REFERENCED)
        this.#queue.add(page)
      } else {
        cache.setFlags(port, page, flags | REFERENCED)
      }
    }
    this.#stage[request] = READING_IN
    this.#queue.submit(port)
    return true
  }

  /** True unless the request writes the whole page. */
  #needsContents(request: number, page: number): boolean {
    if (this.#operation[request] === DISK_READ) return true
    const sector = this.#sector[request]
    return page * PAGE_SECTORS < sector || (page + 1) * PAGE_SECTORS > sector + this.#count[request]
  }

  /** Copies between the pages and the process, once all are there. */
  #transfer(port: HartPort, process: Process, request: number): number {
    const cache = this.#cache
    const file = process.vm.index
    const count = this.#gathered[request]
    const first = Math.floor(this.#sector[request] / PAGE_SECTORS)
    for (let index = 0; index < count; index++) {
      const flags = cache.flags(port, this.#pages[request * SPAN + index])
      if ((flags & READING) !== 0) return DISK_STARTED
      if ((flags & VALID) === 0 && this.#needsContents(request, first + index))
        return this.#finish(port, file, request, DISK_FAILED)
    }
    const isRead = this.#operation[request] === DISK_READ
    let address = this.#address[request]
    let offset = (this.#sector[request] % PAGE_SECTORS) * SECTOR
    let left = this.#count[request] * SECTOR
    for (let index = 0; index < count; index++) {
      const page = this.#pages[request * SPAN + index]
      const bytes = Math.min(CACHE_PAGE - offset, left)
      if (!this.#copy(port, process, address, cache.addressOf(page) + offset, bytes, isRead))
        return this.#finish(port, file, request, DISK_FAILED)
      if (!isRead) this.#soil(port, file, page)
      address += bytes
      left -= bytes
      offset = 0
    }
    if (this.#dirtyCount[file] > MANY) this.#writeOut(port, file)
    return this.#finish(port, file, request, DISK_DONE)
  }

  /** Between the process's memory and a page. False if the process cannot be given the memory. */
  #copy(port: HartPort, process: Process, address: number, page: number, bytes: number, toProcess: boolean): boolean {
    const { space } = process
    if (space.populate(port, address) === 0) return false
    if ((address % LARGE_PAGE) + bytes > LARGE_PAGE && space.populate(port, address + bytes - 1) === 0) return false
    port.account('host kernel', 'page cache', 'copy')
    port.set(sstatus, SUM)
    if (toProcess) port.copy(address, page, bytes)
    else port.copy(page, address, bytes)
    port.clear(sstatus, SUM)
    port.account('host kernel', 'page cache', 'computing')
    return true
  }

  /** The page holds what the disk does not. */
  #soil(port: HartPort, file: number, page: number): void {
    const record = this.#record
    const flags = this.#cache.flags(port, page)
    this.#cache.setFlags(port, page, (flags & ~FAILED) | VALID | DIRTY)
    if ((flags & DIRTY) !== 0) return
    this.#dirty[record.dirty] = page
    record.dirty++
    this.#dirtyCount[file]++
    if (record.due !== NEVER) return
    record.due = port.read(time) + PATIENCE
    this.#due[0] = Math.min(this.#due[0], record.due)
  }

  /** Sends the dirty pages of a file to the disk, but for those that are on their way there with older contents. */
  #writeOut(port: HartPort, file: number): void {
    const cache = this.#cache
    const record = this.#record
    let kept = 0
    for (let index = 0; index < record.dirty; index++) {
      const page = this.#dirty[index]
      const owner = fileOf(cache.keyOf(port, page))
      const flags = cache.flags(port, page)
      if ((file === EVERY || owner === file) && (flags & WRITING) === 0) {
        cache.setFlags(port, page, (flags & ~DIRTY) | WRITING)
        this.#queue.add(page)
        this.#writing[owner]++
        this.#dirtyCount[owner]--
      } else {
        this.#dirty[kept] = page
        kept++
      }
    }
    record.dirty = kept
    this.#queue.submit(port)
  }

  #finish(port: HartPort, file: number, request: number, result: number): number {
    if (this.#stage[request] === GATHERING || this.#stage[request] === READING_IN) {
      for (let index = 0; index < this.#gathered[request]; index++)
        this.#cache.release(port, this.#pages[request * SPAN + index])
    }
    this.#stage[request] = NONE
    this.#active[file]--
    return result
  }

  /** The disk has read or written a page. */
  #transferred(port: HartPort, page: number, ok: boolean): void {
    const cache = this.#cache
    const flags = cache.flags(port, page)
    if ((flags & READING) !== 0) {
      cache.setFlags(port, page, (flags & ~READING) | (ok ? VALID : FAILED))
    } else {
      const file = fileOf(cache.keyOf(port, page))
      cache.setFlags(port, page, flags & ~WRITING)
      this.#writing[file]--
      if (!ok) this.#writeError[file] = 1
    }
    this.#wakeWaiting(port)
  }

  /** The disk has flushed; its flushes come one after the other. */
  #flushed(port: HartPort, ok: boolean): void {
    this.#record.flushed++
    if (!ok) for (let file = 0; file < this.#writeError.length; file++) this.#writeError[file] = 1
    this.#wakeWaiting(port)
  }

  /** Processes with requests look what has become of them. */
  #wakeWaiting(port: HartPort): void {
    const { tasks } = this.#scheduler
    for (let file = 0; file < this.#active.length; file++) {
      if (this.#active[file] > 0) this.#scheduler.wake(port, tasks[this.#processes[file].ioTask])
    }
  }
}
