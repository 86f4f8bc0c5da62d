/** What a virtual disk is backed by in a VMM process: requests that wait to be made as system calls, and what became of them. */
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { A0, A1, A2, A3 } from '../../hw/spec/sbi.ts'
import type { BlockBackend } from '../virtual/chip.ts'
import { USER_RAM } from './layout.ts'
import type { Process } from './process.ts'
import {
  DISK_DONE,
  DISK_ERROR,
  DISK_FLUSH,
  DISK_MOST_SECTORS,
  DISK_READ,
  DISK_STARTED,
  DISK_TAGS,
  DISK_WRITE,
} from './system-calls.ts'

export class ProcessDisk implements BlockBackend {
  readonly depth = DISK_TAGS
  readonly maximumSectors = DISK_MOST_SECTORS
  readonly state: Record<string, StateRecord>
  readonly #record = { first: 0, count: 0 }
  /** Tags in the order in which they came. */
  readonly #waiting = new Int32Array(DISK_TAGS)
  /** By tag. */
  readonly #operations = new Int32Array(DISK_TAGS)
  readonly #sectors = new Float64Array(DISK_TAGS)
  readonly #counts = new Int32Array(DISK_TAGS)
  readonly #addresses = new Float64Array(DISK_TAGS)
  readonly #size: number
  #completed: (port: HartPort, tag: number, ok: boolean) => void = () => {}

  constructor(process: Process) {
    this.#size = process.sectors
    this.state = {
      disk: this.#record,
      'disk waiting': this.#waiting,
      'disk operations': this.#operations,
      'disk sectors': this.#sectors,
      'disk counts': this.#counts,
      'disk addresses': this.#addresses,
    }
  }

  sectors(): number {
    return this.#size
  }

  attach(completed: (port: HartPort, tag: number, ok: boolean) => void): void {
    this.#completed = completed
  }

  submit(
    _port: HartPort,
    tag: number,
    operation: 'read' | 'write' | 'flush',
    sector: number,
    count: number,
    guestAddress: number,
  ): boolean {
    const record = this.#record
    this.#operations[tag] = operation === 'read' ? DISK_READ : operation === 'write' ? DISK_WRITE : DISK_FLUSH
    this.#sectors[tag] = sector
    this.#counts[tag] = count
    this.#addresses[tag] = guestAddress - GUEST_RAM + USER_RAM
    this.#waiting[(record.first + record.count) % DISK_TAGS] = tag
    record.count++
    return true
  }

  /** How many requests have to be made. */
  waiting(): number {
    return this.#record.count
  }

  /** The tag of the next request that has to be made, or -1. */
  next(): number {
    const record = this.#record
    if (record.count === 0) return -1
    const tag = this.#waiting[record.first]
    record.first = (record.first + 1) % DISK_TAGS
    record.count--
    return tag
  }

  /** Puts a request's arguments into the registers of the system call. */
  describe(port: HartPort, tag: number): void {
    port.setX(A0, tag + this.#operations[tag] * 256)
    port.setX(A1, this.#sectors[tag])
    port.setX(A2, this.#counts[tag])
    port.setX(A3, this.#addresses[tag])
  }

  operationOf(tag: number): number {
    return this.#operations[tag]
  }

  sectorOf(tag: number): number {
    return this.#sectors[tag]
  }

  countOf(tag: number): number {
    return this.#counts[tag]
  }

  /** In the process's address space. */
  addressOf(tag: number): number {
    return this.#addresses[tag]
  }

  /** What the system call said. */
  begun(port: HartPort, tag: number, result: number): void {
    if (result !== DISK_STARTED) this.#completed(port, tag, result === DISK_DONE)
  }

  /** An event tells of a request's end. */
  ended(port: HartPort, value: number): void {
    this.#completed(port, value % DISK_ERROR, value < DISK_ERROR)
  }
}
