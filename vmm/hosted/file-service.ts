/**
 * What processes do with their files: requests that go on while the process does something else, through the page cache
 * (files/page-transfers.ts) or past it (files/direct-requests.ts), and flushes.
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { type BlockLayer, FOR_PAGES } from './files/block-layer.ts'
import type { DirectRequests } from './files/direct-requests.ts'
import { inodeAt, MAP_CHANGED, openInode } from './files/inodes.ts'
import type { Journal } from './files/journal.ts'
import type { PageReader } from './files/page-reader.ts'
import { PageTransfers } from './files/page-transfers.ts'
import type { WriteBack } from './files/write-back.ts'
import { CACHE_PAGE, type PageCache, READING, VALID, FAILED } from './page-cache.ts'
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

const SECTOR = 512
const PAGE_SECTORS = CACHE_PAGE / SECTOR

/** What a request is at. */
const NONE = 0
/** There is too much to be written back: whoever writes waits. */
const THROTTLED = 1
/** Getting its pages. */
const GATHERING = 2
/** Waiting for those that are being read. */
const READING_IN = 3
/** A flush waits for the file's written pages, for the journal, for the disk. */
const WRITING_OUT = 4
const COMMITTING = 5
const FLUSHING = 6
/** Past the cache: the disk has the process's pages. */
const DIRECT = 7

export class FileService {
  readonly state: Record<string, StateRecord>
  /** By request of a process's: how far it is. */
  readonly #stage: Int32Array
  /** By request: the number that the journal or the disk's flushes have to reach. */
  readonly #goal: Int32Array
  /** By process: requests under way. */
  readonly #active: Int32Array
  readonly #processes: readonly Process[]
  readonly #scheduler: Scheduler
  readonly #cache: PageCache
  readonly #blocks: BlockLayer
  readonly #writeBack: WriteBack
  readonly #journal: Journal
  readonly #direct: DirectRequests
  #wakeReaders: (port: HartPort) => void = () => {}
  readonly #transfers: PageTransfers

  constructor(
    processes: readonly Process[],
    scheduler: Scheduler,
    cache: PageCache,
    reader: PageReader,
    blocks: BlockLayer,
    writeBack: WriteBack,
    journal: Journal,
    direct: DirectRequests,
  ) {
    const requests = processes.length * DISK_TAGS
    this.#processes = processes
    this.#scheduler = scheduler
    this.#cache = cache
    this.#blocks = blocks
    this.#writeBack = writeBack
    this.#journal = journal
    this.#direct = direct
    this.#stage = new Int32Array(requests)
    this.#transfers = new PageTransfers(requests, cache, reader, writeBack, journal)
    this.#goal = new Int32Array(requests)
    this.#active = new Int32Array(processes.length)
    this.state = {
      stage: this.#stage,
      ...this.#transfers.state,
      goal: this.#goal,
      active: this.#active,
    }
    blocks.attach(FOR_PAGES, (port, page, sectors, ok) => this.#transferred(port, page, sectors / PAGE_SECTORS, ok))
    blocks.attachFlush((port, ok) => this.#flushed(port, ok))
    direct.attach((port, request) => this.#directOver(port, request))
    journal.attach(port => this.#wakeWaiting(port))
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
    const { index } = process.vm
    const request = index * DISK_TAGS + tag
    if (tag >= DISK_TAGS || operation > DISK_FLUSH || this.#stage[request] !== NONE) return DISK_FAILED
    if (process.record.file <= 0) return DISK_FAILED
    if (operation !== DISK_FLUSH) {
      if (count < 1 || count > DISK_MOST_SECTORS || sector + count > process.sectors) return DISK_FAILED
      if (!process.space.contains(address, count * SECTOR)) return DISK_FAILED
    }
    this.#transfers.ask(request, operation, sector, count, address)
    this.#active[index]++
    if (operation === DISK_FLUSH) this.#stage[request] = WRITING_OUT
    else if (this.#direct.takes(process, address)) {
      if (!this.#direct.begin(port, process.space, process.record.file, request, operation, sector, count, address))
        return this.#finish(port, index, request, DISK_FAILED)
      this.#stage[request] = DIRECT
      return DISK_STARTED
    } else this.#stage[request] = operation === DISK_READ ? GATHERING : THROTTLED
    return this.#advance(port, process, request)
  }

  /** A request of a process's that is over now: its tag, plus DISK_ERROR if it failed; -1 if there is none. */
  ended(port: HartPort, process: Process): number {
    const { index } = process.vm
    let left = this.#active[index]
    for (let tag = 0; left > 0 && tag < DISK_TAGS; tag++) {
      const request = index * DISK_TAGS + tag
      if (this.#stage[request] === NONE) continue
      left--
      const result = this.#advance(port, process, request)
      if (result !== DISK_STARTED) return result === DISK_DONE ? tag : tag + DISK_ERROR
    }
    return -1
  }

  /** A process is over: its requests are forgotten, what it has written goes to the disk. */
  abandon(port: HartPort, process: Process): void {
    const { index } = process.vm
    for (let tag = 0; tag < DISK_TAGS; tag++) {
      const request = index * DISK_TAGS + tag
      if (this.#stage[request] !== NONE && this.#stage[request] !== DIRECT)
        this.#finish(port, index, request, DISK_FAILED)
    }
    if (process.record.file > 0) this.#writeBack.writeOut(port, process.record.file)
  }

  /** Takes a request as far as it goes now. */
  #advance(port: HartPort, process: Process, request: number): number {
    const stage = this.#stage[request]
    if (stage === DIRECT) {
      const result = this.#direct.result(request)
      return result === DISK_STARTED ? result : this.#finish(port, process.vm.index, request, result)
    }
    if (stage === THROTTLED) {
      if (this.#writeBack.isOver()) return DISK_STARTED
      this.#stage[request] = GATHERING
    }
    const { file } = process.record
    if (this.#stage[request] === GATHERING) {
      if (!this.#transfers.gather(port, file, request)) return DISK_STARTED
      this.#stage[request] = READING_IN
    }
    if (this.#stage[request] !== READING_IN) return this.#flush(port, process, request)
    const result = this.#transfers.transfer(port, process, request)
    return result === DISK_STARTED ? result : this.#finish(port, process.vm.index, request, result)
  }

  /** Data, then metadata if it says where the data is, then the disk's own cache. */
  #flush(port: HartPort, process: Process, request: number): number {
    const { file } = process.record
    const at = inodeAt(file)
    if (this.#stage[request] === WRITING_OUT) {
      this.#writeBack.writeOut(port, file)
      if (!this.#writeBack.isClean(port, file)) return DISK_STARTED
      this.#stage[request] = COMMITTING
      this.#goal[request] = 0
      const flags = port.load32(at + openInode.flags.at)
      if ((flags & MAP_CHANGED) !== 0) this.#goal[request] = this.#journal.commit(port)
    }
    if (this.#stage[request] === COMMITTING) {
      if (!this.#journal.isCommitted(this.#goal[request])) return DISK_STARTED
      this.#stage[request] = FLUSHING
      this.#goal[request] = this.#blocks.flush(port)
    }
    if (this.#blocks.flushed() < this.#goal[request]) return DISK_STARTED
    const failed = port.load32(at + openInode.error.at) !== 0
    if (failed) port.store32(at + openInode.error.at, 0)
    this.#goal[request] = 0
    return this.#finish(port, process.vm.index, request, failed ? DISK_FAILED : DISK_DONE)
  }

  #finish(port: HartPort, owner: number, request: number, result: number): number {
    if (this.#stage[request] === GATHERING || this.#stage[request] === READING_IN) this.#transfers.letGo(port, request)
    this.#stage[request] = NONE
    this.#active[owner]--
    return result
  }

  /** The disk has read or written pages that lie together. */
  #transferred(port: HartPort, first: number, pages: number, ok: boolean): void {
    const cache = this.#cache
    for (let page = first; page < first + pages; page++) {
      const flags = cache.flags(port, page)
      if ((flags & READING) !== 0) cache.setFlags(port, page, (flags & ~READING) | (ok ? VALID : FAILED))
      else this.#writeBack.written(port, page, ok)
    }
    this.#journal.dataWritten(port)
    this.#wakeWaiting(port)
  }

  /** The disk has flushed. If it could not, nobody's data is safe. */
  #flushed(port: HartPort, ok: boolean): void {
    if (!ok) {
      for (let index = 0; index < this.#processes.length; index++) {
        const { file } = this.#processes[index].record
        if (file > 0) port.store32(inodeAt(file) + openInode.error.at, 1)
      }
    }
    this.#journal.flushed(port)
    this.#wakeWaiting(port)
  }

  /** A request past the cache is over: a process's, or a program's. */
  #directOver(port: HartPort, request: number): void {
    const process = Math.floor(request / DISK_TAGS)
    if (process < this.#processes.length)
      this.#scheduler.wake(port, this.#scheduler.tasks[this.#processes[process].diskWaiter])
    else this.#wakeReaders(port)
  }

  /** Who else is to look when pages have come. Set-up. */
  attachReaders(wake: (port: HartPort) => void): void {
    this.#wakeReaders = wake
  }

  /** Processes with requests look what has become of them. */
  #wakeWaiting(port: HartPort): void {
    const { tasks } = this.#scheduler
    for (let index = 0; index < this.#active.length; index++) {
      if (this.#active[index] > 0) this.#scheduler.wake(port, tasks[this.#processes[index].diskWaiter])
    }
    this.#wakeReaders(port)
  }
}
