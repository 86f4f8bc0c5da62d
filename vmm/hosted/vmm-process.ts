/**
 * The VMM process of one guest, in user mode: a thread a vCPU that runs it by system call and emulates the registers that
 * it reaches for, one for consoles, one that takes its notifications, and one for each of disk and network card, which serves its queues and
 * waits for what happens outside. A lock keeps them from being in the devices at the same time.
 *
 *   main ─▶ next ─▶ (system call) ─▶ returned: what it gave ─▶ next ─▶ …
 */
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import type { HartPort, Software, StateRecord } from '../../hw/port.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { A0, A1, A7 } from '../../hw/spec/sbi.ts'
import { attachDevices } from '../core/devices.ts'
import { attachOnlyConsoles } from './process-consoles.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import { PLIC_SOURCES } from '../virtual/plic.ts'
import type { VirtualLine } from '../virtual/chip.ts'
import { USER_CONSOLE, USER_RAM, USER_TEXT, userRunPage } from './layout.ts'
import type { Process } from './process.ts'
import { ProcessLock } from './process-lock.ts'
import { ProcessDisk } from './process-disk.ts'
import { ProcessDoorbells } from './process-doorbells.ts'
import { ProcessMemory } from './process-memory.ts'
import { ProcessNetwork } from './process-network.ts'
import {
  EVENT_ADDED,
  EVENT_CONSOLE,
  EVENT_DISK,
  EVENT_RECEIVED,
  EXIT_AGAIN,
  EXIT_CONSOLE,
  EXIT_DEVICE,
  EXIT_MEMORY,
  runPage,
  SYS_DISK,
  SYS_EXIT,
  SYS_INTERRUPT,
  SYS_LOCK_WAKE,
  SYS_READ_EVENT,
  SYS_RUN,
  SYS_SEND,
  SYS_WAIT,
  SYS_WRITE,
  THREAD_REGISTER,
} from './system-calls.ts'

/** In place of a system call: the thread has made none. */
const NOTHING = 0
const CONSOLE_BYTES = 4096
/** Registers of a system call's arguments. */
const ARGUMENTS = 4

/**
 * System calls whose order is part of what they say: made with the lock held, as QEMU makes them, or a level that was decided
 * on later could reach the kernel first.
 */
const IN_ORDER: ReadonlySet<number> = new Set([SYS_INTERRUPT, SYS_WRITE, SYS_SEND])

export class VmmProcess {
  readonly program: Program
  readonly software: Software
  readonly #vm: VirtualMachine
  readonly #disk: ProcessDisk
  readonly #network: ProcessNetwork
  readonly #doorbells: ProcessDoorbells
  /** By thread: the system call that it is in, and its results; and the lock, which they may wait for. */
  readonly #calling: Int32Array
  readonly #first: Float64Array
  readonly #second: Float64Array
  readonly #lock: ProcessLock
  /** By thread: the tag of the disk request that it is beginning. */
  readonly #tags: Int32Array
  /** By thread: the call that is put off, with its arguments. */
  readonly #waking: Int32Array
  readonly #arguments: Float64Array
  /** By vCPU: its external interrupt as the interrupt controller has it, and as the kernel was told. By source, if the kernel has the interrupt controller. */
  readonly #levels: Int32Array
  readonly #told: Int32Array
  readonly #record = { from: 0, output: 0, ended: false, crashed: 0, code: 0 }
  /** Where a system call returns to. */
  readonly #back: number
  #input: (port: HartPort, byte: number) => void = () => {}

  constructor(program: Program, process: Process) {
    const { vm } = process
    const vcpus = vm.vcpus.length
    this.program = program
    this.#vm = vm
    this.#back = USER_TEXT + program.symbols.get('returned')! - program.origin
    const threads = process.lastTask - process.firstTask + 1
    this.#calling = new Int32Array(threads)
    this.#first = new Float64Array(threads)
    this.#second = new Float64Array(threads)
    this.#lock = new ProcessLock(threads)
    this.#tags = new Int32Array(threads)
    this.#waking = new Int32Array(threads)
    this.#arguments = new Float64Array(threads * ARGUMENTS)
    const inKernel = process.kernelWindows > 0
    const lines = inKernel ? PLIC_SOURCES : vcpus
    this.#levels = new Int32Array(lines)
    this.#told = new Int32Array(lines)
    const told = Array.from(
      { length: lines },
      (_, index): VirtualLine => ({
        set: (_port, level) => {
          this.#levels[index] = level ? 1 : 0
        },
      }),
    )
    const console = {
      put: (port: HartPort, byte: number) => this.#put(port, byte),
      attach: (input: (port: HartPort, byte: number) => void) => {
        this.#input = input
      },
    }
    this.#disk = new ProcessDisk(process)
    this.#network = new ProcessNetwork()
    this.#doorbells = new ProcessDoorbells(process)
    const memory = new ProcessMemory(process.node.memoryBytes)
    const finished = (_port: HartPort, code: number) => this.#finish(code, false)
    const devices = inKernel
      ? attachOnlyConsoles(vm, memory, told, console, finished)
      : attachDevices(vm, told, console, finished, {
          memory,
          ...(process.node.disk && { disk: { backend: this.#disk, sectors: process.sectors } }),
          ...(process.node.network && { network: { backend: this.#network, mac: process.node.network.mac } }),
        }).state
    const doors: Readonly<Record<string, (port: HartPort) => void>> = {
      main: port => port.jump(this.#back),
      returned: port => this.#returned(port),
    }
    const state: Record<string, StateRecord> = {
      calling: this.#calling,
      first: this.#first,
      second: this.#second,
      held: this.#lock.waiting,
      tags: this.#tags,
      waking: this.#waking,
      arguments: this.#arguments,
      levels: this.#levels,
      told: this.#told,
      process: this.#record,
      ...this.#disk.state,
      ...this.#network.state,
      ...this.#doorbells.state,
      ...devices,
    }
    this.software = {
      name: `VMM of ${vm.label} (${vm.index})`,
      entries: program.entries.map(({ label }) => doors[label]),
      state,
    }
  }

  #returned(port: HartPort): void {
    const thread = port.x(THREAD_REGISTER)
    port.account('vmm process', 'thread', 'computing')
    const call = this.#calling[thread]
    if (this.#doorbells.takes(thread)) {
      this.#calling[thread] = this.#doorbells.pass(port, call, port.x(A0), port.x(A1))
      return port.ecall(this.#back)
    }
    if (call === SYS_LOCK_WAKE) return this.#resumeCall(port, thread)
    if (this.#lock.waiting[thread] === 0) {
      this.#first[thread] = port.x(A0)
      this.#second[thread] = port.x(A1)
    }
    if (!IN_ORDER.has(call) && !this.#lock.take(port, thread, this.#back)) return
    if (call === SYS_RUN) this.#emulate(port, thread)
    else if (call === SYS_WAIT) this.#happened(port, thread, this.#first[thread], this.#second[thread])
    else if (call === SYS_DISK) this.#disk.begun(port, this.#tags[thread], this.#first[thread])
    else if (call === SYS_READ_EVENT) this.#doorbells.serve(port, thread, this.#first[thread])
    else if (call === SYS_SEND) this.#network.sent()
    if (this.#mayWork()) this.#vm.work(port)
    const again = this.#mayWork()
    this.#calling[thread] = NOTHING
    if (!again) this.#choose(port, thread)
    if (IN_ORDER.has(this.#calling[thread])) return port.ecall(this.#back)
    const contended = this.#lock.release(port)
    if (contended) {
      // Whoever sleeps for the lock is woken first; then what was chosen.
      this.#waking[thread] = again ? NOTHING : this.#calling[thread]
      for (let index = 0; index < ARGUMENTS; index++) this.#arguments[thread * ARGUMENTS + index] = port.x(A0 + index)
      this.#calling[thread] = SYS_LOCK_WAKE
      port.setX(A7, SYS_LOCK_WAKE)
    }
    if (again && !contended) port.jump(this.#back)
    else port.ecall(this.#back)
  }

  /** The call that was put off for waking somebody. */
  #resumeCall(port: HartPort, thread: number): void {
    for (let index = 0; index < ARGUMENTS; index++) port.setX(A0 + index, this.#arguments[thread * ARGUMENTS + index])
    const call = this.#waking[thread]
    this.#calling[thread] = call
    port.setX(A7, call)
    if (call === NOTHING) port.jump(this.#back)
    else port.ecall(this.#back)
  }

  /** True if chips have left work and what they have done has been passed on. */
  #mayWork(): boolean {
    return (
      this.#vm.isBehind() && this.#record.output === 0 && this.#disk.waiting() === 0 && this.#network.waiting() === 0
    )
  }

  /** The thread's next system call: what the devices have left to be done, then the guest or waiting. */
  #choose(port: HartPort, thread: number): void {
    const record = this.#record
    if (record.ended) return this.#call(port, thread, SYS_EXIT, record.code, record.crashed)
    if (record.output > 0) {
      // What follows goes behind it: another thread may have output before this one has made its call.
      const from = record.from
      const bytes = Math.min(record.output, CONSOLE_BYTES - from)
      record.output -= bytes
      record.from = (from + bytes) % CONSOLE_BYTES
      return this.#call(port, thread, SYS_WRITE, USER_CONSOLE + from, bytes)
    }
    for (let line = 0; line < this.#levels.length; line++) {
      const level = this.#levels[line]
      if (level === this.#told[line]) continue
      this.#told[line] = level
      return this.#call(port, thread, SYS_INTERRUPT, line, level)
    }
    if (this.#network.waiting() > 0) {
      const slot = this.#network.next()
      return this.#call(port, thread, SYS_SEND, slot, this.#network.bytesOf(slot))
    }
    const tag = this.#disk.next()
    if (tag >= 0) {
      this.#tags[thread] = tag
      this.#disk.describe(port, tag)
      this.#calling[thread] = SYS_DISK
      return port.setX(A7, SYS_DISK)
    }
    if (thread < this.#vm.vcpus.length) return this.#call(port, thread, SYS_RUN, thread, 0)
    const call = this.#doorbells.next(port, thread)
    if (call !== NOTHING) this.#calling[thread] = call
    else this.#call(port, thread, SYS_WAIT, 0, 0)
  }

  #call(port: HartPort, thread: number, call: number, first: number, second: number): void {
    this.#calling[thread] = call
    port.setX(A0, first)
    port.setX(A1, second)
    port.setX(A7, call)
  }

  /** The guest has reached for a device, or is over. */
  #emulate(port: HartPort, thread: number): void {
    const page = userRunPage(thread)
    const reason = port.load32(page + runPage.reason.at)
    if (reason === EXIT_AGAIN) return
    if (reason === EXIT_CONSOLE) return this.#print(port, page)
    if (reason === EXIT_MEMORY) {
      port.load8(USER_RAM + port.load64(page + runPage.address.at) - GUEST_RAM)
      return
    }
    if (reason !== EXIT_DEVICE) {
      return this.#finish(port.load32(page + runPage.code.at), port.load32(page + runPage.crashed.at) !== 0)
    }
    const vm = this.#vm
    const address = port.load64(page + runPage.address.at)
    const bytes = port.load32(page + runPage.bytes.at)
    const write = port.load32(page + runPage.write.at) !== 0
    const width = bytes === 8 ? 4 : (bytes as 1 | 2 | 4)
    const window = vm.find(address, bytes)
    port.account('vmm process', `${write ? 'store' : 'load'} ${vm.nameOf(window)}`, 'emulation')
    if (write) {
      vm.write(port, window, address, width, port.load32(page + runPage.low.at))
      if (bytes === 8) vm.write(port, window, address + 4, 4, port.load32(page + runPage.high.at))
      return
    }
    port.store32(page + runPage.low.at, vm.read(port, window, address, width))
    if (bytes === 8) port.store32(page + runPage.high.at, vm.read(port, window, address + 4, 4))
  }

  /** What the guest has said by call. */
  #print(port: HartPort, page: number): void {
    const bytes = port.load32(page + runPage.bytes.at)
    for (let index = 0; index < bytes; index++) this.#put(port, port.load8(page + runPage.text.at + index))
  }

  /** What the thread waited for. */
  #happened(port: HartPort, thread: number, event: number, value: number): void {
    port.account('vmm process', 'event', 'emulation')
    if (event === EVENT_CONSOLE) this.#input(port, value)
    else if (event === EVENT_DISK) this.#disk.ended(port, value)
    else if (event === EVENT_ADDED) this.#doorbells.rings(thread, value)
    else if (event === EVENT_RECEIVED) this.#network.received(port, value)
  }

  #put(port: HartPort, byte: number): void {
    const record = this.#record
    port.store8(USER_CONSOLE + ((record.from + record.output) % CONSOLE_BYTES), byte)
    record.output++
  }

  #finish(code: number, crashed: boolean): void {
    const record = this.#record
    record.ended = true
    record.code = code
    record.crashed = crashed ? 1 : 0
  }
}
