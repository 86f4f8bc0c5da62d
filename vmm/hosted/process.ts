/** A VMM process as the kernel sees it: one guest's, with its own address space and what has happened that it waits for. */
import type { GuestNode } from '../../hw/spec/layouts/guest-node.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import type { AddressSpace } from './address-space.ts'
import { EVENTS } from './hypervisor/events.ts'
import type { Share } from './task.ts'

const INPUT = 256
export const NO_FILE = -1
const PAGE_SECTORS = 8

/** A guest's disk ends with a whole page: the rest of a page would be somebody else's. */
export function wholePages(sectors: number): number {
  return sectors - (sectors % PAGE_SECTORS)
}

export class Process {
  readonly vm: VirtualMachine
  readonly node: GuestNode
  readonly space: AddressSpace
  /** Its first vCPU's number over all machines, and its first thread's. Behind the vCPUs' are the one for consoles, and, if it emulates devices, one for each and one for notifications. */
  readonly firstVcpu: number
  readonly firstTask: number
  readonly ioTask: number
  readonly diskTask: number
  readonly networkTask: number
  /** The one that takes the guest's notifications, and tells the devices' threads. */
  readonly notifyTask: number
  readonly lastTask: number
  /** Who is woken for its disk and its network: their threads, or one of the kernel's. Set-up. */
  diskWaiter: number
  networkWaiter: number
  /** By event: who waits for it. */
  readonly eventTasks = new Int32Array(EVENTS)
  /** Windows of the guest's map that the kernel answers: the first ones. Set-up. */
  kernelWindows = 0
  /** Its disk's size: a file, in whole pages. */
  readonly sectors: number
  /** `waiters`: threads that sleep for the lock, a mask. `used`: ticks had in this period, for the cap. `rings`: the kernel's address of its rings. `file`: its disk's slot among the open files, or none (negative); `buffered`: it stays with the page cache; `ready`: its events that are not zero, a mask; `phase`: of the readers that a change of its I/O bus waits for; `preparing`: its threads, but for vCPUs, that have not waited for anything yet, a mask: its vCPUs start behind them. */
  readonly record = {
    ended: false,
    leaving: false,
    released: false,
    waiters: 0,
    used: 0,
    rings: 0,
    first: 0,
    count: 0,
    file: NO_FILE,
    buffered: false,
    ready: 0,
    phase: 0,
    preparing: 0,
  }
  /** Of the harts' time. */
  readonly share: Share
  /** Bytes that have come for its console. */
  readonly input = new Uint8Array(INPUT)

  /** `emulates`: it has the disk and the network card, not the kernel. */
  constructor(
    vm: VirtualMachine,
    node: GuestNode,
    space: AddressSpace,
    firstVcpu: number,
    firstTask: number,
    emulates: boolean,
  ) {
    this.vm = vm
    this.node = node
    this.space = space
    this.firstVcpu = firstVcpu
    this.firstTask = firstTask
    this.ioTask = firstTask + node.vcpus
    this.diskTask = this.ioTask + (emulates && node.disk ? 1 : 0)
    this.networkTask = emulates && node.network ? this.diskTask + 1 : this.ioTask
    const lastDevice = Math.max(this.diskTask, this.networkTask)
    this.notifyTask = lastDevice + (lastDevice === this.ioTask ? 0 : 1)
    this.lastTask = this.notifyTask
    this.diskWaiter = this.diskTask
    this.networkWaiter = this.networkTask
    for (let index = this.ioTask; index <= this.lastTask; index++) this.record.preparing |= 1 << (index - firstTask)
    this.share = { cap: node.cap, record: this.record }
    this.sectors = wholePages(node.disk?.sectors ?? 0)
  }

  /** A byte for the console: lost if nobody has read the others. */
  hear(byte: number): void {
    const { record, input } = this
    if (record.count === INPUT) return
    input[(record.first + record.count) % INPUT] = byte
    record.count++
  }

  /** The next byte for the console, or -1. */
  heard(): number {
    const { record } = this
    if (record.count === 0) return -1
    const byte = this.input[record.first]
    record.first = (record.first + 1) % INPUT
    record.count--
    return byte
  }
}
