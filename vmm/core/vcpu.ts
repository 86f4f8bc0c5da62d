/** A vCPU: a frame in RAM for what the guest's hart holds, and a record for what the VMM knows of it. */
import type { HartPort } from '../../hw/port.ts'
import { maskOf } from '../../hw/spec/csr.ts'
import { hvip } from '../../hw/spec/csrs/hypervisor.ts'
import { frame, slotOf } from './frame.ts'
import { acquire, release } from './spin-lock.ts'

/** Not started, or stopped by itself (HSM). */
export const STOPPED = 0
export const RUNNABLE = 1
/** In wfi: runnable again when an interrupt is pending. */
export const WAITING = 2
/** Stopped for good: the guest crashed or was switched off. */
export const DEAD = 3

/** No hart. */
export const NOWHERE = -1

/** Interrupt bits of hvip. */
export const VSSIP = maskOf(hvip, 'VSSIP')
export const VSTIP = maskOf(hvip, 'VSTIP')
export const VSEIP = maskOf(hvip, 'VSEIP')

export interface VcpuRecord {
  [field: string]: number | boolean
  status: number
  /** The hart that holds its context, or NOWHERE. */
  hart: number
  /** Interrupts to be raised before it goes on. */
  raised: number
  /** The same, to be lowered. */
  lowered: number
  /** Has to forget its translations and instructions before it goes on: another vCPU has asked for it. */
  fence: boolean
  /** Has asked others for that, and does not go on before they have done it. */
  fencing: boolean
}

export class Vcpu {
  /** Number within its virtual machine: what the guest knows as its hart id. */
  readonly index: number
  /** Where it is pinned, or NOWHERE. */
  readonly pin: number
  /** Host physical address of its frame. */
  readonly frame: number
  readonly record: VcpuRecord

  constructor(index: number, pin: number, frameAddress: number) {
    this.index = index
    this.pin = pin
    this.frame = frameAddress
    this.record = { status: STOPPED, hart: NOWHERE, raised: 0, lowered: 0, fence: false, fencing: false }
  }

  /** A general register of the guest's: its low 32 bits, unsigned. */
  register32(port: HartPort, register: number): number {
    return register === 0 ? 0 : port.load32(slotOf(this.frame, register))
  }

  /** A general register: 64 bits, saturating (see HartPort). */
  register64(port: HartPort, register: number): number {
    return register === 0 ? 0 : port.load64(slotOf(this.frame, register))
  }

  /** An argument of a call, in a register that is not x0: its low 32 bits, unsigned. */
  argument32(port: HartPort, register: number): number {
    return port.load32(slotOf(this.frame, register))
  }

  /** The same: 64 bits, saturating. */
  argument64(port: HartPort, register: number): number {
    return port.load64(slotOf(this.frame, register))
  }

  /** A call's result: a small signed number. */
  setResult(port: HartPort, register: number, value: number): void {
    port.store64(slotOf(this.frame, register), value)
  }

  /** Sets a general register from two words. */
  setRegister(port: HartPort, register: number, low: number, high: number): void {
    if (register === 0) return
    port.store32(slotOf(this.frame, register), low)
    port.store32(slotOf(this.frame, register) + 4, high)
  }

  /** Moves the guest past the instruction that trapped. */
  skip(port: HartPort, length: number): void {
    const at = this.frame
    port.store64(at + frame.sepc.at, port.load64Signed(at + frame.sepc.at) + length)
  }

  /** Where the guest is: an address, negative in the upper half of its space. */
  programCounter(port: HartPort): number {
    return port.load64Signed(this.frame + frame.sepc.at)
  }

  /** Raises a virtual interrupt; true if somebody has to be told: the hart that holds the context, or those that may now run it. */
  raise(port: HartPort, bit: number): boolean {
    const { record } = this
    const lock = this.frame + frame.lock.at
    acquire(port, lock)
    const woken = record.status === WAITING
    if (woken) record.status = RUNNABLE
    record.raised |= bit
    record.lowered &= ~bit
    release(port, lock)
    return woken || (record.hart !== NOWHERE && record.hart !== port.hart)
  }

  /** Lowers a virtual interrupt; true if another hart has to be told. */
  lower(port: HartPort, bit: number): boolean {
    const { record } = this
    const lock = this.frame + frame.lock.at
    acquire(port, lock)
    record.lowered |= bit
    record.raised &= ~bit
    release(port, lock)
    return record.hart !== NOWHERE && record.hart !== port.hart
  }

  /** Applies what was asked for, on the hart that holds the context. */
  settle(port: HartPort): void {
    const { record } = this
    const lock = this.frame + frame.lock.at
    acquire(port, lock)
    if (record.raised !== 0) {
      port.set(hvip, record.raised)
      record.raised = 0
    }
    if (record.lowered !== 0) {
      port.clear(hvip, record.lowered)
      record.lowered = 0
    }
    release(port, lock)
  }
}
