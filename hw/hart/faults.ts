/** From a translation or access that failed to the trap that says so. */
import { FETCH, type AccessKind } from '../memory/access.ts'
import type { Mmu } from '../memory/mmu.ts'
import type { Regime } from '../memory/regime.ts'
import { FETCH_ACCESS, LOAD_ACCESS, LOAD_GUEST_PAGE, STORE_ACCESS, STORE_GUEST_PAGE } from './causes.ts'
import type { Core } from './core.ts'
import { TRAPPED } from './services.ts'
import { PC } from './state.ts'
import { transformed, WALK_READ, WALK_WRITE } from './transformed.ts'
import type { Traps } from './traps.ts'

const PC_WORD = PC >> 2
const ACCESS_FAULTS = [FETCH_ACCESS, LOAD_ACCESS, STORE_ACCESS]

export class Faults {
  readonly #core: Core
  readonly #mmu: Mmu
  readonly #traps: Traps

  constructor(core: Core, mmu: Mmu, traps: Traps) {
    this.#core = core
    this.#mmu = mmu
    this.#traps = traps
  }

  /** The walker said no at this address; `offset` bytes of the access lie before it. `cause` differs for cache-block operations. */
  translation(
    regime: Regime,
    low: number,
    high: number,
    offset: number,
    cause = this.#mmu.walker.cause,
  ): typeof TRAPPED {
    const { walker } = this.#mmu
    const { detail } = this.#traps
    let instruction = 0
    if (cause === LOAD_GUEST_PAGE || cause === STORE_GUEST_PAGE) instruction = transformed(this.instruction(), offset)
    if (walker.implicit && cause >= 20) instruction = walker.implicitWrite ? WALK_WRITE : WALK_READ
    const guest = cause >= 20
    detail.valueLow = low
    detail.valueHigh = high
    detail.guestVirtual = regime.virtual
    // A guest physical address has up to 64 bits here: its page number and offset, shifted right by 2.
    detail.guestLow = guest ? ((walker.guestPage * 2 ** 10) | 0) + (walker.guestOffset >>> 2) : 0
    detail.guestHigh = guest ? Math.floor(walker.guestPage / 2 ** 22) | 0 : 0
    detail.instruction = instruction
    this.#traps.take(cause, false)
    return TRAPPED
  }

  /** Nothing is there, or PMP forbids it. */
  access(regime: Regime, kind: AccessKind, low: number, high: number): typeof TRAPPED {
    this.#traps.exception(ACCESS_FAULTS[kind], low, high, regime.virtual)
    return TRAPPED
  }

  misaligned(regime: Regime, code: number, low: number, high: number): typeof TRAPPED {
    this.#traps.exception(code, low, high, regime.virtual)
    return TRAPPED
  }

  /** The instruction at PC, which was fetched already: 16 bits if it is compressed. */
  instruction(): number {
    const { words } = this.#core
    const low = words[PC_WORD]
    const first = this.#half(low, words[PC_WORD + 1])
    if ((first & 3) !== 3) return first
    const next = low + 2
    return first | (this.#half(next | 0, words[PC_WORD + 1] + (low >= -2 && low < 0 ? 1 : 0)) << 16)
  }

  #half(low: number, high: number): number {
    const core = this.#core
    core.regimes()
    const { memory, fetching } = core
    const page = fetching.physical ? (high >>> 0) * 2 ** 20 + (low >>> 12) : this.#mmu.peek(fetching, FETCH, low, high)
    const host = page < 0 ? -1 : memory.toHost(page * 4096 + (low & 0xfff))
    return host < 0 ? 0 : memory.view.getUint16(host, true)
  }
}
