/** What the kernel asks of the hypervisor, in either of its forms: a module of the kernel's, or the driver of a monitor in a world of its own. */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import type { Vcpu } from '../core/vcpu.ts'
import type { Process } from './process.ts'
import type { Task } from './task.ts'

export interface Hypervisor {
  /** By vCPU: the page that it shares with the process. */
  readonly runPages: Float64Array
  readonly state: Readonly<Record<string, StateRecord>>
  /** Sets up what it needs for a process's vCPUs. */
  prepare(port: HartPort, process: Process): void
  /** The system call: takes the vCPU, completes what the process has done for it, and sends the thread into the guest. False: another thread runs it. */
  run(port: HartPort, task: Task): boolean
  /** The system call: the guest's external interrupt. */
  interrupt(port: HartPort, vcpu: Vcpu, level: boolean): void
  /** The system call: a doorbell of the guest's adds to an event of the process's. The phase that `isWatched` asks for; negative: it cannot. */
  watch(port: HartPort, process: Process, address: number, value: number, event: number): number
  /** True if no vCPU goes by what was there before. */
  isWatched(port: HartPort, process: Process, phase: number): boolean
  /** The hart is back from the guest. */
  exit(port: HartPort, task: Task): void
  /** The last thing before the guest goes on: false if it cannot, and the thread sleeps. Else the entry is over. */
  enter(port: HartPort, task: Task): boolean
  /** Begins to save what the hart holds of a vCPU; false if it holds nothing. */
  save(port: HartPort): boolean
  hasSaved(port: HartPort): void
  hasLoaded(port: HartPort, task: Task): void
}
