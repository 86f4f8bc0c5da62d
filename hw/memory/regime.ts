/** How an access is translated: the privilege, the two stages' roots and modes, and the permissions' exceptions. Reloaded from CSRs, never allocated anew. */
import { HENVCFG, HGATP, MENVCFG, SATP, VSATP } from '../hart/slots.ts'
import { MACHINE, SUPERVISOR } from '../hart/state.ts'
import { BARE } from '../spec/layouts/pte.ts'
import { CONTEXT_BARE, CONTEXT_VIRTUAL } from './tlb.ts'

/** menvcfg and henvcfg, high word. */
const PBMTE = 1 << 30
const ADUE = 1 << 29

export class Regime {
  privilege = MACHINE as number
  virtual = false
  /** No translation at all. */
  physical = true
  mode = BARE as number
  root = 0
  guestMode = BARE as number
  guestRoot = 0
  context = 0
  sum = false
  /** Loads may read pages that only grant execution: in the first stage, and in the G-stage. */
  mxr = false
  guestMxr = false
  /** Svpbmt and Svadu, in the first stage and in the G-stage: what menvcfg and henvcfg enable. */
  memoryTypes = false
  guestMemoryTypes = false
  updates = false
  guestUpdates = false
  /** hlvx: execution is what is asked for, in both stages. */
  executable = false

  load(words: Int32Array, privilege: number, virtual: boolean): void {
    this.privilege = privilege
    this.virtual = virtual
    this.executable = false
    const environment = words[MENVCFG + 1]
    const own = virtual ? environment & words[HENVCFG + 1] : environment
    this.memoryTypes = (own & PBMTE) !== 0
    this.updates = (own & ADUE) !== 0
    this.guestMemoryTypes = (environment & PBMTE) !== 0
    this.guestUpdates = (environment & ADUE) !== 0
    if (virtual) {
      const low = words[VSATP]
      const high = words[VSATP + 1]
      const guestHigh = words[HGATP + 1]
      this.mode = high >>> 28
      this.root = (high & 0xfff) * 2 ** 32 + (low >>> 0)
      this.guestMode = guestHigh >>> 28
      this.guestRoot = (guestHigh & 0xfff) * 2 ** 32 + (words[HGATP] >>> 0)
      this.context =
        CONTEXT_VIRTUAL |
        (((guestHigh >>> 12) & 0x3fff) << 16) |
        ((high >>> 12) & 0xffff) |
        (this.mode === BARE ? CONTEXT_BARE : 0)
      this.physical = this.mode === BARE && this.guestMode === BARE
    } else {
      const high = words[SATP + 1]
      this.mode = high >>> 28
      this.root = (high & 0xfff) * 2 ** 32 + (words[SATP] >>> 0)
      this.guestMode = BARE
      this.context = (high >>> 12) & 0xffff
      this.physical = privilege > SUPERVISOR || this.mode === BARE
    }
  }
}
