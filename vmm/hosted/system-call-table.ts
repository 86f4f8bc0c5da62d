/** What the kernel does for its processes: the system calls of system-calls.ts. */
import { maskOf } from '../../hw/spec/csr.ts'
import type { HartPort } from '../../hw/port.ts'
import { time } from '../../hw/spec/csrs/counters.ts'
import { sstatus } from '../../hw/spec/csrs/supervisor.ts'
import { A0, A1, A2, A3, A7 } from '../../hw/spec/sbi.ts'
import { DEAD, NOWHERE } from '../core/vcpu.ts'
import { EVENTS } from './hypervisor/events.ts'
import { taskFrame, USER_CONSOLE, USER_LOCK } from './layout.ts'
import { closeAll, descriptorTableAt, isPermitted, letGo, lookUp, recordOf } from './objects/descriptor-tables.ts'
import { FILE_OF, NO_FILE_NEEDED, USE_OF, VCPU_FILE } from './objects/process-files.ts'
import { mayUse } from './objects/security.ts'
import type { Plan } from './plan.ts'
import type { Process } from './process.ts'
import { TICK } from './scheduler.ts'
import {
  EVENT_ADDED,
  EVENT_CONSOLE,
  EVENT_DISK,
  EVENT_RECEIVED,
  LOCK_CONTENDED,
  SYS_ADD_EVENT,
  SYS_DISK,
  SYS_EXIT,
  SYS_EXPECT,
  SYS_INTERRUPT,
  SYS_LOCK_WAIT,
  SYS_LOCK_WAKE,
  SYS_READ_EVENT,
  SYS_RUN,
  SYS_SEND,
  SYS_WAIT,
  SYS_WATCH,
  SYS_WRITE,
} from './system-calls.ts'
import { ENDED, IN_GUEST, IN_USER, IN_WAIT, IN_WATCH, NEVER, type Task } from './task.ts'

/** sstatus.SUM: the kernel may reach the pages of the process. */
const SUM = maskOf(sstatus, 'SUM')
const PAGE = 4096

/** By number: what the ledger calls it. */
const NAMES = [
  '',
  'syscall run',
  'syscall interrupt',
  'syscall wait',
  'syscall disk',
  'syscall write',
  'syscall send',
  'syscall exit',
  'syscall lock wait',
  'syscall lock wake',
  'syscall watch',
  'syscall read event',
  'syscall expect',
  'syscall add event',
] as const

export class SystemCalls {
  readonly #plan: Plan

  constructor(plan: Plan) {
    this.#plan = plan
  }

  /** Handles an ecall from a process: past the instruction, then what it asked for, if it may. Else the result is -1. */
  handle(port: HartPort, task: Task): void {
    const { frame, process } = task
    const number = port.load32(frame + A7 * 8)
    port.account('host kernel', NAMES[number] ?? 'syscall', 'computing')
    port.store64(frame + taskFrame.sepc.at, port.load64(frame + taskFrame.sepc.at) + 4)
    const table = descriptorTableAt(process.space.number)
    if (!isPermitted(port, table, number)) return this.#result(port, task, -1, 0)
    const needed = FILE_OF[number]
    if (needed === NO_FILE_NEEDED) return this.#make(port, task, number)
    const found = lookUp(port, table, number === SYS_RUN ? VCPU_FILE + task.index - process.firstTask : needed)
    if (found === 0) return this.#result(port, task, -1, 0)
    if (!mayUse(port, table, recordOf(found), USE_OF[number])) this.#result(port, task, -1, 0)
    else this.#make(port, task, number)
    // A thread in its guest has its vCPU open until it comes back.
    if (task.record.mode === IN_GUEST) task.record.holds = found
    else letGo(port, found)
  }

  /** A thread has come back from its guest. */
  back(port: HartPort, task: Task): void {
    letGo(port, task.record.holds)
    task.record.holds = 0
  }

  #make(port: HartPort, task: Task, number: number): void {
    const { frame, process } = task
    if (number === SYS_RUN) this.#run(port, task)
    else if (number === SYS_INTERRUPT) this.#interrupt(port, task)
    else if (number === SYS_WAIT) task.record.mode = IN_WAIT
    else if (number === SYS_DISK) this.#disk(port, task)
    else if (number === SYS_SEND) this.#send(port, task)
    else if (number === SYS_WRITE) this.#write(port, task)
    else if (number === SYS_LOCK_WAIT) this.#lockWait(port, task)
    else if (number === SYS_LOCK_WAKE) this.#lockWake(port, process)
    else if (number === SYS_WATCH) this.#watch(port, task)
    else if (number === SYS_READ_EVENT) this.#readEvent(port, task)
    else if (number === SYS_EXPECT) this.#expect(port, task)
    else if (number === SYS_ADD_EVENT) this.#addEvent(port, task)
    else if (number === SYS_EXIT) {
      process.vm.record.crashed = port.load32(frame + A1 * 8) !== 0
      this.endProcess(port, process, port.load32(frame + A0 * 8))
    }
  }

  #argument(port: HartPort, task: Task, register: number): number {
    return port.load64(task.frame + register * 8)
  }

  #result(port: HartPort, task: Task, first: number, second: number): void {
    port.store64(task.frame + A0 * 8, first)
    port.store64(task.frame + A1 * 8, second)
  }

  #run(port: HartPort, task: Task): void {
    if (task.vcpu === NOWHERE || !this.#plan.module.run(port, task)) this.#result(port, task, -1, 0)
  }

  #interrupt(port: HartPort, task: Task): void {
    const { vm } = task.process
    const index = this.#argument(port, task, A0)
    const { backends } = this.#plan
    if (backends.length > 0) {
      backends[vm.index].setLine(port, index, this.#argument(port, task, A1) !== 0)
      return this.#result(port, task, 0, 0)
    }
    if (index >= vm.vcpus.length) return this.#result(port, task, -1, 0)
    this.#plan.module.interrupt(port, vm.vcpus[index], this.#argument(port, task, A1) !== 0)
    this.#result(port, task, 0, 0)
  }

  #watch(port: HartPort, task: Task): void {
    const { process } = task
    const event = this.#argument(port, task, A2)
    const address = this.#argument(port, task, A0)
    const value = this.#argument(port, task, A1)
    const phase = event < EVENTS ? this.#plan.module.watch(port, process, address, value, event) : -1
    this.#result(port, task, phase < 0 ? -1 : 0, 0)
    if (phase < 0) return
    process.record.phase = phase
    task.record.mode = IN_WATCH
  }

  /** False if vCPUs still go by what was there before: the thread looks again at the next tick. */
  #isWatched(port: HartPort, task: Task): boolean {
    const { module, scheduler } = this.#plan
    if (!module.isWatched(port, task.process, task.process.record.phase)) {
      scheduler.sleep(port, task, port.read(time) + TICK)
      return false
    }
    task.record.mode = IN_USER
    return true
  }

  #expect(port: HartPort, task: Task): void {
    const { process } = task
    const event = this.#argument(port, task, A0)
    const waiter = process.firstTask + this.#argument(port, task, A1)
    const isRight = event < EVENTS && waiter <= process.lastTask
    if (isRight) process.eventTasks[event] = waiter
    this.#result(port, task, isRight ? 0 : -1, 0)
  }

  #addEvent(port: HartPort, task: Task): void {
    const event = this.#argument(port, task, A0)
    if (event < EVENTS) this.#plan.events.add(port, task.process, event, this.#argument(port, task, A1))
    this.#result(port, task, event < EVENTS ? 0 : -1, 0)
  }

  #readEvent(port: HartPort, task: Task): void {
    const event = this.#argument(port, task, A0)
    this.#result(port, task, event < EVENTS ? this.#plan.events.read(port, task.process, event) : -1, 0)
  }

  /** A thread that waits in a system call: it gets what has happened; false if it sleeps on. */
  deliver(port: HartPort, task: Task): boolean {
    if (task.record.mode === IN_WATCH) return this.#isWatched(port, task)
    const { process, index } = task
    port.account('host kernel', 'syscall wait', 'computing')
    const byte = index === process.ioTask ? process.heard() : -1
    const tag = byte < 0 && index === process.diskTask ? this.#plan.files.ended(port, process) : -1
    const isFree = byte < 0 && tag < 0
    const frame = isFree && index === process.networkTask ? this.#plan.network.taps.received(port, process) : -1
    if (byte >= 0) this.#result(port, task, EVENT_CONSOLE, byte)
    else if (tag >= 0) this.#result(port, task, EVENT_DISK, tag)
    else if (frame >= 0) this.#result(port, task, EVENT_RECEIVED, frame)
    else {
      const event = this.#plan.events.ready(process, index)
      if (event < 0) {
        this.#plan.scheduler.sleep(port, task, NEVER)
        if (process.record.preparing !== 0) this.#isPrepared(port, task)
        return false
      }
      this.#result(port, task, EVENT_ADDED, event)
    }
    task.record.mode = IN_USER
    return true
  }

  /** A thread that serves devices waits for the first time. When all of them do, the process lets its vCPUs go. */
  #isPrepared(port: HartPort, task: Task): void {
    const { record, firstTask, ioTask } = task.process
    record.preparing &= ~(1 << (task.index - firstTask))
    if (record.preparing !== 0) return
    for (let index = firstTask; index < ioTask; index++)
      this.#plan.scheduler.wake(port, this.#plan.scheduler.tasks[index])
  }

  #disk(port: HartPort, task: Task): void {
    const what = this.#argument(port, task, A0)
    const sector = this.#argument(port, task, A1)
    const count = this.#argument(port, task, A2)
    const address = this.#argument(port, task, A3)
    this.#result(
      port,
      task,
      this.#plan.files.begin(port, task.process, what % 256, Math.floor(what / 256), sector, count, address),
      0,
    )
  }

  #send(port: HartPort, task: Task): void {
    const sent = this.#plan.network.taps.send(
      port,
      task.process,
      this.#argument(port, task, A0),
      this.#argument(port, task, A1),
    )
    this.#result(port, task, sent ? 0 : -1, 0)
  }

  #write(port: HartPort, task: Task): void {
    const address = this.#argument(port, task, A0)
    const bytes = this.#argument(port, task, A1)
    if (address < USER_CONSOLE || address + bytes > USER_CONSOLE + PAGE) return this.#result(port, task, -1, 0)
    const { index } = task.process.vm
    for (let done = 0; done < bytes; done++) {
      port.set(sstatus, SUM)
      const byte = port.load8(address + done)
      port.clear(sstatus, SUM)
      this.#plan.console.put(port, index, byte)
    }
    this.#result(port, task, bytes, 0)
  }

  #lockWait(port: HartPort, task: Task): void {
    const { process, index } = task
    port.set(sstatus, SUM)
    const word = port.load32(USER_LOCK)
    port.clear(sstatus, SUM)
    this.#result(port, task, 0, 0)
    if (word !== LOCK_CONTENDED) return
    process.record.waiters |= 1 << (index - process.firstTask)
    this.#plan.scheduler.sleep(port, task, NEVER)
  }

  #lockWake(port: HartPort, process: Process): void {
    const { record, firstTask, lastTask } = process
    for (let index = firstTask; index <= lastTask; index++) {
      const bit = 1 << (index - firstTask)
      if ((record.waiters & bit) === 0) continue
      record.waiters &= ~bit
      return this.#plan.scheduler.wake(port, this.#plan.scheduler.tasks[index])
    }
  }

  /** Ends a process: its threads stop, wherever they are. Its memory is given back when the last has left its hart. */
  endProcess(port: HartPort, process: Process, code: number): void {
    const { scheduler } = this.#plan
    process.record.ended = true
    this.#plan.files.abandon(port, process)
    closeAll(port, descriptorTableAt(process.space.number))
    const { record, vcpus } = process.vm
    record.ended = true
    record.exitCode = code
    for (let index = 0; index < vcpus.length; index++) vcpus[index].record.status = DEAD
    for (let index = process.firstTask; index <= process.lastTask; index++) {
      const task = this.#plan.tasks[index]
      if (task.record.holds !== 0) this.back(port, task)
      scheduler.end(port, task, ENDED)
    }
  }
}
