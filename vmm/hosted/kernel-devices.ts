/**
 * A guest's disk, network card and interrupt controller in the host's kernel, in the manner of vhost and an interrupt
 * controller of KVM's own: the guest's notification of a queue wakes a thread of the kernel, which reads the queue in the
 * address space of the guest's process, and raises the guest's interrupt itself. The process has the consoles.
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { maskOf } from '../../hw/spec/csr.ts'
import { sstatus } from '../../hw/spec/csrs/supervisor.ts'
import { virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import { GUEST_MAP, GUEST_RAM } from '../../hw/spec/guest-map.ts'
import { attachIo, attachPlic, linesOf } from '../core/devices.ts'
import type { PendingAccess } from '../core/exits.ts'
import { acquire, release } from '../core/spin-lock.ts'
import type { GuestMemory, Later, NetworkBackend, VirtualLine, WorkingChip } from '../virtual/chip.ts'
import { PLIC_SOURCES } from '../virtual/plic.ts'
import type { FileService } from './file-service.ts'
import { USER_RAM } from './layout.ts'
import { NO_PACKET, packet, packetAt } from './network/packets.ts'
import type { Taps } from './network/taps.ts'
import type { Process } from './process.ts'
import { ProcessDisk } from './process-disk.ts'
import type { Scheduler } from './scheduler.ts'
import { NEVER } from './task.ts'

/** The kernel may reach the pages of the process. */
const SUM = maskOf(sstatus, 'SUM')
/** Queues of a device: a notification is a bit. */
const QUEUES = 4
const NOTIFY = virtioMmio.QueueNotify.at
/** In the order of their bits. */
const NOTIFIED = [GUEST_MAP.disk.base, GUEST_MAP.network.base]

/** The guest's RAM, in the address space of its process. */
class ProcessView implements GuestMemory {
  readonly #process: Process

  constructor(process: Process) {
    this.#process = process
  }

  reach(port: HartPort, address: number, bytes: number): number {
    const at = address - GUEST_RAM + USER_RAM
    const { space } = this.#process
    return space.contains(at, bytes) && space.populateRange(port, at, bytes, true) ? at : -1
  }

  deviceAddress(): number {
    return -1
  }
}

export class KernelDevices {
  readonly state: Record<string, StateRecord>
  /** Notifications that wait, a bit a queue. */
  readonly #record = { notified: 0 }
  readonly #later: Record<string, boolean> & Later = { behind: false, deferred: false }
  readonly #chips: WorkingChip[] = []
  readonly #lines: readonly VirtualLine[]
  readonly #process: Process
  readonly #disk: ProcessDisk
  readonly #files: FileService
  readonly #taps: Taps
  readonly #scheduler: Scheduler
  #deliver: (port: HartPort, address: number, bytes: number) => boolean = () => false

  /** `externals`: the external interrupt of each vCPU. */
  constructor(
    process: Process,
    externals: readonly VirtualLine[],
    files: FileService,
    taps: Taps,
    scheduler: Scheduler,
  ) {
    const { vm, node } = process
    this.#process = process
    this.#files = files
    this.#taps = taps
    this.#scheduler = scheduler
    this.#disk = new ProcessDisk(process)
    const { plic, state } = attachPlic(vm, externals)
    this.#lines = linesOf(plic)
    const tap: NetworkBackend = {
      buffer: port => taps.reserve(port, process),
      transmit: (port, _address, bytes) => taps.sendReserved(port, process, bytes),
      attach: deliver => {
        this.#deliver = deliver
      },
    }
    const io = attachIo(
      vm,
      {
        lines: this.#lines,
        memory: new ProcessView(process),
        later: this.#later,
        addWorker: chip => this.#chips.push(chip),
      },
      {
        ...(node.disk && { disk: { backend: this.#disk, sectors: process.sectors } }),
        ...(node.network && { network: { backend: tap, mac: node.network.mac } }),
      },
    )
    process.kernelWindows = vm.windows()
    const name = (part: string) => `kernel devices ${vm.index} ${part}`
    this.state = { ...state, ...io, [name('notified')]: this.#record, [name('later')]: this.#later }
    for (const [part, record] of Object.entries(this.#disk.state)) this.state[name(part)] = record
  }

  /** A vCPU's access to one of the kernel's chips, on its own thread. The result is in `pending`'s machine's words. */
  access(port: HartPort, pending: PendingAccess, value: number): number {
    const { vm } = this.#process
    const { window, address } = pending
    const bytes = pending.bytes as 1 | 2 | 4
    if (pending.write && this.#isNotified(port, address, value)) return 0
    acquire(port, vm.deviceLock)
    port.set(sstatus, SUM)
    let read = 0
    if (pending.write) vm.write(port, window, address, bytes, value)
    else read = vm.read(port, window, address, bytes)
    port.clear(sstatus, SUM)
    release(port, vm.deviceLock)
    if (this.#later.behind || this.#disk.waiting() > 0) this.#wake(port)
    return read
  }

  /** A notification only wakes the thread. */
  #isNotified(port: HartPort, address: number, queue: number): boolean {
    for (let index = 0; index < NOTIFIED.length; index++) {
      if (address !== NOTIFIED[index] + NOTIFY || queue >= QUEUES) continue
      this.#record.notified |= 1 << (index * QUEUES + queue)
      this.#wake(port)
      return true
    }
    return false
  }

  #wake(port: HartPort): void {
    this.#scheduler.wake(port, this.#scheduler.tasks[this.#process.diskWaiter])
  }

  /** The wire of a chip of the process's. */
  setLine(port: HartPort, source: number, level: boolean): void {
    const { deviceLock } = this.#process.vm
    acquire(port, deviceLock)
    this.#lines[source % PLIC_SOURCES].set(port, level)
    release(port, deviceLock)
  }

  /** The thread's piece of work, in the process's address space: when it wants to go on. */
  work(port: HartPort): number {
    const { vm, record } = this.#process
    if (record.ended) return NEVER
    acquire(port, vm.deviceLock)
    port.set(sstatus, SUM)
    const more = this.#work(port)
    port.clear(sstatus, SUM)
    release(port, vm.deviceLock)
    return more ? 0 : NEVER
  }

  /** One kind of work at a time, so that no entry gets long. True if there may be more. */
  #work(port: HartPort): boolean {
    if (this.#record.notified !== 0) return this.#serveNotified(port)
    if (this.#later.behind) return this.#serveLater(port)
    const tag = this.#disk.next()
    if (tag >= 0) return this.#begin(port, tag)
    return this.#complete(port) || this.#receive(port)
  }

  #serveNotified(port: HartPort): boolean {
    const record = this.#record
    let bit = 0
    while (((record.notified >>> bit) & 1) === 0) bit++
    record.notified &= ~(1 << bit)
    port.account('host kernel', 'kernel backend', 'emulation')
    const at = NOTIFIED[Math.floor(bit / QUEUES)] + NOTIFY
    const { vm } = this.#process
    vm.write(port, vm.find(at, 4), at, 4, bit % QUEUES)
    return true
  }

  #serveLater(port: HartPort): boolean {
    this.#later.behind = false
    for (let index = 0; index < this.#chips.length; index++) {
      const chip = this.#chips[index]
      if (chip.isBehind()) chip.work(port)
    }
    return true
  }

  #begin(port: HartPort, tag: number): boolean {
    const disk = this.#disk
    const result = this.#files.begin(
      port,
      this.#process,
      tag,
      disk.operationOf(tag),
      disk.sectorOf(tag),
      disk.countOf(tag),
      disk.addressOf(tag),
    )
    // Copying has ended with the process's pages out of reach.
    port.set(sstatus, SUM)
    port.account('host kernel', 'kernel backend', 'emulation')
    disk.begun(port, tag, result)
    return true
  }

  #complete(port: HartPort): boolean {
    const value = this.#files.ended(port, this.#process)
    if (value < 0) return false
    port.set(sstatus, SUM)
    port.account('host kernel', 'kernel backend', 'emulation')
    this.#disk.ended(port, value)
    return true
  }

  #receive(port: HartPort): boolean {
    const number = this.#taps.take(port, this.#process)
    if (number === NO_PACKET) return false
    const at = packetAt(number)
    port.account('host kernel', 'kernel backend', 'emulation')
    this.#deliver(port, port.load64(at + packet.data.at), port.load32(at + packet.length.at))
    this.#taps.drop(port, number)
    return true
  }
}
