/** Files of programs: opened by path, read through the page cache or past it. */
import { maskOf } from '../../../hw/spec/csr.ts'
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { sstatus } from '../../../hw/spec/csrs/supervisor.ts'
import type { DirectRequests } from '../files/direct-requests.ts'
import { LATER } from '../files/file-system.ts'
import { inodeAt, openInode } from '../files/inodes.ts'
import type { Storage } from '../files/storage.ts'
import { TABLES } from '../layout.ts'
import { CACHE_PAGE, NO_PAGE, VALID, READING } from '../page-cache.ts'
import type { Scheduler } from '../scheduler.ts'
import { DISK_DONE, DISK_READ, DISK_STARTED } from '../system-calls.ts'
import type { ProgramSpace } from './program-space.ts'
import type { ProgramThread } from './program-thread.ts'

const SUM = maskOf(sstatus, 'SUM')
const O_DIRECT = 0o40000
const SECTOR = 512
export const MOST_PATH = 256
const WAITS = -1000
const NO_SUCH_FILE = -2
const IO_ERROR = -5
const BAD_ADDRESS = -14
const INVALID = -22
const NO_SPACE = -28

// How far an fsync is.
const WRITING = 0
const COMMITTING = 1
const FLUSHING = 2

export class ProgramFiles {
  readonly state: Record<string, StateRecord>
  /** By thread: whether it waits for the disk, and whether its request past the cache is under way. */
  readonly #waiting: Int32Array
  readonly #under: Int32Array
  /** By thread: how far its `fsync` is, and the number that the journal or the disk's flushes have to reach. */
  readonly #stage: Int32Array
  readonly #goal: Int32Array
  readonly #storage: Storage
  readonly #direct: DirectRequests
  readonly #firstRequest: number
  readonly #threads: readonly ProgramThread[]
  readonly #scheduler: Scheduler

  /** `firstRequest`: the number of the first thread's request past the cache. */
  constructor(
    storage: Storage,
    direct: DirectRequests,
    firstRequest: number,
    threads: readonly ProgramThread[],
    scheduler: Scheduler,
  ) {
    this.#storage = storage
    this.#direct = direct
    this.#firstRequest = firstRequest
    this.#threads = threads
    this.#scheduler = scheduler
    this.#waiting = new Int32Array(threads.length)
    this.#under = new Int32Array(threads.length)
    this.#stage = new Int32Array(threads.length)
    this.#goal = new Int32Array(threads.length)
    this.state = {
      'program waits': this.#waiting,
      'program requests': this.#under,
      'program syncs': this.#stage,
      'program goals': this.#goal,
    }
  }

  /** Pages have come, or a request is over: whoever waits looks. */
  wake(port: HartPort): void {
    for (let number = 0; number < this.#waiting.length; number++) {
      if (this.#waiting[number] === 0) continue
      this.#waiting[number] = 0
      this.#scheduler.wake(port, this.#threads[number])
    }
  }

  #wait(thread: ProgramThread): number {
    this.#waiting[thread.number] = 1
    return WAITS
  }

  /** Copies a path of the program's in; its length. */
  copyPath(port: HartPort, path: number): number {
    let length = 0
    port.set(sstatus, SUM)
    for (; length < MOST_PATH; length++) {
      const byte = port.load8(path + length)
      if (byte === 0) break
      port.store8(TABLES.path + length, byte)
    }
    port.clear(sstatus, SUM)
    return length
  }

  /** The slot of the file whose path of so many bytes has been copied in, or an error. */
  open(port: HartPort, thread: ProgramThread, length: number): number {
    const { fileSystem } = this.#storage
    if (!fileSystem.mount(port)) return this.#wait(thread)
    const slot = fileSystem.open(port, length)
    if (slot === LATER) return this.#wait(thread)
    return slot < 0 ? NO_SUCH_FILE : slot
  }

  /** Writes behind the file's end: bytes written, or an error. */
  append(
    port: HartPort,
    thread: ProgramThread,
    space: ProgramSpace,
    file: number,
    from: number,
    bytes: number,
  ): number {
    const { cache, reader, writeBack, allocation } = this.#storage
    const length = port.load64(inodeAt(file) + openInode.length.at)
    const number = Math.floor(length / CACHE_PAGE)
    const within = length % CACHE_PAGE
    const count = Math.min(bytes, CACHE_PAGE - within)
    if (writeBack.isOver()) return this.#wait(thread)
    const page = reader.get(port, file, number, 1, false, within !== 0)
    reader.done(port, file, false, number)
    if (page === NO_PAGE) return this.#wait(thread)
    cache.release(port, page)
    const flags = cache.flags(port, page)
    if ((flags & READING) !== 0) return this.#wait(thread)
    if (within !== 0 && (flags & VALID) === 0) return IO_ERROR
    const grown = allocation.grow(port, file, length + count)
    if (grown === LATER) return this.#wait(thread)
    if (grown !== 0) return NO_SPACE
    if (within === 0) port.fill(cache.addressOf(page), 0, CACHE_PAGE)
    if (!space.copyIn(port, cache.addressOf(page) + within, from, count)) return BAD_ADDRESS
    writeBack.soil(port, file, page)
    return count
  }

  /** Sees to it that what has been written of a file is on the medium: 0, or an error. */
  sync(port: HartPort, thread: ProgramThread, file: number): number {
    const { disk, writeBack, journal } = this.#storage
    const at = inodeAt(file)
    const own = thread.number
    if (this.#stage[own] === WRITING) {
      writeBack.writeOut(port, file)
      if (!writeBack.isClean(port, file)) return this.#wait(thread)
      this.#stage[own] = COMMITTING
      this.#goal[own] = journal.commit(port)
    }
    if (this.#stage[own] === COMMITTING) {
      if (!journal.isCommitted(this.#goal[own])) return this.#wait(thread)
      this.#stage[own] = FLUSHING
      this.#goal[own] = disk.flush(port)
    }
    if (disk.flushed() < this.#goal[own]) return this.#wait(thread)
    this.#stage[own] = WRITING
    const failed = port.load32(at + openInode.error.at) !== 0
    port.store32(at + openInode.error.at, 0)
    return failed ? IO_ERROR : 0
  }

  /** Bytes read, or an error. */
  read(
    port: HartPort,
    thread: ProgramThread,
    space: ProgramSpace,
    file: number,
    flags: number,
    to: number,
    bytes: number,
    position: number,
  ): number {
    const length = port.load64(inodeAt(file) + openInode.length.at)
    if (position >= length) return 0
    const count = Math.min(bytes, length - position)
    if ((flags & O_DIRECT) !== 0) return this.#readDirect(port, thread, space, file, to, count, position)
    return this.#readCached(port, thread, space, file, to, count, position)
  }

  #readCached(
    port: HartPort,
    thread: ProgramThread,
    space: ProgramSpace,
    file: number,
    to: number,
    count: number,
    position: number,
  ): number {
    const { cache, reader } = this.#storage
    const last = Math.floor((position + count - 1) / CACHE_PAGE)
    let done = 0
    for (let number = Math.floor(position / CACHE_PAGE); number <= last; number++) {
      const page = reader.get(port, file, number, last - number + 1, true, true)
      reader.done(port, file, true, number + 1)
      if (page === NO_PAGE) return this.#wait(thread)
      cache.release(port, page)
      const flags = cache.flags(port, page)
      if ((flags & READING) !== 0) return this.#wait(thread)
      if ((flags & VALID) === 0) return IO_ERROR
      const within = (position + done) % CACHE_PAGE
      const here = Math.min(CACHE_PAGE - within, count - done)
      port.account('host kernel', 'page cache', 'copy')
      if (!space.copyOut(port, to + done, cache.addressOf(page) + within, here)) return BAD_ADDRESS
      port.account('host kernel', 'syscall pread64', 'computing')
      done += here
    }
    return done
  }

  #readDirect(
    port: HartPort,
    thread: ProgramThread,
    space: ProgramSpace,
    file: number,
    to: number,
    count: number,
    position: number,
  ): number {
    const request = this.#firstRequest + thread.number
    if (this.#under[thread.number] === 0) {
      if (to % SECTOR !== 0 || position % SECTOR !== 0 || count % SECTOR !== 0) return INVALID
      if (!this.#direct.begin(port, space.tables, file, request, DISK_READ, position / SECTOR, count / SECTOR, to))
        return BAD_ADDRESS
      this.#under[thread.number] = 1
      return this.#wait(thread)
    }
    const result = this.#direct.result(request)
    if (result === DISK_STARTED) return this.#wait(thread)
    this.#under[thread.number] = 0
    return result === DISK_DONE ? count : IO_ERROR
  }
}
