/**
 * System calls of programs, by Linux's numbers and conventions (riscv64: number in a7, arguments in a0 to a5, result or
 * negative error in a0). A call that has to wait is made again when its thread is woken.
 */
import { maskOf } from '../../../hw/spec/csr.ts'
import type { HartPort } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { sstatus } from '../../../hw/spec/csrs/supervisor.ts'
import { taskFrame } from '../layout.ts'
import { IN_USER, NEVER } from '../task.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Futexes } from './futexes.ts'
import type { Pipes } from './pipes.ts'
import type { ProgramFiles } from './program-files.ts'
import {
  descriptor,
  descriptorAt,
  FREE_DESCRIPTOR,
  MOST_DESCRIPTORS,
  OPEN_FILE,
  PIPE_READER,
  PIPE_WRITER,
  threadAt,
  threadInfo,
  UDP_SOCKET,
} from './program-frames.ts'
import { IN_CALL, type ProgramThread } from './program-thread.ts'
import type { Programs } from './programs.ts'
import type { ProgramSpace } from './program-space.ts'
import type { Sockets } from './sockets.ts'

const SUM = maskOf(sstatus, 'SUM')
const PAGE = 4096
const A0 = 10
const A7 = 17

const OPENAT = 56
const PIPE2 = 59
const READ = 63
const WRITE = 64
const PREAD64 = 67
const FSYNC = 82
const EXIT = 93
const EXIT_GROUP = 94
const FUTEX = 98
const NANOSLEEP = 101
const SCHED_SETAFFINITY = 122
const GETPPID = 173
const SOCKET = 198
const SENDTO = 206
const CLONE = 220
const MMAP = 222
const MADVISE = 233

const BAD_DESCRIPTOR = -9
const NO_MEMORY = -12
const BAD_ADDRESS = -14
const INVALID = -22
const TOO_MANY_FILES = -24
const NO_SUCH_CALL = -38
/** In place of a result: the thread sleeps and makes the call again. */
export const WAITS = -1000
const AFFINITY_BYTES = 8
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

  constructor(
    programs: Programs,
    scheduler: Scheduler,
    pipes: Pipes,
    futexes: Futexes,
    files: ProgramFiles,
    sockets: Sockets,
  ) {
    this.#programs = programs
    this.#scheduler = scheduler
    this.#pipes = pipes
    this.#futexes = futexes
    this.#files = files
    this.#sockets = sockets
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
    const first = this.#argument(port, thread, 0)
    if (number === GETPPID) return port.load32(threadAt(thread.number) + threadInfo.parent.at)
    const space = this.#programs.spaceOf(port, thread)
    const second = this.#argument(port, thread, 1)
    const third = this.#argument(port, thread, 2)
    if (number === READ) return this.#read(port, thread, space, first, second, third)
    if (number === WRITE) return this.#write(port, thread, space, first, second, third)
    if (number === PREAD64) return this.#readAt(port, thread, space, first, second, third)
    if (number === FUTEX) return this.#futex(port, thread, first, second, third)
    if (number === SENDTO) return this.#send(port, thread, space, first, second, third)
    if (number === MMAP) return this.#map(port, space, second, third)
    if (number === OPENAT) return this.#open(port, thread, space, second, third)
    if (number === PIPE2) return this.#pipe(port, space, first)
    if (number === CLONE) return this.#programs.clone(port, thread, first % 2 ** 32, second)
    if (number === SOCKET) return this.#newDescriptor(port, space, UDP_SOCKET, 0, 0)
    if (number === SCHED_SETAFFINITY) return third !== 0 && space.holds(port, third, AFFINITY_BYTES) ? 0 : BAD_ADDRESS
    if (number === FSYNC) return this.#sync(port, thread, space, first)
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

  /** The lowest free descriptor, or an error. */
  #newDescriptor(port: HartPort, space: ProgramSpace, kind: number, object: number, flags: number): number {
    for (let number = 3; number < MOST_DESCRIPTORS; number++) {
      const at = descriptorAt(space.index, number)
      if (port.load32(at + descriptor.kind.at) !== FREE_DESCRIPTOR) continue
      port.store32(at + descriptor.kind.at, kind)
      port.store32(at + descriptor.object.at, object)
      port.store32(at + descriptor.flags.at, flags)
      return number
    }
    return TOO_MANY_FILES
  }

  /** The object of a descriptor of a kind, or an error. */
  #objectOf(port: HartPort, space: ProgramSpace, number: number, kind: number): number {
    if (number >= MOST_DESCRIPTORS) return BAD_DESCRIPTOR
    const at = descriptorAt(space.index, number)
    return port.load32(at + descriptor.kind.at) === kind ? port.load32(at + descriptor.object.at) : BAD_DESCRIPTOR
  }

  #read(port: HartPort, thread: ProgramThread, space: ProgramSpace, number: number, to: number, bytes: number): number {
    const pipe = this.#objectOf(port, space, number, PIPE_READER)
    if (pipe < 0) return pipe
    return space.holds(port, to, bytes) ? this.#pipes.read(port, thread, space, pipe, to, bytes) : BAD_ADDRESS
  }

  #write(
    port: HartPort,
    thread: ProgramThread,
    space: ProgramSpace,
    number: number,
    from: number,
    bytes: number,
  ): number {
    const file = this.#objectOf(port, space, number, OPEN_FILE)
    if (file >= 0)
      return space.holds(port, from, bytes) ? this.#files.append(port, thread, space, file, from, bytes) : BAD_ADDRESS
    const pipe = this.#objectOf(port, space, number, PIPE_WRITER)
    if (pipe < 0) return pipe
    return space.holds(port, from, bytes) ? this.#pipes.write(port, thread, space, pipe, from, bytes) : BAD_ADDRESS
  }

  #sync(port: HartPort, thread: ProgramThread, space: ProgramSpace, number: number): number {
    const file = this.#objectOf(port, space, number, OPEN_FILE)
    return file < 0 ? file : this.#files.sync(port, thread, file)
  }

  #readAt(
    port: HartPort,
    thread: ProgramThread,
    space: ProgramSpace,
    number: number,
    to: number,
    bytes: number,
  ): number {
    const file = this.#objectOf(port, space, number, OPEN_FILE)
    if (file < 0) return file
    if (!space.holds(port, to, bytes)) return BAD_ADDRESS
    const flags = port.load32(descriptorAt(space.index, number) + descriptor.flags.at)
    return this.#files.read(port, thread, space, file, flags, to, bytes, this.#argument(port, thread, 3))
  }

  #futex(port: HartPort, thread: ProgramThread, address: number, operation: number, value: number): number {
    const space = this.#programs.spaceOf(port, thread)
    if (address % 4 !== 0 || !space.holds(port, address, 4)) return INVALID
    return this.#futexes.call(port, this.#programs, thread, address, operation, value)
  }

  #send(
    port: HartPort,
    thread: ProgramThread,
    space: ProgramSpace,
    number: number,
    from: number,
    bytes: number,
  ): number {
    const socket = this.#objectOf(port, space, number, UDP_SOCKET)
    if (socket < 0) return socket
    const address = this.#argument(port, thread, 4)
    if (!space.holds(port, from, bytes) || !space.holds(port, address, 16)) return BAD_ADDRESS
    return this.#sockets.send(port, space, from, bytes, address)
  }

  /** Anonymous memory behind all other areas, with a page between. */
  #map(port: HartPort, space: ProgramSpace, bytes: number, allowed: number): number {
    const start = space.top(port) + PAGE
    return space.addArea(port, start, Math.ceil(bytes / PAGE) * PAGE, allowed) ? start : NO_MEMORY
  }

  #open(port: HartPort, thread: ProgramThread, space: ProgramSpace, path: number, flags: number): number {
    if (!space.holds(port, path, 1)) return BAD_ADDRESS
    const file = this.#files.open(port, thread, path)
    return file < 0 ? file : this.#newDescriptor(port, space, OPEN_FILE, file, flags)
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

function nameOf(number: number): string {
  if (number === GETPPID) return 'syscall getppid'
  if (number === READ) return 'syscall read'
  if (number === WRITE) return 'syscall write'
  if (number === PREAD64) return 'syscall pread64'
  if (number === FUTEX) return 'syscall futex'
  if (number === SENDTO) return 'syscall sendto'
  return 'syscall of a program'
}
