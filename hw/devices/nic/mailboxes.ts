/**
 * The mailboxes between the physical function and each virtual one: a buffer of sixteen words that one side holds at a
 * time, and bits by which they call each other (82576 7.10.2).
 */
import type { Plain, Saved } from '../../bus/chip.ts'
import { restoreWords, savedWords } from '../../bus/saved-words.ts'
import { NIC_POOLS, nic } from '../../spec/devices/nic.ts'
import { nicFunction } from '../../spec/devices/nic-function.ts'
import { fieldOf } from '../../spec/registers.ts'
import type { RegisterFile } from './register-file.ts'

const { V2PMAILBOX } = nicFunction
const { P2VMAILBOX, MBVFICR, MBVFIMR, VFLRE } = nic
const bit = (field: { readonly low: number }) => 1 << field.low
const VFU = bit(V2PMAILBOX.fields.VFU)
const PFU = bit(V2PMAILBOX.fields.PFU)
const PFSTS = bit(V2PMAILBOX.fields.PFSTS)
const PFACK = bit(V2PMAILBOX.fields.PFACK)
const RSTI = bit(V2PMAILBOX.fields.RSTI)
const RSTD = bit(V2PMAILBOX.fields.RSTD)
/** What the virtual function's reading clears. */
const CLEARED = PFSTS | PFACK | RSTD

export interface MailboxCalls {
  /** The physical function is to look into MBVFICR or VFLRE. */
  toPhysical(): void
  toVirtual(index: number): void
}

export class Mailboxes implements Saved {
  readonly #registers: RegisterFile
  readonly #calls: MailboxCalls
  /** V2PMAILBOX of each, as it reads. */
  readonly #state = new Uint32Array(NIC_POOLS)

  constructor(registers: RegisterFile, calls: MailboxCalls) {
    this.#registers = registers
    this.#calls = calls
    this.reset()
  }

  /** The physical function is being reset, as its partners can see until it says that this is over. */
  reset(): void {
    this.#state.fill(RSTI)
  }

  /** CTRL_EXT.PFRSTD. */
  resetDone(): void {
    for (let index = 0; index < NIC_POOLS; index++) {
      this.#state[index] = (this.#state[index] & ~RSTI) | RSTD
      this.#calls.toVirtual(index)
    }
  }

  /** A virtual function has been reset. */
  virtualReset(index: number): void {
    this.#registers.set(VFLRE, this.#registers.get(VFLRE) | (1 << index))
    this.#calls.toPhysical()
  }

  readVirtual(index: number): number {
    const value = this.#state[index]
    this.#state[index] &= ~CLEARED
    return value
  }

  writeVirtual(index: number, value: number): void {
    const held = this.#state[index]
    const takes = (value & VFU) !== 0 && (held & PFU) === 0
    this.#state[index] = takes ? held | VFU : held & ~VFU
    const { REQ, ACK } = MBVFICR.fields
    let causes = 0
    if (value & bit(V2PMAILBOX.fields.REQ)) causes |= 1 << (REQ.low + index)
    if (value & bit(V2PMAILBOX.fields.ACK)) causes |= 1 << (ACK.low + index)
    if (causes === 0) return
    this.#registers.set(MBVFICR, this.#registers.get(MBVFICR) | causes)
    if ((fieldOf(MBVFIMR.fields.VF, this.#registers.get(MBVFIMR)) >>> index) & 1) this.#calls.toPhysical()
  }

  readPhysical(index: number): number {
    const { VFU: theirs, PFU: ours } = P2VMAILBOX.fields
    const held = this.#state[index]
    return (held & VFU ? bit(theirs) : 0) | (held & PFU ? bit(ours) : 0)
  }

  writePhysical(index: number, value: number): void {
    const { STS, ACK, PFU: ours, RVFU } = P2VMAILBOX.fields
    let held = this.#state[index]
    if (value & bit(RVFU)) held &= ~VFU
    held = value & bit(ours) && !(held & VFU) ? held | PFU : held & ~PFU
    if (value & bit(STS)) held |= PFSTS
    if (value & bit(ACK)) held |= PFACK
    this.#state[index] = held
    if (value & (bit(STS) | bit(ACK))) this.#calls.toVirtual(index)
  }

  save(): Plain {
    return savedWords(this.#state)
  }

  restore(state: Plain): void {
    restoreWords(this.#state, state as Uint8Array)
  }
}
