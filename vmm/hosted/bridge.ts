/**
 * The host's network between its processes and its card: each process with a network has a tap on a port of the switch.
 * Frames to be sent are copied from the process's ring into the kernel's memory; those that come are copied into the
 * other ring, where the process finds them when it waits. A frame for which the ring has no room is lost.
 */
import { maskOf } from '../../hw/spec/csr.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { sstatus } from '../../hw/spec/csrs/supervisor.ts'
import type { VirtualSwitch } from '../core/virtual-switch.ts'
import { MAXIMUM_FRAME, type NetworkBackend } from '../virtual/chip.ts'
import { RING_SLOTS, SLOT_BYTES, USER_RINGS } from './layout.ts'
import type { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'

const LEAST_FRAME = 14
/** sstatus.SUM: the kernel may reach the pages of the process. */
const SUM = maskOf(sstatus, 'SUM')
/** In place of a process's tap: it has none. */
const UNPLUGGED: NetworkBackend = { buffer: () => 0, transmit: () => {}, attach: () => {} }

export class Bridge {
  readonly state: Record<string, StateRecord>
  /** By process: its first slot that holds a frame, how many do, and whether the process is looking at the first. */
  readonly #first: Int32Array
  readonly #count: Int32Array
  readonly #lent: Int32Array
  /** By process and slot: a frame's bytes. */
  readonly #bytes: Int32Array
  readonly #record = { lost: 0 }
  readonly #taps: readonly NetworkBackend[]
  readonly #scheduler: Scheduler

  constructor(processes: readonly Process[], virtualSwitch: VirtualSwitch, scheduler: Scheduler) {
    this.#scheduler = scheduler
    this.#first = new Int32Array(processes.length)
    this.#count = new Int32Array(processes.length)
    this.#lent = new Int32Array(processes.length)
    this.#bytes = new Int32Array(processes.length * RING_SLOTS)
    this.#taps = processes.map(process => {
      const { network } = process.node
      if (!network) return UNPLUGGED
      const tap = virtualSwitch.plug(network.mac, network.vlan)
      tap.attach((port, address, bytes) => this.#receive(port, process, address, bytes))
      return tap
    })
    this.state = {
      'tap first': this.#first,
      'tap count': this.#count,
      'tap lent': this.#lent,
      'tap bytes': this.#bytes,
      bridge: this.#record,
    }
  }

  /** The system call: a frame of the process's, in a slot of its sending ring. False if it is none. */
  send(port: HartPort, process: Process, slot: number, bytes: number): boolean {
    if (slot >= RING_SLOTS || bytes < LEAST_FRAME || bytes > MAXIMUM_FRAME) return false
    const tap = this.#taps[process.vm.index]
    const buffer = tap.buffer(port)
    if (buffer === 0) {
      this.#record.lost++
      return true
    }
    port.account('host kernel', 'tap', 'copy')
    port.set(sstatus, SUM)
    port.copy(buffer, USER_RINGS + slot * SLOT_BYTES, bytes)
    port.clear(sstatus, SUM)
    port.account('host kernel', 'bridge', 'computing')
    tap.transmit(port, buffer, bytes)
    return true
  }

  /** The process's next frame: its slot, plus its bytes × 256; -1 if there is none. The one before has been looked at. */
  received(process: Process): number {
    const { index } = process.vm
    if (this.#lent[index] !== 0) {
      this.#lent[index] = 0
      this.#first[index] = (this.#first[index] + 1) % RING_SLOTS
      this.#count[index]--
    }
    if (this.#count[index] === 0) return -1
    this.#lent[index] = 1
    const slot = this.#first[index]
    return slot + this.#bytes[index * RING_SLOTS + slot] * 256
  }

  #receive(port: HartPort, process: Process, address: number, bytes: number): boolean {
    const { vm, record, ioTask } = process
    const { index } = vm
    if (record.ended || this.#count[index] === RING_SLOTS) {
      this.#record.lost++
      return false
    }
    const slot = (this.#first[index] + this.#count[index]) % RING_SLOTS
    this.#bytes[index * RING_SLOTS + slot] = bytes
    this.#count[index]++
    port.account('host kernel', 'tap', 'copy')
    port.copy(record.rings + (RING_SLOTS + slot) * SLOT_BYTES, address, bytes)
    port.account('host kernel', 'bridge', 'computing')
    this.#scheduler.wake(port, this.#scheduler.tasks[ioTask])
    return true
  }
}
