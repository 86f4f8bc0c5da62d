/**
 * A guest's doorbells in its VMM process: the kernel takes them by itself and adds to an event. One thread takes all such
 * notifications, and adds to the event of the device's own thread, which serves the queue: so whoever takes them is free for
 * the next at once. At first the thread for consoles says which registers and values are doorbells, and who waits for which event.
 */
import { virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import { GUEST_MAP } from '../../hw/spec/guest-map.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { A0, A1, A2, A7 } from '../../hw/spec/sbi.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import { EVENTS } from './hypervisor/events.ts'
import type { Process } from './process.ts'
import { SYS_ADD_EVENT, SYS_EXPECT, SYS_READ_EVENT, SYS_WAIT, SYS_WATCH } from './system-calls.ts'

const NONE = -1
const NETWORK_QUEUES = 2
/** The first events are the doorbells, as many of the others are what devices' threads wait for. */
const OF_DEVICES = EVENTS / 2
/** System calls that make a doorbell known. */
const STEPS = 3

/** By event: the register that is written, and the value: a queue of a device's; and whose thread serves it. */
interface Doorbell {
  readonly address: number
  readonly queue: number
  readonly thread: number
}

export class ProcessDoorbells {
  readonly state: Record<string, StateRecord>
  /** How much has been said of doorbells, in system calls. By thread: the event that it has been told of, and the one that it reads. */
  readonly #record = { said: 0 }
  readonly #rung: Int32Array
  readonly #reading: Int32Array
  /** The thread for consoles, and the one that takes notifications. */
  readonly #main: number
  readonly #taker: number
  readonly #bells: readonly Doorbell[]
  readonly #vm: VirtualMachine

  constructor(process: Process) {
    const { vm, node, kernelWindows, firstTask, ioTask, diskTask, networkTask, notifyTask, lastTask } = process
    const notify = (base: number) => base + virtioMmio.QueueNotify.at
    const network = Array.from({ length: NETWORK_QUEUES }, (_, queue) => ({
      address: notify(GUEST_MAP.network.base),
      queue,
      thread: networkTask - firstTask,
    }))
    this.#vm = vm
    this.#main = ioTask - firstTask
    this.#taker = notifyTask - firstTask
    this.#bells =
      kernelWindows > 0
        ? []
        : [
            ...(node.disk ? [{ address: notify(GUEST_MAP.disk.base), queue: 0, thread: diskTask - firstTask }] : []),
            ...(node.network ? network : []),
          ]
    this.#rung = new Int32Array(lastTask - firstTask + 1).fill(NONE)
    this.#reading = new Int32Array(lastTask - firstTask + 1).fill(NONE)
    this.state = { doorbells: this.#record, rung: this.#rung, reading: this.#reading }
  }

  /** The next system call of a thread that is no vCPU's, put into its registers; 0 if it has none to make. */
  next(port: HartPort, thread: number): number {
    if (thread === this.#main && this.#record.said < this.#bells.length * STEPS) return this.#say(port)
    const event = this.#rung[thread]
    if (event === NONE) return 0
    this.#rung[thread] = NONE
    this.#reading[thread] = event
    return this.#call(port, SYS_READ_EVENT, event, 0)
  }

  /** Who waits for a doorbell's event, who for its device's; and that it is one. */
  #say(port: HartPort): number {
    const record = this.#record
    const event = Math.floor(record.said / STEPS)
    const step = record.said % STEPS
    const bell = this.#bells[event]
    record.said++
    if (step === 0) return this.#call(port, SYS_EXPECT, event, this.#taker)
    if (step === 1) return this.#call(port, SYS_EXPECT, OF_DEVICES + event, bell.thread)
    port.setX(A2, event)
    return this.#call(port, SYS_WATCH, bell.address, bell.queue)
  }

  #call(port: HartPort, call: number, first: number, second: number): number {
    port.setX(A0, first)
    port.setX(A1, second)
    port.setX(A7, call)
    return call
  }

  /** True for the thread that takes notifications: it has nothing to do with devices, and needs no lock. */
  takes(thread: number): boolean {
    return thread === this.#taker && thread !== this.#main
  }

  /** What that thread does next, after this system call: it is told of an event, reads it, tells the device's thread, waits again. */
  pass(port: HartPort, call: number, first: number, second: number): number {
    const taker = this.#taker
    if (call === SYS_WAIT) {
      this.#reading[taker] = second
      return this.#call(port, SYS_READ_EVENT, second, 0)
    }
    if (call !== SYS_READ_EVENT || first === 0) return this.#call(port, SYS_WAIT, 0, 0)
    return this.#call(port, SYS_ADD_EVENT, OF_DEVICES + this.#reading[taker], first)
  }

  /** The kernel has told a thread of an event. */
  rings(thread: number, event: number): void {
    this.#rung[thread] = event
  }

  /** The event has been read: the queue is served, if it was still to be. */
  serve(port: HartPort, thread: number, count: number): void {
    const event = this.#reading[thread]
    this.#reading[thread] = NONE
    if (count === 0) return
    const { address, queue } = this.#bells[event - OF_DEVICES]
    const vm = this.#vm
    const window = vm.find(address, 4)
    port.account('vmm process', `queue ${vm.nameOf(window)}`, 'emulation')
    vm.write(port, window, address, 4, queue)
  }
}
