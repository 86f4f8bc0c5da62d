/**
 * System calls of programs, by Linux's numbers and conventions (riscv64: number in a7, arguments in a0 to a5, result or
 * negative error in a0). A call that has to wait is made again when its thread is woken.
 */
import { maskOf } from '../../../hw/spec/csr.ts'
import type { HartPort } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { sstatus } from '../../../hw/spec/csrs/supervisor.ts'
import { TABLES, taskFrame } from '../layout.ts'
import { IN_USER, NEVER } from '../task.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Futexes } from './futexes.ts'
import type { Pipes } from './pipes.ts'
import type { ProgramFiles } from './program-files.ts'
import { close, freeNumber, install, isPermitted, letGo, lookUp, recordOf } from '../objects/descriptor-tables.ts'
import { DISK_FILE, openFile, openNew, PIPE_READER, PIPE_WRITER, PROC_FILE, UDP_SOCKET } from '../objects/open-files.ts'
import { ANYBODY, mayUse, TO_READ, TO_WRITE } from '../objects/security.ts'
import { NO_PROC_FILE, type ProcFiles } from '../proc/proc-files.ts'
import { threadAt, threadInfo } from './program-frames.ts'
import {
  CLONE,
  CLOSE,
  EXIT,
  EXIT_GROUP,
  FSYNC,
  FUTEX,
  GETPPID,
  MADVISE,
  MMAP,
  nameOf,
  NANOSLEEP,
  OPENAT,
  PIPE2,
  SCHED_SETAFFINITY,
  SENDTO,
  SOCKET,
  usesDescriptor,
  WRITE,
  READ,
} from './program-numbers.ts'
import { IN_CALL, type ProgramThread } from './program-thread.ts'
import type { Programs } from './programs.ts'
import type { ProgramSpace } from './program-space.ts'
import type { Sockets } from './sockets.ts'

const SUM = maskOf(sstatus, 'SUM')
const PAGE = 4096
const A0 = 10
const A7 = 17

const BAD_DESCRIPTOR = -9
const NO_MEMORY = -12
const BAD_ADDRESS = -14
const INVALID = -22
const TOO_MANY_OPEN = -23
const TOO_MANY_FILES = -24
const NO_SUCH_CALL = -38
/** In place of a result: the thread sleeps and makes the call again. */
export const WAITS = -1000
/** The lowest number that a program gets. */
const FIRST_FREE = 3
const AFFINITY_BYTES = 8
const ADDRESS_BYTES = 16
const TIMESPEC_BYTES = 16
/** Of the time CSR, a second; and so many nanoseconds each. */
const TICKS_A_SECOND = 10_000_000
const NANOSECONDS = 100

export class ProgramCalls {
  readonly #programs: Programs
  readonly #scheduler: Scheduler
  readonly #pipes: Pipes
  readonly #futexes: Futexes
  readonly #files: ProgramFiles
  readonly #sockets: Sockets
  readonly #told: ProcFiles

  constructor(
    programs: Programs,
    scheduler: Scheduler,
    pipes: Pipes,
    futexes: Futexes,
    files: ProgramFiles,
    sockets: Sockets,
    told: ProcFiles,
  ) {
    this.#programs = programs
    this.#scheduler = scheduler
    this.#pipes = pipes
    this.#futexes = futexes
    this.#files = files
    this.#sockets = sockets
    this.#told = told
  }

  /** Handles an ecall: past the instruction, then what it asked for. */
  handle(port: HartPort, thread: ProgramThread): void {
    const { frame } = thread
    port.store64(frame + taskFrame.sepc.at, port.load64(frame + taskFrame.sepc.at) + 4)
    this.#make(port, thread)
  }

  /** The thread was woken in a call: false if it sleeps on. */
  again(port: HartPort, thread: ProgramThread): boolean {
    thread.record.mode = IN_USER
    return this.#make(port, thread)
  }

  #make(port: HartPort, thread: ProgramThread): boolean {
    const { frame, record } = thread
    const number = port.load32(frame + A7 * 8)
    port.account('host kernel', nameOf(number), 'computing')
    const result = this.#call(port, thread, number)
    if (result !== WAITS) {
      port.store64(frame + A0 * 8, result)
      return true
    }
    record.mode = IN_CALL
    this.#scheduler.sleep(port, thread, NEVER)
    return false
  }

  #argument(port: HartPort, thread: ProgramThread, index: number): number {
    return port.load64(thread.frame + (A0 + index) * 8)
  }

  #call(port: HartPort, thread: ProgramThread, number: number): number {
    const space = this.#programs.spaceOf(port, thread)
    if (!isPermitted(port, space.table, number)) return NO_SUCH_CALL
    if (number === GETPPID) return port.load32(threadAt(thread.number) + threadInfo.parent.at)
    const first = this.#argument(port, thread, 0)
    const second = this.#argument(port, thread, 1)
    const third = this.#argument(port, thread, 2)
    if (usesDescriptor(number)) return this.#with(port, thread, space, number, first)
    if (number === FUTEX) return this.#futex(port, thread, first, second, third)
    if (number === MMAP) return this.#map(port, space, second, third)
    if (number === OPENAT) return this.#open(port, thread, space, second, third)
    if (number === PIPE2) return this.#pipe(port, space, first)
    if (number === CLONE) return this.#programs.clone(port, thread, first % 2 ** 32, second)
    if (number === SOCKET) return this.#socket(port, space)
    if (number === SCHED_SETAFFINITY) return third !== 0 && space.holds(port, third, AFFINITY_BYTES) ? 0 : BAD_ADDRESS
    if (number === CLOSE) return close(port, space.table, first) ? 0 : BAD_DESCRIPTOR
    if (number === NANOSLEEP) return this.#sleep(port, thread, space, first)
    if (number === MADVISE) return space.holds(port, first, second) ? 0 : INVALID
    if (number === EXIT || number === EXIT_GROUP) {
      this.#programs.end(port, thread, number === EXIT_GROUP)
      return 0
    }
    return NO_SUCH_CALL
  }

  /** Sleeps for the time that a timespec says; the result is there already when the thread is woken. */
  #sleep(port: HartPort, thread: ProgramThread, space: ProgramSpace, from: number): number {
    if (!space.holds(port, from, TIMESPEC_BYTES)) return BAD_ADDRESS
    port.set(sstatus, SUM)
    const ticks = port.load64(from) * TICKS_A_SECOND + Math.floor(port.load64(from + 8) / NANOSECONDS)
    port.clear(sstatus, SUM)
    this.#scheduler.sleep(port, thread, port.read(time) + ticks)
    return 0
  }

  /** The lowest free number, or an error. */
  #newDescriptor(port: HartPort, space: ProgramSpace, kind: number, object: number, flags: number): number {
    const number = freeNumber(port, space.table, FIRST_FREE)
    if (number < 0) return TOO_MANY_FILES
    const file = openNew(port, kind, object, flags, ANYBODY)
    if (file === 0) return TOO_MANY_OPEN
    if (kind === UDP_SOCKET) this.#sockets.open(port, object, file)
    install(port, space.table, number, file)
    return number
  }

  /** A call with what is behind a descriptor, if the program may use it so. */
  #with(port: HartPort, thread: ProgramThread, space: ProgramSpace, number: number, first: number): number {
    const found = lookUp(port, space.table, first)
    if (found === 0) return BAD_DESCRIPTOR
    const file = recordOf(found)
    const isWrite = number === WRITE || number === SENDTO || number === FSYNC
    const result = mayUse(port, space.table, file, isWrite ? TO_WRITE : TO_READ)
      ? this.#use(port, thread, space, number, file)
      : BAD_DESCRIPTOR
    letGo(port, found)
    return result
  }

  #use(port: HartPort, thread: ProgramThread, space: ProgramSpace, number: number, file: number): number {
    const kind = port.load32(file + openFile.kind.at)
    const object = port.load32(file + openFile.object.at)
    if (number === FSYNC) return kind === DISK_FILE ? this.#files.sync(port, thread, object) : INVALID
    const address = this.#argument(port, thread, 1)
    const bytes = this.#argument(port, thread, 2)
    if (!space.holds(port, address, bytes)) return BAD_ADDRESS
    if (number === READ) {
      if (kind === PIPE_READER) return this.#pipes.read(port, thread, space, object, address, bytes)
      if (kind === PROC_FILE) return this.#readTold(port, space, file, address, bytes)
      return INVALID
    }
    if (number === WRITE) {
      if (kind === PIPE_WRITER) return this.#pipes.write(port, thread, space, object, address, bytes)
      return kind === DISK_FILE ? this.#files.append(port, thread, space, object, address, bytes) : INVALID
    }
    if (number === SENDTO) {
      const to = this.#argument(port, thread, 4)
      if (kind !== UDP_SOCKET || !space.holds(port, to, ADDRESS_BYTES)) return INVALID
      return this.#sockets.send(port, thread, space, object, address, bytes, to)
    }
    if (kind !== DISK_FILE) return INVALID
    const flags = port.load32(file + openFile.flags.at)
    return this.#files.read(port, thread, space, object, flags, address, bytes, this.#argument(port, thread, 3))
  }

  /** What the kernel tells, from where the last read ended. */
  #readTold(port: HartPort, space: ProgramSpace, file: number, to: number, bytes: number): number {
    const written = this.#told.write(port, port.load32(file + openFile.object.at))
    const position = port.load32(file + openFile.position.at)
    const count = Math.max(0, Math.min(bytes, written - position))
    if (count > 0 && !space.copyOut(port, to, TABLES.text + position, count)) return BAD_ADDRESS
    port.store32(file + openFile.position.at, position + count)
    return count
  }

  #futex(port: HartPort, thread: ProgramThread, address: number, operation: number, value: number): number {
    const space = this.#programs.spaceOf(port, thread)
    if (address % 4 !== 0 || !space.holds(port, address, 4)) return INVALID
    return this.#futexes.call(port, this.#programs, thread, address, operation, value)
  }

  #socket(port: HartPort, space: ProgramSpace): number {
    const socket = this.#sockets.find(port)
    return socket < 0 ? TOO_MANY_OPEN : this.#newDescriptor(port, space, UDP_SOCKET, socket, 0)
  }

  /** Anonymous memory behind all other areas, with a page between. */
  #map(port: HartPort, space: ProgramSpace, bytes: number, allowed: number): number {
    const start = space.top(port) + PAGE
    return space.addArea(port, start, Math.ceil(bytes / PAGE) * PAGE, allowed) ? start : NO_MEMORY
  }

  #open(port: HartPort, thread: ProgramThread, space: ProgramSpace, path: number, flags: number): number {
    if (!space.holds(port, path, 1)) return BAD_ADDRESS
    const length = this.#files.copyPath(port, path)
    const told = this.#told.named(port, length)
    if (told !== NO_PROC_FILE) return this.#newDescriptor(port, space, PROC_FILE, told, flags)
    const file = this.#files.open(port, thread, length)
    return file < 0 ? file : this.#newDescriptor(port, space, DISK_FILE, file, flags)
  }

  #pipe(port: HartPort, space: ProgramSpace, to: number): number {
    if (!space.holds(port, to, 8)) return BAD_ADDRESS
    const pipe = this.#pipes.make(port)
    if (pipe < 0) return TOO_MANY_FILES
    const reader = this.#newDescriptor(port, space, PIPE_READER, pipe, 0)
    const writer = this.#newDescriptor(port, space, PIPE_WRITER, pipe, 0)
    port.set(sstatus, SUM)
    port.store32(to, reader)
    port.store32(to + 4, writer)
    port.clear(sstatus, SUM)
    return 0
  }
}
