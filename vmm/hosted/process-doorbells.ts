/**
 * A guest's doorbells in its VMM process: the kernel takes them by itself and adds to an event, and the I/O thread serves the
 * queue when it is told. At first the thread says which registers and values are doorbells.
 */
import { virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import { GUEST_MAP } from '../../hw/spec/guest-map.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { A0, A1, A2, A7 } from '../../hw/spec/sbi.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import type { Process } from './process.ts'
import { SYS_READ_EVENT, SYS_WATCH } from './system-calls.ts'

const NONE = -1
const NETWORK_QUEUES = 2

/** By event: the register that is written, and the value: a queue of a device's. */
interface Doorbell {
  readonly address: number
  readonly queue: number
}

export class ProcessDoorbells {
  readonly state: Record<string, StateRecord>
  /** How many the kernel watches; the event that it has told of, and the one that is being read. */
  readonly #record = { watched: 0, rung: NONE, reading: NONE }
  readonly #bells: readonly Doorbell[]
  readonly #vm: VirtualMachine

  constructor({ vm, node, kernelWindows }: Process) {
    const notify = (base: number) => base + virtioMmio.QueueNotify.at
    const network = Array.from({ length: NETWORK_QUEUES }, (_, queue) => ({
      address: notify(GUEST_MAP.network.base),
      queue,
    }))
    this.#vm = vm
    this.#bells =
      kernelWindows > 0
        ? []
        : [...(node.disk ? [{ address: notify(GUEST_MAP.disk.base), queue: 0 }] : []), ...(node.network ? network : [])]
    this.state = { doorbells: this.#record }
  }

  /** The I/O thread's next system call, put into its registers; 0 if it has none to make. */
  next(port: HartPort): number {
    const record = this.#record
    if (record.watched < this.#bells.length) {
      const { address, queue } = this.#bells[record.watched]
      port.setX(A0, address)
      port.setX(A1, queue)
      port.setX(A2, record.watched)
      port.setX(A7, SYS_WATCH)
      record.watched++
      return SYS_WATCH
    }
    if (record.rung === NONE) return 0
    record.reading = record.rung
    record.rung = NONE
    port.setX(A0, record.reading)
    port.setX(A7, SYS_READ_EVENT)
    return SYS_READ_EVENT
  }

  /** The kernel has told of an event. */
  rings(event: number): void {
    this.#record.rung = event
  }

  /** The event has been read: the queue is served, if it was still to be. */
  serve(port: HartPort, count: number): void {
    const { reading } = this.#record
    this.#record.reading = NONE
    if (count === 0) return
    const { address, queue } = this.#bells[reading]
    const vm = this.#vm
    const window = vm.find(address, 4)
    port.account('vmm process', `queue ${vm.nameOf(window)}`, 'emulation')
    vm.write(port, window, address, 4, queue)
  }
}
