/**
 * Taps: a process's end of the network. A frame that it writes is copied from its ring into a packet, which the bridge
 * has at once; packets for it wait in a queue, and are copied into its other ring when it reads. What finds no room is lost.
 */
import { maskOf } from '../../../hw/spec/csr.ts'
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { sstatus } from '../../../hw/spec/csrs/supervisor.ts'
import { MAXIMUM_FRAME } from '../../virtual/chip.ts'
import { RING_SLOTS, SLOT_BYTES, USER_RINGS } from '../layout.ts'
import type { Process } from '../process.ts'
import type { Scheduler } from '../scheduler.ts'
import { NO_PACKET, packet, packetAt, PacketQueue, type Packets } from './packets.ts'

const LEAST_FRAME = 14
/** Policy: packets that wait for a process before others are lost. */
const QUEUE_LENGTH = 48
/** sstatus.SUM: the kernel may reach the pages of the process. */
const SUM = maskOf(sstatus, 'SUM')

export class Taps {
  readonly state: Record<string, StateRecord>
  readonly record = { lost: 0 }
  readonly #queues: readonly PacketQueue[]
  /** By process: the slot that it is given next. */
  readonly #next: Int32Array
  /** By process: a packet that the kernel fills for it. */
  readonly #reserved: Int32Array
  readonly #processes: readonly Process[]
  readonly #packets: Packets
  readonly #scheduler: Scheduler
  #forward: (port: HartPort, tap: number, number: number) => void = () => {}

  constructor(processes: readonly Process[], packets: Packets, scheduler: Scheduler) {
    this.#processes = processes
    this.#packets = packets
    this.#scheduler = scheduler
    this.#queues = processes.map(() => new PacketQueue())
    this.#next = new Int32Array(processes.length)
    this.#reserved = new Int32Array(processes.length).fill(NO_PACKET)
    this.state = { taps: this.record, 'tap next': this.#next, 'tap reserved': this.#reserved }
    this.#queues.forEach(({ record }, tap) => (this.state[`tap ${tap}`] = record))
  }

  /** Who has what processes write. Set-up. */
  attach(forward: (port: HartPort, tap: number, number: number) => void): void {
    this.#forward = forward
  }

  /** The system call: a frame of the process's, in a slot of its sending ring. False if it is none. */
  send(port: HartPort, process: Process, slot: number, bytes: number): boolean {
    if (slot >= RING_SLOTS || bytes < LEAST_FRAME || bytes > MAXIMUM_FRAME) return false
    const number = this.#packets.take(port)
    if (number === NO_PACKET) {
      this.record.lost++
      return true
    }
    const at = packetAt(number)
    port.account('host kernel', 'tap', 'copy')
    port.set(sstatus, SUM)
    port.copy(port.load64(at + packet.data.at), USER_RINGS + slot * SLOT_BYTES, bytes)
    port.clear(sstatus, SUM)
    port.account('host kernel', 'bridge', 'computing')
    port.store32(at + packet.length.at, bytes)
    this.#forward(port, process.vm.index, number)
    return true
  }

  /** A packet for a process: it waits until it is read. */
  give(port: HartPort, tap: number, number: number): void {
    const process = this.#processes[tap]
    const queue = this.#queues[tap]
    if (process.record.ended || queue.record.count === QUEUE_LENGTH) {
      this.record.lost++
      return this.#packets.free(port, number)
    }
    queue.add(port, number)
    this.#scheduler.wake(port, this.#scheduler.tasks[process.networkWaiter])
  }

  /** Room for a frame that the kernel sends in a process's name: it stays reserved until it is sent. 0: there is none. */
  reserve(port: HartPort, { vm }: Process): number {
    let number = this.#reserved[vm.index]
    if (number === NO_PACKET) number = this.#packets.take(port)
    this.#reserved[vm.index] = number
    if (number === NO_PACKET) {
      this.record.lost++
      return 0
    }
    return port.load64(packetAt(number) + packet.data.at)
  }

  /** Sends what has been put there. */
  sendReserved(port: HartPort, { vm }: Process, bytes: number): void {
    const number = this.#reserved[vm.index]
    this.#reserved[vm.index] = NO_PACKET
    port.store32(packetAt(number) + packet.length.at, bytes)
    this.#forward(port, vm.index, number)
  }

  /** The next packet for a process, for the kernel to hand on where it lies, and then to `drop`; NO_PACKET if there is none. */
  take(port: HartPort, process: Process): number {
    return this.#queues[process.vm.index].take(port)
  }

  drop(port: HartPort, number: number): void {
    this.#packets.free(port, number)
  }

  /** The process's next frame, in a slot of its receiving ring: the slot, plus its bytes × 256; -1 if there is none. */
  received(port: HartPort, process: Process): number {
    const { index } = process.vm
    const number = this.#queues[index].take(port)
    if (number === NO_PACKET) return -1
    const slot = this.#next[index]
    this.#next[index] = slot + 1 === RING_SLOTS ? 0 : slot + 1
    const at = packetAt(number)
    const bytes = port.load32(at + packet.length.at)
    port.account('host kernel', 'tap', 'copy')
    port.copy(process.record.rings + (RING_SLOTS + slot) * SLOT_BYTES, port.load64(at + packet.data.at), bytes)
    port.account('host kernel', 'tap', 'computing')
    this.#packets.free(port, number)
    return slot + bytes * 256
  }
}
