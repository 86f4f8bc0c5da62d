/** Charges follow the mode: whoever owns it pays, a trap is the cause, and on return the interrupted account goes on. */
import type { Activity, Party } from '../spec/ledger.ts'
import { trapName } from './causes.ts'
import type { Core } from './core.ts'
import { MODE } from './state.ts'

/** Who owns each mode, as whoever boots the machine says: M, HS (or S), U, VS, VU. */
export interface ModeParties {
  readonly machine: Party
  readonly supervisor: Party
  readonly user: Party
  readonly virtualSupervisor: Party
  readonly virtualUser: Party
}

/** Without a hypervisor: firmware, and a guest on the bare machine. */
export const BARE_PARTIES: ModeParties = {
  machine: 'firmware',
  supervisor: 'guest',
  user: 'guest',
  virtualSupervisor: 'guest',
  virtualUser: 'guest',
}

const MODES = 8
const ROWS = MODES * 128
const RUNNING = 'running'

export class Accounts {
  readonly #core: Core
  #parties: readonly Party[]
  /** Row for a trap into a mode, by code, interrupt and whether the party changed; -1 if not looked up yet. */
  readonly #rows = new Int32Array(ROWS).fill(-1)
  readonly #running = new Int32Array(MODES).fill(-1)
  /** For each mode that can be trapped into: the mode that was interrupted, and its row. */
  readonly #interruptedMode = new Int32Array(MODES).fill(-1)
  readonly #interruptedRow = new Int32Array(MODES)

  readonly #returning: number

  constructor(core: Core, parties: ModeParties) {
    this.#core = core
    this.#returning = core.prices.instructions['sret'] ?? 1
    this.#parties = byMode(parties)
  }

  assign(parties: ModeParties): void {
    this.#parties = byMode(parties)
    this.#rows.fill(-1)
    this.#running.fill(-1)
  }

  /** A trap was taken from `from` into the mode now in the window. Whoever comes anew begins with the world switch. */
  trapped(from: number, code: number, interrupt: boolean): void {
    const core = this.#core
    const { ledger } = core
    const to = core.words[MODE >> 2]
    const anew = this.#parties[from] !== this.#parties[to]
    const key = to * 128 + (anew ? 64 : 0) + (interrupt ? 32 : 0) + code
    let row = this.#rows[key]
    if (row < 0) {
      row = ledger.row(this.#parties[to], trapName(code, interrupt), anew ? 'world switch' : 'computing')
      this.#rows[key] = row
    }
    this.#interruptedMode[to] = from
    this.#interruptedRow[to] = ledger.current
    ledger.switchTo(row, core.now())
  }

  /** An xret led from `from` into the mode now in the window. */
  returned(from: number): void {
    const core = this.#core
    const to = core.words[MODE >> 2]
    const back = this.#interruptedMode[from] === to
    const row = back ? this.#interruptedRow[from] : this.#runningRow(to)
    this.#interruptedMode[from] = -1
    // The xret's own cycle, which the executor counts after this, is still the leaver's.
    core.ledger.switchTo(row, core.now() + this.#returning)
  }

  account(party: Party, cause: string, activity: Activity): void {
    const { ledger } = this.#core
    ledger.switchTo(ledger.row(party, cause, activity), this.#core.now())
  }

  /** At reset. */
  begin(): void {
    this.#core.ledger.current = this.#runningRow(this.#core.words[MODE >> 2])
  }

  save(): readonly number[] {
    return [...this.#interruptedMode, ...this.#interruptedRow]
  }

  restore(state: readonly number[]): void {
    this.#interruptedMode.set(state.slice(0, MODES))
    this.#interruptedRow.set(state.slice(MODES))
    this.#rows.fill(-1)
    this.#running.fill(-1)
  }

  #runningRow(mode: number): number {
    let row = this.#running[mode]
    if (row < 0) {
      row = this.#core.ledger.row(this.#parties[mode], RUNNING, 'computing')
      this.#running[mode] = row
    }
    return row
  }
}

/** Indexed by state.MODE; 2, 6 and 7 do not occur. */
function byMode({ machine, supervisor, user, virtualSupervisor, virtualUser }: ModeParties): readonly Party[] {
  return [user, supervisor, machine, machine, virtualUser, virtualSupervisor, machine, machine]
}
