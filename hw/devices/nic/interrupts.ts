/**
 * The card's interrupts: 82576 7.3. Causes gather in ICR and EICR; EITR spaces interrupts; they leave by the pin, or by
 * MSI-X with one EICR bit a vector.
 */
import type { Clock, Line, Plain, Saved } from '../../bus/chip.ts'
import type { Msix } from '../../bus/pcie-msix.ts'
import { NIC_CAUSES, NIC_QUEUES, NIC_VECTORS, nic } from '../../spec/devices/nic.ts'
import type { RegisterFile } from './register-file.ts'

const VALID = 0x80
/** In place of an event's number. */
const NONE = -1
const INTA = 1 << nic.ICR.fields.INTA.low
export const CAUSE = {
  TXDW: 1 << nic.ICR.fields.TXDW.low,
  LSC: 1 << nic.ICR.fields.LSC.low,
  RXDMT0: 1 << nic.ICR.fields.RXDMT0.low,
  RXMISS: 1 << nic.ICR.fields.RXMISS.low,
  RXDW: 1 << nic.ICR.fields.RXDW.low,
  VMMB: 1 << nic.ICR.fields.VMMB.low,
  DOUTSYNC: 1 << nic.ICR.fields.DOUTSYNC.low,
} as const

/** Vectors that virtual functions have at the moment, as bits of EICR, and the way to theirs. */
export interface VirtualVectors {
  readonly bits: number
  raise(vector: number): void
}

export class Interrupts implements Saved {
  readonly #registers: RegisterFile
  readonly #clock: Clock
  readonly #line: Line
  readonly #msix: Msix
  #asserted = false
  /** Vectors whose message has gone out for the cause that still stands. */
  #signalled = 0
  /** Cycle before which a vector stays silent, and the event that wakes it then. */
  readonly #silentUntil = new Float64Array(NIC_CAUSES)
  #waking = new Array<number>(NIC_CAUSES).fill(NONE)
  readonly #virtual: VirtualVectors

  constructor(registers: RegisterFile, clock: Clock, line: Line, msix: Msix, virtual: VirtualVectors) {
    this.#registers = registers
    this.#clock = clock
    this.#line = line
    this.#msix = msix
    this.#virtual = virtual
  }

  reset(): void {
    for (const event of this.#waking) if (event !== NONE) this.#clock.cancel(event)
    this.#waking.fill(NONE)
    this.#silentUntil.fill(0)
    this.#signalled = 0
    this.#setPin(false)
  }

  get #byVector(): boolean {
    return this.#registers.field(nic.GPIE, nic.GPIE.fields.MULTIPLE_MSIX) === 1
  }

  /** A receive queue has written a descriptor back; `more` are further ICR causes. */
  received(queue: number, more = 0): void {
    this.#raise(CAUSE.RXDW | more, this.#vectorOf(queue, 0))
  }

  transmitted(queue: number): void {
    this.#raise(CAUSE.TXDW, this.#vectorOf(queue, 8))
  }

  /** A virtual function's vector, by its bit in EICR. */
  virtual(bit: number): void {
    this.#raise(0, bit)
  }

  /** A cause of ICR that belongs to no queue. */
  other(cause: number): void {
    this.#raise(cause, 0)
  }

  /** EICR bits that IVAR allots to a queue; rows hold queues n and n + 8, receive below transmit. */
  #vectorOf(queue: number, transmit: 0 | 8): number {
    const row = this.#registers.get(nic.IVAR, queue % (NIC_QUEUES / 2))
    const entry = (row >>> (transmit + (queue >= NIC_QUEUES / 2 ? 16 : 0))) & 0xff
    return entry & VALID ? 1 << (entry & 0x1f) : 0
  }

  #raise(causes: number, extended: number): void {
    const { ICR, EICR } = nic
    this.#registers.set(ICR, this.#registers.get(ICR) | causes)
    let vectors = extended
    // in vector mode causes outside the queues share one entry; queue causes are not doubled there
    if (this.#byVector && causes & ~(CAUSE.RXDW | CAUSE.TXDW) & this.#registers.get(nic.IMS))
      vectors |= this.#otherVector()
    this.#registers.set(EICR, this.#registers.get(EICR) | vectors)
    this.#update()
  }

  #otherVector(): number {
    const entry = (this.#registers.get(nic.IVAR_MISC) >>> 8) & 0xff
    return entry & VALID ? 1 << (entry & 0x1f) : 0
  }

  /** ICR as software reads it: cleared, and IAM masked, where 7.3 says so. */
  readIcr(): number {
    const registers = this.#registers
    const asserted = this.#asserted
    const value = registers.get(nic.ICR) | (asserted ? INTA : 0)
    const always = registers.field(nic.GPIE, nic.GPIE.fields.NSICR) === 1
    const masks = always || (registers.get(nic.IMS) !== 0 && asserted)
    if (always || asserted || registers.get(nic.IMS) === 0 || !this.#msix.enabled) registers.set(nic.ICR, 0)
    if (masks) registers.set(nic.IMS, registers.get(nic.IMS) & ~registers.get(nic.IAM))
    this.#update()
    return value >>> 0
  }

  /** EICR as software reads it: cleared, and EIAM masked if GPIE.EIAME asks for it. `bits` are the reader's; the physical function's unless given. */
  readEicr(bits = ~this.#virtual.bits): number {
    const value = this.#registers.get(nic.EICR) & bits
    this.#registers.set(nic.EICR, this.#registers.get(nic.EICR) & ~bits)
    this.#maskAfter(value)
    this.#update()
    return value
  }

  #maskAfter(vectors: number): void {
    if (!this.#registers.field(nic.GPIE, nic.GPIE.fields.EIAME)) return
    this.#registers.set(nic.EIMS, this.#registers.get(nic.EIMS) & ~(vectors & this.#registers.get(nic.EIAM)))
  }

  /** A write to one of the interrupt registers; false if it is none. */
  write(at: number, value: number): boolean {
    const registers = this.#registers
    switch (at) {
      case nic.ICR.at:
        registers.set(nic.ICR, registers.get(nic.ICR) & ~value)
        break
      case nic.ICS.at:
        this.#raise(value & ~INTA, 0)
        return true
      case nic.IMS.at:
        registers.set(nic.IMS, registers.get(nic.IMS) | value)
        this.#raise(registers.get(nic.ICR) & value, 0)
        return true
      case nic.IMC.at:
        registers.set(nic.IMS, registers.get(nic.IMS) & ~value)
        break
      case nic.EICR.at:
        registers.set(nic.EICR, registers.get(nic.EICR) & ~value)
        break
      case nic.EICS.at:
        registers.set(nic.EICR, registers.get(nic.EICR) | value)
        break
      case nic.EIMS.at:
        registers.set(nic.EIMS, registers.get(nic.EIMS) | value)
        break
      case nic.EIMC.at:
        registers.set(nic.EIMS, registers.get(nic.EIMS) & ~value)
        break
      default:
        return false
    }
    this.#update()
    return true
  }

  /** The moderation interval of a vector is over. */
  wake(vector: number): void {
    this.#waking[vector] = NONE
    this.#update()
  }

  #update(): void {
    const registers = this.#registers
    const enabled = registers.get(nic.EICR) & registers.get(nic.EIMS)
    const virtual = enabled & this.#virtual.bits
    const extended = enabled & ~virtual
    const byVector = this.#byVector
    if (byVector || this.#virtual.bits) this.#signalled &= enabled
    if (virtual) this.#sendAll(virtual, NIC_CAUSES)
    if (byVector) {
      this.#setPin(false)
      this.#sendAll(extended, NIC_VECTORS)
      return
    }
    const pending = ((registers.get(nic.ICR) & registers.get(nic.IMS)) | extended) !== 0
    if (!pending) this.#setPin(false)
    else if (!this.#asserted && this.#allowed(0)) {
      this.#setPin(true)
      this.#msix.raise(0)
    }
  }

  #sendAll(wanted: number, vectors: number): void {
    for (let vector = 0; vector < vectors; vector++) {
      if (((wanted & ~this.#signalled) >>> vector) & 1 && this.#allowed(vector)) this.#send(vector)
    }
  }

  #send(vector: number): void {
    const bit = 1 << vector
    this.#signalled |= bit
    this.#registers.set(nic.EICR, this.#registers.get(nic.EICR) & ~(bit & this.#registers.get(nic.EIAC)))
    this.#maskAfter(bit)
    this.#signalled &= this.#registers.get(nic.EICR) & this.#registers.get(nic.EIMS)
    this.#registers.count(nic.IAC)
    if (this.#virtual.bits & bit) this.#virtual.raise(vector)
    else this.#msix.raise(vector)
  }

  /** True if the vector may interrupt now, which begins its next interval; else it is woken when it may. */
  #allowed(vector: number): boolean {
    const now = this.#clock.now()
    const until = this.#silentUntil[vector]
    if (now < until) {
      if (this.#waking[vector] === NONE) this.#waking[vector] = this.#clock.at(until, 'moderated', vector)
      return false
    }
    const microseconds = this.#registers.field(nic.EITR, nic.EITR.fields.INTERVAL, vector)
    this.#silentUntil[vector] = now + Math.round((microseconds * this.#clock.frequency) / 1e6)
    return true
  }

  #setPin(level: boolean): void {
    if (level && !this.#asserted) this.#registers.count(nic.IAC)
    this.#asserted = level
    this.#line.set(level)
  }

  save(): Plain {
    return {
      asserted: this.#asserted,
      signalled: this.#signalled,
      silent: [...this.#silentUntil],
      waking: [...this.#waking],
    }
  }

  restore(state: Plain): void {
    const saved = state as {
      asserted: boolean
      signalled: number
      silent: readonly number[]
      waking: readonly number[]
    }
    this.#asserted = saved.asserted
    this.#signalled = saved.signalled
    this.#silentUntil.set(saved.silent)
    this.#waking = [...saved.waking]
  }
}
