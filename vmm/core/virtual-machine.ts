/** A virtual machine: its RAM, its vCPUs, and which virtual chip answers where. */
import type { HartPort } from '../../hw/port.ts'
import type { Later, VirtualChip, WorkingChip } from '../virtual/chip.ts'
import { CRASH_HALFWORDS } from './crash.ts'
import { frame } from './frame.ts'
import type { GuestRam } from './guest-ram.ts'
import { NOWHERE, type Vcpu } from './vcpu.ts'

interface Window {
  readonly name: string
  readonly base: number
  readonly bytes: number
  readonly chip: VirtualChip
}

export interface VmRecord {
  [field: string]: number | boolean
  /** Set when the guest has switched itself off, crashed, or was stopped. */
  ended: boolean
  /** True if it ended by a crash. */
  crashed: boolean
  /** What SRST or the finisher said: 0 is success. */
  exitCode: number
  /** Of a crash: the vCPU, and its trap's stval. */
  vcpu: number
  faultAddress: number
  /** How often something was taken out of its G-stage tables. */
  removals: number
}

export class VirtualMachine {
  readonly index: number
  /** VMID 0 is nobody's. */
  readonly vmid: number
  readonly label: string
  readonly ram: GuestRam
  readonly vcpus: readonly Vcpu[]
  /** Where the locks of its memory and of its devices lie (spin-lock.ts). */
  readonly memoryLock: number
  readonly deviceLock: number
  readonly record: VmRecord = { ended: false, crashed: false, exitCode: 0, vcpu: 0, faultAddress: 0, removals: 0 }
  /** Of a crash: halfwords of code around its pc, -1 where it could not be read (crash.ts). */
  readonly crashCode = new Int32Array(CRASH_HALFWORDS)
  /** Of its chips: registered with them. */
  readonly later: Later & Record<string, boolean> = { behind: false, deferred: false }
  readonly #windows: Window[] = []
  readonly #workers: WorkingChip[] = []

  constructor(index: number, label: string, ram: GuestRam, vcpus: readonly Vcpu[]) {
    this.index = index
    this.vmid = index + 1
    this.label = label
    this.ram = ram
    this.vcpus = vcpus
    this.memoryLock = vcpus[0].frame + frame.memoryLock.at
    this.deviceLock = vcpus[0].frame + frame.deviceLock.at
  }

  /** Something was taken out of its G-stage tables: harts where it does not run fence before it does. */
  forgetTranslations(): void {
    this.record.removals++
  }

  /** True if a vCPU that a hart holds has yet to do what another has asked for: the call that asked returns afterwards (SBI 8). */
  isFencing(): boolean {
    for (let index = 0; index < this.vcpus.length; index++) {
      const { record } = this.vcpus[index]
      if (record.fence && record.hart !== NOWHERE) return true
    }
    return false
  }

  /** How many windows there are: whoever has attached its chips first has the first ones. Set-up. */
  windows(): number {
    return this.#windows.length
  }

  /** Where a window lies, and its bytes. */
  baseOf(window: number): number {
    return this.#windows[window].base
  }

  bytesOf(window: number): number {
    return this.#windows[window].bytes
  }

  /** Puts a chip into the guest's address map. Before the guest starts. */
  attach(name: string, base: number, bytes: number, chip: VirtualChip): void {
    this.#windows.push({ name, base, bytes, chip })
  }

  /** A chip that may leave work for later. Before the guest starts. */
  addWorker(chip: WorkingChip): void {
    this.#workers.push(chip)
  }

  /** True if a chip has left work for later: `work` is to be called, in an entry of its own. */
  isBehind(): boolean {
    return this.later.behind
  }

  /** Does a part of what the first chip that is behind has left. */
  work(port: HartPort): void {
    const { later } = this
    later.behind = false
    let worked = false
    for (let index = 0; index < this.#workers.length; index++) {
      const chip = this.#workers[index]
      if (!chip.isBehind()) continue
      if (worked) later.behind = true
      else chip.work(port)
      worked = true
    }
  }

  /** Ends what its chips do with its memory; true once nothing is under way. */
  quiesce(port: HartPort): boolean {
    let quiet = true
    for (let index = 0; index < this.#windows.length; index++) {
      const { chip } = this.#windows[index]
      if (chip.quiesce && !chip.quiesce(port)) quiet = false
    }
    return quiet
  }

  /** The index of the window that holds the access, or -1: nobody answers. */
  find(address: number, bytes: number): number {
    for (let index = 0; index < this.#windows.length; index++) {
      const window = this.#windows[index]
      if (address >= window.base && address + bytes <= window.base + window.bytes) return index
    }
    return -1
  }

  /** Name of a window, for the ledger. */
  nameOf(window: number): string {
    return this.#windows[window].name
  }

  read(port: HartPort, window: number, address: number, bytes: 1 | 2 | 4): number {
    const { base, chip } = this.#windows[window]
    return chip.read(port, address - base, bytes)
  }

  write(port: HartPort, window: number, address: number, bytes: 1 | 2 | 4, value: number): void {
    const { base, chip } = this.#windows[window]
    chip.write(port, address - base, bytes, value)
  }
}
