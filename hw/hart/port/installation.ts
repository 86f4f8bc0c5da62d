/** A software as it is installed in a machine: where its image lies, its state, and its abandoned entries. */
import type { Plain } from '../../bus/chip.ts'
import type { Software } from '../../port.ts'
import { STUBS_SYMBOL } from '../../spec/port-stubs.ts'
import { StateCopier, type StateCopy } from './state-copy.ts'

/** What an assembled image is to its installation. */
export interface Image {
  /** The address that its symbols count from. */
  readonly origin: number
  readonly bytes: Uint8Array
  readonly symbols: ReadonlyMap<string, number>
}

/** From the call number `at` on, an entry saw this state: others had run meanwhile. */
export interface StateChange {
  readonly at: number
  readonly state: StateCopy
}

/** An entry that a trap or interrupt cut short, and how to bring it back to that point. */
export interface Suspended {
  readonly entry: number
  /** The `entry` instruction's address, virtual and physical, and the mode that it ran in. */
  readonly address: number
  readonly physical: number
  readonly mode: number
  /** What the software took its hart to be. */
  readonly hart: number
  /** The call in the midst of which it was cut short, or -1. */
  readonly pending: number
  readonly calls: Uint8Array
  readonly results: Float64Array
  readonly before: StateCopy
  readonly changes: readonly StateChange[]
}

/** How many abandoned entries a software may leave behind; beyond that the oldest is forgotten, and cannot be resumed. */
const MOST_SUSPENDED = 1024

/** The longest that an entry may keep its hart from its turn's end: 100 µs at 1 GHz, far below any timer tick. */
export const LONGEST_ENTRY = 100_000

export class Installation {
  readonly software: Software
  readonly image: Image
  /** The physical address of its first byte. */
  readonly base: number
  readonly copier: StateCopier
  /** In cycles. */
  readonly longest: number
  /** How many times any of its entries has been run. */
  runs = 0
  readonly #stubs: number | undefined
  readonly #spare: (StateCopy | undefined)[] = []
  readonly #suspended = new Map<number, Suspended>()
  #lastToken = 0

  constructor(software: Software, image: Image, base: number, longest: number) {
    this.software = software
    this.image = image
    this.base = base
    this.longest = longest
    this.copier = new StateCopier(software.name, software.state)
    const stubs = image.symbols.get(STUBS_SYMBOL)
    this.#stubs = stubs === undefined ? undefined : base + stubs - image.origin
  }

  contains(physical: number): boolean {
    const offset = physical - this.base
    return offset >= 0 && offset + 4 <= this.image.bytes.length
  }

  /** True if the image has this instruction at this address. */
  holds(physical: number, instruction: number): boolean {
    const { bytes } = this.image
    const at = physical - this.base
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) === (instruction | 0)
  }

  /** Where the stubs are seen by an entry at these addresses, or -1 without stubs. */
  stubsFrom(physical: number, address: number): number {
    return this.#stubs === undefined ? -1 : address + (this.#stubs - physical)
  }

  /** The state now, in a copy of this hart's. */
  takeCopy(hart: number): StateCopy {
    const spare = this.#spare[hart]
    if (!spare) return this.copier.make()
    this.#spare[hart] = undefined
    this.copier.take(spare)
    return spare
  }

  /** The copy is needed no more. */
  returnCopy(hart: number, copy: StateCopy): void {
    this.#spare[hart] = copy
  }

  /** Keeps an abandoned entry; returns its token, which is never 0. */
  suspend(suspended: Suspended): number {
    this.#lastToken = this.#lastToken === 0x7fff_ffff ? 1 : this.#lastToken + 1
    this.#suspended.set(this.#lastToken, suspended)
    if (this.#suspended.size > MOST_SUSPENDED) {
      const [oldest] = this.#suspended.keys()
      this.#suspended.delete(oldest)
    }
    return this.#lastToken
  }

  suspended(token: number): Suspended | undefined {
    return this.#suspended.get(token)
  }

  forget(token: number): void {
    this.#suspended.delete(token)
  }

  save(): Plain {
    const { copier } = this
    return {
      state: copier.toPlain(copier.make()),
      lastToken: this.#lastToken,
      suspended: [...this.#suspended].map(([token, kept]) => ({
        ...kept,
        token,
        calls: kept.calls.slice(),
        results: [...kept.results],
        before: copier.toPlain(kept.before),
        changes: kept.changes.map(({ at, state }) => ({ at, state: copier.toPlain(state) })),
      })),
    }
  }

  restore(plain: Plain): void {
    const { copier } = this
    const saved = plain as unknown as SavedInstallation
    copier.put(copier.fromPlain(saved.state))
    this.#lastToken = saved.lastToken
    this.#suspended.clear()
    for (const { token, ...kept } of saved.suspended) {
      this.#suspended.set(token, {
        ...kept,
        calls: Uint8Array.from(kept.calls),
        results: Float64Array.from(kept.results),
        before: copier.fromPlain(kept.before),
        changes: kept.changes.map(({ at, state }) => ({ at, state: copier.fromPlain(state) })),
      })
    }
  }
}

interface SavedInstallation {
  readonly state: Plain
  readonly lastToken: number
  readonly suspended: readonly (Omit<Suspended, 'before' | 'changes' | 'results'> & {
    readonly token: number
    readonly results: readonly number[]
    readonly before: Plain
    readonly changes: readonly { readonly at: number; readonly state: Plain }[]
  })[]
}
