/** Which interrupts are pending, and which of them the hart takes next. */
import { MEI, MSI, MTI, SEI, SGEI, SSI, STI, VSEI, VSSI, VSTI } from '../spec/csrs/machine.ts'
import { HIDELEG, HVIP, MENVCFG, MIDELEG, MIE, MIP, MSTATUS, VSSTATUS } from './slots.ts'
import { MACHINE, MODE, SUPERVISOR, VIRTUAL } from './state.ts'
import { STATUS_MIE, STATUS_SIE } from './status-bits.ts'
import type { HartWindow } from './window.ts'
import type { Timers } from './timers.ts'

/** From the highest priority to the lowest (intr_M_mode_pri, hsint_priority). */
const PRIORITY = [MEI, MSI, MTI, SEI, SSI, STI, SGEI, VSEI, VSSI, VSTI]
const STIP = 1 << STI
const NONE = -1

export class Interrupts {
  /** Levels of the wires: MSIP, MTIP, MEIP, and SEIP's external part. */
  wires = 0
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
    return software | words[HVIP] | this.wires | this.#timers.pending
  }

  /** Pending and enabled, wherever it would be taken: what ends a wfi. */
  wakes(): boolean {
    return (this.pending() & this.#window.words[MIE]) !== 0
  }

  /** The interrupt to take now, or -1: those for M first, then HS, then VS. */
  next(): number {
    const { words } = this.#window
    const ready = this.pending() & words[MIE]
    if (ready === 0) return NONE
    const mode = words[MODE >> 2]
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
    const guest = ready & delegated & forGuest
    if (guest !== 0 && (mode !== (VIRTUAL | SUPERVISOR) || (words[VSSTATUS] & STATUS_SIE) !== 0)) return first(guest)
    return NONE
  }
}

function first(interrupts: number): number {
  for (const interrupt of PRIORITY) if ((interrupts & (1 << interrupt)) !== 0) return interrupt
  return NONE
}
