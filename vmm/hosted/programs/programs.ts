/** Programs of the host that are no VMM: their threads and address spaces, how they are loaded, cloned and ended. */
import { maskOf } from '../../../hw/spec/csr.ts'
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { sstatus } from '../../../hw/spec/csrs/supervisor.ts'
import { SMALL_PAGE } from '../../core/g-stage.ts'
import { type AddressSpace, HELD, RELEASED } from '../address-space.ts'
import { taskFrame, USER_PROGRAM } from '../layout.ts'
import { AREA_EXECUTE, AREA_READ, AREA_WRITE } from '../memory/areas.ts'
import { closeAll, createDescriptorTable, descriptorTable, inherit, permit } from '../objects/descriptor-tables.ts'
import { ANYBODY, PROGRAM_DOMAIN } from '../objects/security.ts'
import type { Scheduler } from '../scheduler.ts'
import { ASLEEP, ENDED, IN_USER } from '../task.ts'
import type { ProgramImage } from './elf.ts'
import { PROGRAM_TABLES, threadAt, threadInfo } from './program-frames.ts'
import { PROGRAM_CALLS } from './program-numbers.ts'
import { ENDING, type ProgramSpace, UNUSED } from './program-space.ts'
import type { ProgramThread } from './program-thread.ts'

const SPIE = maskOf(sstatus, 'SPIE')
const UXL_64_HIGH = 2
const SP = 2
const A0 = 10
const CLONE_VM = 0x100
const STACK_PAGES = 2
const AGAIN = -11

export class Programs {
  /** Programs loaded, the number that the next thread gets, and spaces whose memory is not all given back yet. */
  readonly record = { spaces: 0, number: 100, ending: 0 }
  readonly state: Record<string, StateRecord> = { programs: this.record }
  readonly threads: readonly ProgramThread[]
  readonly spaces: readonly ProgramSpace[]
  readonly #images: readonly ProgramImage[]
  readonly #scheduler: Scheduler

  constructor(
    images: readonly ProgramImage[],
    threads: readonly ProgramThread[],
    spaces: readonly ProgramSpace[],
    scheduler: Scheduler,
  ) {
    this.#images = images
    this.threads = threads
    this.spaces = spaces
    this.#scheduler = scheduler
    for (const { number, record } of threads) this.state[`program thread ${number}`] = record
    for (const { index, tables, record } of spaces) {
      this.state[`program space ${index}`] = tables.record
      this.state[`program space ${index} use`] = record
    }
  }

  /** The space that a thread runs in. */
  spaceOf(port: HartPort, thread: ProgramThread): ProgramSpace {
    return this.spaces[port.load32(threadAt(thread.number) + threadInfo.space.at)]
  }

  /** Wakes those of a mask. */
  wake(port: HartPort, threads: number): void {
    for (let number = 0; number < this.threads.length; number++)
      if ((threads & (1 << number)) !== 0) this.#scheduler.wake(port, this.threads[number])
  }

  /** The tables of a space of theirs. */
  tablesOf(index: number): AddressSpace {
    return this.spaces[index].tables
  }

  /** Loads the next program at boot; false if all are loaded. */
  load(port: HartPort): boolean {
    const { record } = this
    if (record.spaces === this.#images.length) return false
    if (record.spaces === 0) port.fill(PROGRAM_TABLES.base, 0, PROGRAM_TABLES.bytes)
    this.#load(port, record.spaces)
    return true
  }

  /** Their first threads begin. */
  begin(port: HartPort): void {
    for (let index = 0; index < this.#images.length; index++)
      this.#begin(port, this.threads[index], this.spaces[index], 1)
  }

  #load(port: HartPort, index: number): void {
    const { record } = this
    const image = this.#images[index]
    const space = this.spaces[record.spaces]
    const thread = this.threads[record.spaces]
    record.spaces++
    space.create(port)
    createDescriptorTable(port, space.table, PROGRAM_DOMAIN, ANYBODY)
    for (let call = 0; call < PROGRAM_CALLS.length; call++) permit(port, space.table, PROGRAM_CALLS[call])
    const pages = Math.ceil(image.memory / SMALL_PAGE)
    space.addArea(port, USER_PROGRAM, pages * SMALL_PAGE, AREA_READ | AREA_WRITE | AREA_EXECUTE)
    const stack = USER_PROGRAM + (pages + 1) * SMALL_PAGE
    space.addArea(port, stack, STACK_PAGES * SMALL_PAGE, AREA_READ | AREA_WRITE)
    const { bytes } = image
    for (let page = 0; page < pages; page++) {
      const to = space.populate(port, USER_PROGRAM + page * SMALL_PAGE)
      const from = page * SMALL_PAGE
      const here = Math.min(bytes.length - from, SMALL_PAGE)
      for (let at = 0; at < here; at += 4) port.store32(to + at, wordOf(bytes, from + at))
    }
    const { frame } = thread
    port.fill(frame, 0, taskFrame.size)
    port.store64(frame + SP * 8, stack + STACK_PAGES * SMALL_PAGE)
    port.store64(frame + taskFrame.sepc.at, USER_PROGRAM + image.entry - image.origin)
    port.store32(frame + taskFrame.sstatus.at, SPIE)
    port.store32(frame + taskFrame.sstatus.at + 4, UXL_64_HIGH)
  }

  #begin(port: HartPort, thread: ProgramThread, space: ProgramSpace, parent: number): void {
    const { record } = this
    const at = threadAt(thread.number)
    port.store32(at + threadInfo.space.at, space.index)
    port.store32(at + threadInfo.number.at, record.number)
    port.store32(at + threadInfo.parent.at, parent)
    record.number++
    space.tables.describe(port, thread.frame + taskFrame.satp.at)
    thread.record.state = ASLEEP
    thread.record.mode = IN_USER
    this.#scheduler.wake(port, thread)
  }

  /** A new thread like the one that asks, in its space or a copy of it; its number, or an error. */
  clone(port: HartPort, thread: ProgramThread, flags: number, stack: number): number {
    const { record } = this
    let free = 0
    while (free < this.threads.length && this.threads[free].record.state !== ENDED) free++
    if (free === this.threads.length) return AGAIN
    const own = this.spaceOf(port, thread)
    let space = own
    if ((flags & CLONE_VM) === 0) {
      let unused = 0
      while (unused < this.spaces.length && this.spaces[unused].record.state !== UNUSED) unused++
      if (unused === this.spaces.length) return AGAIN
      space = this.spaces[unused]
      if (!space.copyOf(port, own)) return AGAIN
      inherit(port, space.table, own.table)
    } else port.add32(own.table + descriptorTable.sharers.at, 1)
    const child = this.threads[free]
    port.copy(child.frame, thread.frame, taskFrame.size)
    port.store64(child.frame + A0 * 8, 0)
    if (stack !== 0) port.store64(child.frame + SP * 8, stack)
    const { number } = record
    this.#begin(port, child, space, port.load32(threadAt(thread.number) + threadInfo.number.at))
    return number
  }

  /** A thread is over, or with `all` every thread of its space. */
  end(port: HartPort, thread: ProgramThread, all: boolean): void {
    const scheduler = this.#scheduler
    const space = port.load32(threadAt(thread.number) + threadInfo.space.at)
    for (let index = 0; index < this.threads.length; index++) {
      const other = this.threads[index]
      if (other.record.state === ENDED) continue
      if (other !== thread && (!all || port.load32(threadAt(index) + threadInfo.space.at) !== space)) continue
      scheduler.end(port, other, ENDED)
      const { table } = this.spaces[space]
      if (port.add32(table + descriptorTable.sharers.at, -1) === 1) {
        closeAll(port, table)
        this.spaces[space].record.state = ENDING
        this.record.ending++
      }
    }
  }

  /** Gives back some of the memory of programs that are over; false if there is none, or the disk has it still. */
  releaseMore(port: HartPort): boolean {
    if (this.record.ending === 0) return false
    for (let index = 0; index < this.spaces.length; index++) {
      const { record, tables } = this.spaces[index]
      if (record.state !== ENDING) continue
      const left = tables.releaseSome(port)
      if (left === HELD) continue
      if (left === RELEASED) {
        record.state = UNUSED
        this.record.ending--
      }
      return true
    }
    return false
  }
}

/** Four bytes of an image; there are none beyond its end. */
function wordOf(bytes: Uint8Array, at: number): number {
  let word = 0
  for (let index = Math.min(4, bytes.length - at) - 1; index >= 0; index--) word = word * 256 + bytes[at + index]
  return word
}
