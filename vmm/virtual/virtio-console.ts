/** The virtio console that a guest sees (virtio 1.2, 5.3): port 0, without features. */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { VIRTIO_ID } from '../../hw/spec/devices/virtio-mmio.ts'
import { VIRTIO_CONSOLE_RECEIVEQ, VIRTIO_CONSOLE_TRANSMITQ } from '../../hw/spec/layouts/virtio-console.ts'
import type { ConsoleBackend, GuestMemory, Later, VirtualLine, WorkingChip } from './chip.ts'
import { type VirtioDevice, VirtioTransport } from './virtio-mmio.ts'

/** Characters sent, and chains taken, in one call of `work`. */
const BUDGET = 256
const WAITING = 256

export class VirtualConsole implements VirtioDevice, WorkingChip {
  readonly id = VIRTIO_ID.console
  readonly features = 0
  readonly config = new Uint8Array(12)
  readonly transport: VirtioTransport
  /** For the VMM's registered state. */
  readonly state: Record<string, StateRecord>
  /** `sending`: a chain has been taken, whose characters up to `at` of `segment` have been sent. What came and has no buffer yet waits. */
  readonly #record = { behind: false, sending: false, segment: 0, at: 0, first: 0, count: 0 }
  readonly #waiting = new Uint8Array(WAITING)
  readonly #console: ConsoleBackend
  readonly #later: Later

  constructor(name: string, line: VirtualLine, memory: GuestMemory, later: Later, console: ConsoleBackend) {
    this.#later = later
    this.#console = console
    this.transport = new VirtioTransport(line, memory, 2, this)
    this.state = {
      ...this.transport.state(name, true),
      [`${name} record`]: this.#record,
      [`${name} waiting`]: this.#waiting,
    }
    console.attach((port, byte) => this.#input(port, byte))
  }

  notified(port: HartPort, queue: number): void {
    if (queue === VIRTIO_CONSOLE_RECEIVEQ) return this.#hand(port)
    this.#record.behind = true
    this.work(port)
  }

  reset(): boolean {
    this.#record.behind = false
    this.#record.sending = false
    this.#record.count = 0
    return true
  }

  isBehind(): boolean {
    return this.#record.behind && this.transport.isRunning()
  }

  work(port: HartPort): void {
    const record = this.#record
    if (!record.behind || !this.transport.isRunning()) return
    const queue = this.transport.queues[VIRTIO_CONSOLE_TRANSMITQ]
    record.behind = this.#send(port)
    if (record.behind) this.#later.behind = true
    this.transport.settle(port, queue)
  }

  /** True if that was enough for now. */
  #send(port: HartPort): boolean {
    const record = this.#record
    const queue = this.transport.queues[VIRTIO_CONSOLE_TRANSMITQ]
    for (let left = BUDGET; left > 0; left--) {
      if (!record.sending) {
        if (!queue.take(port)) return false
        record.sending = true
        record.segment = 0
        record.at = 0
      } else if (record.segment >= queue.record.readable) {
        record.sending = false
        queue.put(port, queue.record.head, 0)
      } else if (record.at >= queue.lengths[record.segment]) {
        record.segment++
        record.at = 0
      } else if (queue.reachPiece(port, queue.addresses[record.segment] + record.at, 1) === 0) {
        // What is not the guest's is not sent.
        record.segment++
        record.at = 0
      } else {
        this.#console.put(port, port.load8(queue.record.piece))
        record.at++
      }
    }
    return true
  }

  #input(port: HartPort, byte: number): void {
    const record = this.#record
    // Before there is a driver nobody listens.
    if (record.count === WAITING || !this.transport.isRunning()) return
    this.#waiting[(record.first + record.count) % WAITING] = byte
    record.count++
    this.#hand(port)
  }

  /** Gives the guest what waits, as far as it has offered room. */
  #hand(port: HartPort): void {
    const record = this.#record
    const queue = this.transport.queues[VIRTIO_CONSOLE_RECEIVEQ]
    for (let left = WAITING; left > 0 && record.count > 0 && this.transport.isRunning() && queue.take(port); left--) {
      let stored = 0
      while (record.count > 0 && queue.store8(port, stored, this.#waiting[record.first])) {
        record.first = (record.first + 1) % WAITING
        record.count--
        stored++
      }
      queue.put(port, queue.record.head, stored)
    }
    this.transport.settle(port, queue)
  }
}
