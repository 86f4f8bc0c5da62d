/** Which interrupts are pending, and which of them the hart takes next. */
import { maskOf } from '../spec/csr.ts'
import { hvictl } from '../spec/csrs/aia.ts'
import { MEI, MSI, MTI, SEI, SGEI, SSI, STI, VSEI, VSSI, VSTI } from '../spec/csrs/machine.ts'
import { guestFile } from './aia.ts'
import type { InterruptFiles } from './interrupt-files.ts'
import { HGEIE, HIDELEG, HVICTL, HVIP, MENVCFG, MIDELEG, MIE, MIP, MSTATUS, VSSTATUS } from './slots.ts'
import { MACHINE, MODE, SUPERVISOR, VIRTUAL } from './state.ts'
import { STATUS_MIE, STATUS_SIE } from './status-bits.ts'
import type { HartWindow } from './window.ts'
import type { Timers } from './timers.ts'

/** From the highest priority to the lowest (intr_M_mode_pri, hsint_priority). */
const PRIORITY = [MEI, MSI, MTI, SEI, SSI, STI, SGEI, VSEI, VSSI, VSTI]
const STIP = 1 << STI
const NONE = -1
const VTI = maskOf(hvictl, 'VTI')
const DPR = maskOf(hvictl, 'DPR')
const IPRIOM = maskOf(hvictl, 'IPRIOM')
const IPRIO = maskOf(hvictl, 'IPRIO')
/** The code of a virtual supervisor external interrupt; and lower than any priority number. */
const EXTERNAL = 9
const LOWEST = 256
/** Added by `next` to the identity of an interrupt for VS-mode that is in no bit of hip: hvictl names it. */
export const INJECTED = 64

export class Interrupts {
  /** Levels of the wires: MSIP, MTIP, MEIP, and SEIP's external part. */
  wires = 0
  /** Levels of the guest interrupt files: hgeip. */
  guestFiles = 0
  /** The hart's IMSIC, if it has one. */
  files: InterruptFiles | undefined
  readonly #window: HartWindow
  readonly #timers: Timers

  constructor(window: HartWindow, timers: Timers) {
    this.#window = window
    this.#timers = timers
  }

  /** mip as it reads: wires, comparators, what software set, and hvip. */
  pending(): number {
    const { words } = this.#window
    const software = words[MENVCFG + 1] < 0 ? words[MIP] & ~STIP : words[MIP]
    const known = software | words[HVIP] | this.wires | this.#timers.pending
    return this.guestFiles === 0 ? known : known | this.#fromGuestFiles()
  }

  /** Pending and enabled, wherever it would be taken: what ends a wfi. */
  wakes(): boolean {
    return (this.pending() & this.#window.words[MIE]) !== 0
  }

  /** The interrupt to take now, or -1: those for M first, then HS, then VS. */
  next(): number {
    const { words } = this.#window
    const ready = this.pending() & words[MIE]
    const mode = words[MODE >> 2]
    if (ready === 0 && ((mode & VIRTUAL) === 0 || (words[HVICTL] & VTI) === 0)) return NONE
    const delegated = words[MIDELEG]
    const status = words[MSTATUS]
    const machine = ready & ~delegated
    if (machine !== 0 && (mode !== MACHINE || (status & STATUS_MIE) !== 0)) return first(machine)
    if (mode === MACHINE) return NONE
    const virtual = (mode & VIRTUAL) !== 0
    const forGuest = words[HIDELEG]
    const supervisor = ready & delegated & ~forGuest
    if (supervisor !== 0 && (mode !== SUPERVISOR || (status & STATUS_SIE) !== 0)) return first(supervisor)
    if (!virtual) return NONE
    if ((words[HVICTL] & VTI) !== 0) return this.#nextByControl(mode)
    const guest = ready & delegated & forGuest
    if (guest !== 0 && (mode !== (VIRTUAL | SUPERVISOR) || (words[VSSTATUS] & STATUS_SIE) !== 0)) return first(guest)
    return NONE
  }

  /** mtopi: what is pending and enabled for M-mode. Without iprio arrays, IPRIO is 1 (AIA 5.2.2). */
  machineTop(): number {
    const { words } = this.#window
    return top(this.pending() & words[MIE] & ~words[MIDELEG])
  }

  /** stopi. */
  supervisorTop(): number {
    const { words } = this.#window
    return top(this.pending() & words[MIE] & words[MIDELEG] & ~words[HIDELEG])
  }

  /** vstopi: the external interrupt against the best of the others, or against what hvictl names (AIA 6.3.3). */
  guestTop(): number {
    const { words } = this.#window
    const control = words[HVICTL]
    const ready = this.pending() & words[MIE] & words[HIDELEG]
    const external = (ready & (1 << VSEI)) !== 0 ? this.#externalPriority(control) : 0
    const named = (control >>> 16) & 63
    let other = 0
    let number = 0
    if ((control & VTI) === 0) other = (ready & (1 << VSSI)) !== 0 ? SSI : (ready & (1 << VSTI)) !== 0 ? STI : 0
    else if (named !== EXTERNAL) {
      other = named
      number = control & IPRIO
    }
    // A priority number of zero leaves it to the default order; SSI and STI come after SEI there.
    const isBefore = (control & VTI) !== 0 && (control & DPR) === 0
    const hasOther = other !== 0 || ((control & VTI) !== 0 && named !== EXTERNAL)
    if (external === 0 && !hasOther) return 0
    const otherWins =
      hasOther && (external === 0 || (number === 0 ? isBefore : number < external || (number === external && isBefore)))
    const identity = otherWins ? other : EXTERNAL
    const priority = otherWins ? number : external
    const shown = priority > 255 ? 255 : priority === 0 ? (isBefore ? 0 : 255) : priority
    return identity * 0x1_0000 + ((control & IPRIOM) === 0 ? 1 : shown)
  }

  /** What trap VS-mode takes while hvictl.VTI is set. */
  #nextByControl(mode: number): number {
    const { words } = this.#window
    if (mode === (VIRTUAL | SUPERVISOR) && (words[VSSTATUS] & STATUS_SIE) === 0) return NONE
    const value = this.guestTop()
    if (value === 0) return NONE
    const identity = value >>> 16
    return identity === EXTERNAL ? VSEI : INJECTED + identity
  }

  #externalPriority(control: number): number {
    const file = guestFile(this.#window.words)
    const identity = file === 0 ? 0 : (this.files?.top(file) ?? 0)
    if (identity !== 0) return identity
    const named = ((control >>> 16) & 63) === EXTERNAL ? control & IPRIO : 0
    return file === 0 && named !== 0 ? named : LOWEST
  }

  /** SGEIP, and VSEIP of the current guest's file. */
  #fromGuestFiles(): number {
    const { words } = this.#window
    const file = guestFile(words)
    const guest = file !== 0 && ((this.guestFiles >>> file) & 1) !== 0 ? 1 << VSEI : 0
    return (this.guestFiles & words[HGEIE]) !== 0 ? guest | (1 << SGEI) : guest
  }
}

function top(interrupts: number): number {
  const code = first(interrupts)
  return code === NONE ? 0 : code * 0x1_0000 + 1
}

function first(interrupts: number): number {
  for (const interrupt of PRIORITY) if ((interrupts & (1 << interrupt)) !== 0) return interrupt
  return NONE
}
