/** What all parts of a hart share: its window, its clock, whom it charges. */
import type { Memory } from '../memory/memory.ts'
import { Regime } from '../memory/regime.ts'
import type { Ledger } from '../time/ledger.ts'
import type { Prices } from '../time/prices.ts'
import { HSTATUS, MSTATUS, VSSTATUS } from './slots.ts'
import { BUDGET, DEADLINE, FLOAT, MACHINE, MODE, STALLS, VIRTUAL } from './state.ts'
import {
  HSTATUS_SPVP,
  MPP_SHIFT,
  STATUS_FS,
  STATUS_HIGH_MPV,
  STATUS_MPP,
  STATUS_MPRV,
  STATUS_MXR,
  STATUS_SUM,
} from './status-bits.ts'

const MODE_WORD = MODE >> 2
const BUDGET_WORD = BUDGET >> 2
const FLOAT_WORD = FLOAT >> 2
const DEADLINE_LONG = DEADLINE >> 3
const STALLS_LONG = STALLS >> 3

export class Core {
  readonly id: number
  readonly memory: Memory
  readonly words: Int32Array
  readonly doubles: Float64Array
  readonly longs: BigInt64Array
  readonly prices: Prices
  readonly ledger: Ledger
  /** How fetches, loads and stores, and the hypervisor's guest accesses are translated. Call `regimes` first. */
  readonly fetching = new Regime()
  readonly data = new Regime()
  readonly guest = new Regime()
  #current = false

  constructor(id: number, memory: Memory, prices: Prices, ledger: Ledger) {
    this.id = id
    this.memory = memory
    this.words = memory.words
    this.doubles = memory.doubles
    this.longs = memory.longs
    this.prices = prices
    this.ledger = ledger
  }

  /** The hart's cycle. The instruction that is being executed is not yet counted. */
  now(): number {
    return this.doubles[DEADLINE_LONG] - this.words[BUDGET_WORD]
  }

  /** Spends cycles in which nothing retires. */
  stall(cycles: number): void {
    this.words[BUDGET_WORD] -= cycles
    this.doubles[STALLS_LONG] += cycles
  }

  /** Privilege or something else that translation depends on has changed. */
  invalidate(): void {
    this.#current = false
  }

  /** Brings the regimes up to date. */
  regimes(): void {
    if (this.#current) return
    this.#current = true
    const { words, fetching, data, guest } = this
    const mode = words[MODE_WORD]
    const status = words[MSTATUS]
    fetching.load(words, mode & 3, (mode & VIRTUAL) !== 0)
    let privilege = mode & 3
    let virtual = (mode & VIRTUAL) !== 0
    if (privilege === MACHINE && (status & STATUS_MPRV) !== 0) {
      privilege = (status & STATUS_MPP) >> MPP_SHIFT
      virtual = privilege !== MACHINE && (words[MSTATUS + 1] & STATUS_HIGH_MPV) !== 0
    }
    data.load(words, privilege, virtual)
    this.#permissions(data)
    guest.load(words, (words[HSTATUS] & HSTATUS_SPVP) !== 0 ? 1 : 0, true)
    this.#permissions(guest)
  }

  /** Notes the dirt that executors left in FLOAT: in both status registers when V=1 (vsstatus_fs_op). */
  foldFloat(): void {
    const { words } = this
    if (words[FLOAT_WORD] !== 2) return
    words[FLOAT_WORD] = 1
    words[MSTATUS] |= STATUS_FS
    if ((words[MODE_WORD] & VIRTUAL) !== 0) words[VSSTATUS] |= STATUS_FS
  }

  /** Says in FLOAT whether the FPU is on in the current mode. */
  updateFloat(): void {
    const { words } = this
    const on =
      (words[MSTATUS] & STATUS_FS) !== 0 && ((words[MODE_WORD] & VIRTUAL) === 0 || (words[VSSTATUS] & STATUS_FS) !== 0)
    words[FLOAT_WORD] = on ? 1 : 0
  }

  /** SUM of the status register in force, and MXR: mstatus.MXR makes execute-only pages readable in both stages, vsstatus.MXR in the first. */
  #permissions(regime: Regime): void {
    const status = this.words[MSTATUS]
    const own = regime.virtual ? this.words[VSSTATUS] : status
    regime.sum = (own & STATUS_SUM) !== 0
    regime.guestMxr = (status & STATUS_MXR) !== 0
    regime.mxr = (own & STATUS_MXR) !== 0 || regime.guestMxr
  }
}
