/** Taking traps and returning from them. */
import type { Accounts } from './accounts.ts'
import { ILLEGAL } from './causes.ts'
import type { Core } from './core.ts'
import { TRAPPED } from './services.ts'
import {
  HEDELEG,
  HIDELEG,
  HSTATUS,
  HTINST,
  HTVAL,
  MCAUSE,
  MEDELEG,
  MEPC,
  MIDELEG,
  MSTATUS,
  MTINST,
  MTVAL,
  MTVAL2,
  MTVEC,
  SCAUSE,
  SEPC,
  STVAL,
  STVEC,
  VSCAUSE,
  VSEPC,
  VSSTATUS,
  VSTVAL,
  VSTVEC,
} from './slots.ts'
import { MACHINE, MODE, PC, RESERVATION, SUPERVISOR, VIRTUAL } from './state.ts'
import {
  HSTATUS_GVA,
  HSTATUS_SPV,
  HSTATUS_SPVP,
  MPP_SHIFT,
  STATUS_FS,
  STATUS_HIGH_GVA,
  STATUS_HIGH_MPV,
  STATUS_MIE,
  STATUS_MPIE,
  STATUS_MPP,
  STATUS_MPRV,
  STATUS_SIE,
  STATUS_SPIE,
  STATUS_SPP,
} from './status-bits.ts'

const PC_WORD = PC >> 2
const MODE_WORD = MODE >> 2
const INTERRUPT = 0x8000_0000 | 0
/** VS-level interrupts are numbered one lower where VS-mode sees them (H_trap_vs_csrwrites, hideleg_trans). */
const GUEST_NUMBER_OFFSET = 1

/** What else a trap writes. */
export interface TrapDetail {
  /** Address or instruction. */
  valueLow: number
  valueHigh: number
  /** The value is a guest virtual address. */
  guestVirtual: boolean
  /** The guest physical address divided by 4. */
  guestLow: number
  guestHigh: number
  /** htinst, mtinst. */
  instruction: number
}

export class Traps {
  readonly detail: TrapDetail = {
    valueLow: 0,
    valueHigh: 0,
    guestVirtual: false,
    guestLow: 0,
    guestHigh: 0,
    instruction: 0,
  }
  readonly #core: Core
  readonly #accounts: Accounts
  readonly #flush: () => void
  /** Told of every trap: mode before, code (negative if it is an interrupt's). */
  observer: ((from: number, code: number) => void) | undefined
  /** Told of every return from a trap: mode before. */
  returned: ((from: number) => void) | undefined

  constructor(core: Core, accounts: Accounts, flush: () => void) {
    this.#core = core
    this.#accounts = accounts
    this.#flush = flush
  }

  /** An exception without further detail but the trap value. */
  exception(code: number, valueLow: number, valueHigh: number, guestVirtual: boolean): void {
    const { detail } = this
    detail.valueLow = valueLow
    detail.valueHigh = valueHigh
    detail.guestVirtual = guestVirtual
    detail.guestLow = detail.guestHigh = detail.instruction = 0
    this.take(code, false)
  }

  /** An exception whose trap value is the instruction. */
  refuse(exception: number, instruction: number): typeof TRAPPED {
    this.exception(exception, instruction | 0, 0, false)
    return TRAPPED
  }

  illegal(instruction: number): typeof TRAPPED {
    return this.refuse(ILLEGAL, instruction)
  }

  interrupt(code: number): void {
    const { detail } = this
    detail.valueLow = detail.valueHigh = detail.guestLow = detail.guestHigh = detail.instruction = 0
    detail.guestVirtual = false
    this.take(code, true)
  }

  /** An interrupt for VS-mode that hvictl names: no bit of hip stands for it. */
  inject(identity: number): void {
    const { detail } = this
    detail.valueLow = detail.valueHigh = detail.guestLow = detail.guestHigh = detail.instruction = 0
    detail.guestVirtual = false
    this.take(identity + GUEST_NUMBER_OFFSET, true, true)
  }

  /** Takes the trap with `detail`: into M, HS or VS as delegation says (H_trap_deleg). */
  take(code: number, interrupt: boolean, injected = false): void {
    const core = this.#core
    const { words } = core
    const from = words[MODE_WORD]
    const bit = 1 << code
    core.foldFloat()
    this.observer?.(from, interrupt ? -code : code)
    const toSupervisor = from !== MACHINE && (words[interrupt ? MIDELEG : MEDELEG] & bit) !== 0
    if (injected) this.#intoVirtual(from, code, interrupt)
    else if (!toSupervisor) this.#intoMachine(from, code, interrupt)
    else if ((from & VIRTUAL) !== 0 && (words[interrupt ? HIDELEG : HEDELEG] & bit) !== 0)
      this.#intoVirtual(from, code, interrupt)
    else this.#intoSupervisor(from, code, interrupt)
    core.invalidate()
    core.updateFloat()
    this.#accounts.trapped(from, code, interrupt)
    core.stall(core.prices.pipelineFlush)
  }

  #intoMachine(from: number, code: number, interrupt: boolean): void {
    const { words } = this.#core
    const { detail } = this
    const status = words[MSTATUS]
    words[MSTATUS] =
      (status & ~(STATUS_MIE | STATUS_MPIE | STATUS_MPP)) |
      ((status & STATUS_MIE) !== 0 ? STATUS_MPIE : 0) |
      ((from & 3) << MPP_SHIFT)
    words[MSTATUS + 1] =
      (words[MSTATUS + 1] & ~(STATUS_HIGH_MPV | STATUS_HIGH_GVA)) |
      ((from & VIRTUAL) !== 0 ? STATUS_HIGH_MPV : 0) |
      (detail.guestVirtual ? STATUS_HIGH_GVA : 0)
    this.#record(MEPC, MCAUSE, MTVAL, code, interrupt)
    words[MTVAL2] = detail.guestLow
    words[MTVAL2 + 1] = detail.guestHigh
    words[MTINST] = detail.instruction
    words[MTINST + 1] = 0
    words[MODE_WORD] = MACHINE
    // With MPRV set, loads and stores now go as MPP says.
    if ((status & STATUS_MPRV) !== 0) this.#flush()
    this.#vector(MTVEC, code, interrupt)
  }

  #intoSupervisor(from: number, code: number, interrupt: boolean): void {
    const { words } = this.#core
    const { detail } = this
    const virtual = (from & VIRTUAL) !== 0
    this.#push(MSTATUS, from)
    let hstatus = words[HSTATUS] & ~(HSTATUS_SPV | HSTATUS_GVA)
    // SPVP keeps its value unless the trap comes from V=1 (hstatus_spvp_op).
    if (virtual) hstatus = (hstatus & ~HSTATUS_SPVP) | HSTATUS_SPV | ((from & 3) === SUPERVISOR ? HSTATUS_SPVP : 0)
    if (detail.guestVirtual) hstatus |= HSTATUS_GVA
    words[HSTATUS] = hstatus
    this.#record(SEPC, SCAUSE, STVAL, code, interrupt)
    words[HTVAL] = detail.guestLow
    words[HTVAL + 1] = detail.guestHigh
    words[HTINST] = detail.instruction
    words[HTINST + 1] = 0
    words[MODE_WORD] = SUPERVISOR
    this.#vector(STVEC, code, interrupt)
  }

  #intoVirtual(from: number, code: number, interrupt: boolean): void {
    const { words } = this.#core
    this.#push(VSSTATUS, from)
    const seen = interrupt ? code - GUEST_NUMBER_OFFSET : code
    this.#record(VSEPC, VSCAUSE, VSTVAL, seen, interrupt)
    words[MODE_WORD] = VIRTUAL | SUPERVISOR
    this.#vector(VSTVEC, seen, interrupt)
  }

  /** SPP, SPIE and SIE of mstatus or vsstatus. */
  #push(status: number, from: number): void {
    const { words } = this.#core
    const old = words[status]
    words[status] =
      (old & ~(STATUS_SIE | STATUS_SPIE | STATUS_SPP)) |
      ((old & STATUS_SIE) !== 0 ? STATUS_SPIE : 0) |
      ((from & 3) === SUPERVISOR ? STATUS_SPP : 0)
  }

  #record(epc: number, cause: number, value: number, code: number, interrupt: boolean): void {
    const { words } = this.#core
    const { detail } = this
    words[epc] = words[PC_WORD]!
    words[epc + 1] = words[PC_WORD + 1]!
    words[cause] = code
    words[cause + 1] = interrupt ? INTERRUPT : 0
    words[value] = detail.valueLow
    words[value + 1] = detail.valueHigh
  }

  /** Base, or base + 4 × cause for interrupts if the mode is vectored (mtvec_mode_vectored_op). */
  #vector(tvec: number, code: number, interrupt: boolean): void {
    const { words } = this.#core
    const low = words[tvec]
    const base = low & ~3
    const target = (low & 3) === 1 && interrupt ? base + 4 * code : base
    words[PC_WORD] = target
    words[PC_WORD + 1] = words[tvec + 1] + (target >>> 0 < base >>> 0 ? 1 : 0)
  }

  /** mret, permitted (mret_h). */
  returnFromMachine(): void {
    const core = this.#core
    const { words } = core
    const status = words[MSTATUS]
    const privilege = (status & STATUS_MPP) >> MPP_SHIFT
    const virtual = privilege !== MACHINE && (words[MSTATUS + 1] & STATUS_HIGH_MPV) !== 0
    let next = (status & ~(STATUS_MIE | STATUS_MPP)) | STATUS_MPIE | ((status & STATUS_MPIE) !== 0 ? STATUS_MIE : 0)
    if (privilege !== MACHINE) next &= ~STATUS_MPRV
    words[MSTATUS + 1] &= ~STATUS_HIGH_MPV
    this.#leave(MSTATUS, next, MEPC, privilege | (virtual ? VIRTUAL : 0), status)
  }

  /** sret with V=0, permitted (sret_v0). */
  returnFromSupervisor(): void {
    const { words } = this.#core
    const status = words[MSTATUS]
    const hstatus = words[HSTATUS]
    words[HSTATUS] = hstatus & ~HSTATUS_SPV
    const mode = ((status & STATUS_SPP) !== 0 ? SUPERVISOR : 0) | ((hstatus & HSTATUS_SPV) !== 0 ? VIRTUAL : 0)
    this.#leave(MSTATUS, popped(status) & ~STATUS_MPRV, SEPC, mode, status)
  }

  /** sret with V=1, permitted (sret_v1). */
  returnFromVirtual(): void {
    const { words } = this.#core
    const status = words[VSSTATUS]
    this.#leave(VSSTATUS, popped(status), VSEPC, ((status & STATUS_SPP) !== 0 ? SUPERVISOR : 0) | VIRTUAL, 0)
  }

  #leave(slot: number, status: number, epc: number, mode: number, before: number): void {
    const core = this.#core
    const { words } = core
    const from = words[MODE_WORD]
    core.foldFloat()
    words[slot] = (status & ~STATUS_FS) | (words[slot] & STATUS_FS)
    words[PC_WORD] = words[epc]!
    words[PC_WORD + 1] = words[epc + 1]!
    words[MODE_WORD] = mode
    words[RESERVATION >> 2] = -1
    if ((before & STATUS_MPRV) !== 0) this.#flush()
    core.invalidate()
    core.updateFloat()
    core.stall(core.prices.pipelineFlush)
    this.#accounts.returned(from)
    this.returned?.(from)
  }
}

/** A supervisor status after sret. */
function popped(status: number): number {
  return (status & ~(STATUS_SIE | STATUS_SPP)) | STATUS_SPIE | ((status & STATUS_SPIE) !== 0 ? STATUS_SIE : 0)
}
