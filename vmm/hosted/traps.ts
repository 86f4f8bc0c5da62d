/** Traps of processes and programs into the kernel that are no interrupts: system calls and page faults. */
import type { HartPort } from '../../hw/port.ts'
import { scause, stval } from '../../hw/spec/csrs/supervisor.ts'
import { countFault } from './accounting.ts'
import type { AddressSpace } from './address-space.ts'
import type { Plan } from './plan.ts'
import type { SystemCalls } from './system-call-table.ts'
import type { Task } from './task.ts'

const ECALL_FROM_U = 8
const LOAD_PAGE_FAULT = 13
const STORE_PAGE_FAULT = 15

export class Traps {
  readonly #plan: Plan
  readonly #calls: SystemCalls

  constructor(plan: Plan, calls: SystemCalls) {
    this.#plan = plan
    this.#calls = calls
  }

  /** Of the current thread. */
  take(port: HartPort): void {
    const { tasks, scheduler } = this.#plan
    const index = scheduler.current[port.hart]
    const cause = port.read(scause)
    if (index >= tasks.length) this.#ofProgram(port, index, cause)
    else if (cause === ECALL_FROM_U) this.#calls.handle(port, tasks[index])
    else this.#fault(port, tasks[index], cause)
  }

  #ofProgram(port: HartPort, index: number, cause: number): void {
    const { tasks, threads } = this.#plan
    const { programs, calls } = this.#plan.programs
    const thread = programs.threads[index - tasks.length - threads.all.length]
    if (cause === ECALL_FROM_U) return calls.handle(port, thread)
    port.account('host kernel', 'page fault', 'emulation')
    countFault(port)
    const address = port.read(stval)
    const { tables } = programs.spaceOf(port, thread)
    if (this.#isGiven(port, tables, cause, address)) return port.sfenceVma(address)
    programs.end(port, thread, true)
  }

  /** True if the page is there now, and may be used so. */
  #isGiven(port: HartPort, space: AddressSpace, cause: number, address: number): boolean {
    const isStore = cause === STORE_PAGE_FAULT
    return (isStore || cause === LOAD_PAGE_FAULT) && space.fault(port, address, isStore) !== 0
  }

  /** A page of anonymous memory that is touched for the first time. Anything else is the process's end. */
  #fault(port: HartPort, task: Task, cause: number): void {
    port.account('host kernel', 'page fault', 'emulation')
    const { space, vm } = task.process
    const address = port.read(stval)
    if (this.#isGiven(port, space, cause, address)) return port.sfenceVma(address)
    vm.record.crashed = true
    this.#calls.endProcess(port, task.process, cause)
  }
}
