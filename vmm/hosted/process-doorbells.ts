/**
 * A guest's doorbells in its VMM process: the kernel takes them by itself and adds to an event, and the device's thread serves
 * the queue when it is told. At first the thread for consoles says which registers and values are doorbells, and whose.
 */
import { virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import { GUEST_MAP } from '../../hw/spec/guest-map.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { A0, A1, A2, A3, A7 } from '../../hw/spec/sbi.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import type { Process } from './process.ts'
import { SYS_READ_EVENT, SYS_WATCH } from './system-calls.ts'

const NONE = -1
const NETWORK_QUEUES = 2

/** By event: the register that is written, and the value: a queue of a device's; and whose thread serves it. */
interface Doorbell {
  readonly address: number
  readonly queue: number
  readonly thread: number
}

export class ProcessDoorbells {
  readonly state: Record<string, StateRecord>
  /** How many the kernel watches. By thread: the event that it has been told of, and the one that it reads. */
  readonly #record = { watched: 0 }
  readonly #rung: Int32Array
  readonly #reading: Int32Array
  /** The thread for consoles. */
  readonly #main: number
  readonly #bells: readonly Doorbell[]
  readonly #vm: VirtualMachine

  constructor(process: Process) {
    const { vm, node, kernelWindows, firstTask, ioTask, diskTask, networkTask, lastTask } = process
    const notify = (base: number) => base + virtioMmio.QueueNotify.at
    const network = Array.from({ length: NETWORK_QUEUES }, (_, queue) => ({
      address: notify(GUEST_MAP.network.base),
      queue,
      thread: networkTask - firstTask,
    }))
    this.#vm = vm
    this.#main = ioTask - firstTask
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
    const record = this.#record
    if (thread === this.#main && record.watched < this.#bells.length) {
      const bell = this.#bells[record.watched]
      port.setX(A0, bell.address)
      port.setX(A1, bell.queue)
      port.setX(A2, record.watched)
      port.setX(A3, bell.thread)
      port.setX(A7, SYS_WATCH)
      record.watched++
      return SYS_WATCH
    }
    const event = this.#rung[thread]
    if (event === NONE) return 0
    this.#rung[thread] = NONE
    this.#reading[thread] = event
    port.setX(A0, event)
    port.setX(A7, SYS_READ_EVENT)
    return SYS_READ_EVENT
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
    const { address, queue } = this.#bells[event]
    const vm = this.#vm
    const window = vm.find(address, 4)
    port.account('vmm process', `queue ${vm.nameOf(window)}`, 'emulation')
    vm.write(port, window, address, 4, queue)
  }
}
