/** The platform-level interrupt controller, its gateways all level-triggered. */
import type { Chip, Line, Plain, Saved } from '../bus/chip.ts'
import { PLIC_PRIORITY_MAX, plic as table } from '../spec/devices/plic.ts'

export class Plic implements Chip, Saved {
  readonly #contexts: readonly Line[]
  readonly #sources: number
  readonly #words: number
  readonly #priority: Uint32Array
  readonly #level: Uint8Array
  /** One bit a source, like the enable words. */
  readonly #pending: Uint32Array
  /** Claimed and not yet completed: the gateway forwards nothing meanwhile. */
  readonly #inService: Uint8Array
  readonly #enable: Uint32Array
  readonly #threshold: Uint32Array
  /** What each context's wire was last set to: only changes are passed on. */
  readonly #raised: boolean[]

  /** `contexts` are the external-interrupt wires, in context order; `sources` is the highest source number. */
  constructor(contexts: readonly Line[], sources: number) {
    this.#contexts = contexts
    this.#sources = sources
    this.#words = (sources >> 5) + 1
    this.#priority = new Uint32Array(sources + 1)
    this.#level = new Uint8Array(sources + 1)
    this.#pending = new Uint32Array(this.#words)
    this.#inService = new Uint8Array(sources + 1)
    this.#enable = new Uint32Array(contexts.length * this.#words)
    this.#threshold = new Uint32Array(contexts.length)
    this.#raised = contexts.map(() => false)
  }

  /** The wire of source `source` (1 and up). */
  line(source: number): Line {
    if (source < 1 || source > this.#sources)
      throw new RangeError(`PLIC has no source ${source}, only 1 to ${this.#sources}`)
    return {
      set: level => {
        this.#level[source] = level ? 1 : 0
        if (level) this.#forward(source)
      },
    }
  }

  read(offset: number, bytes: 1 | 2 | 4): number {
    if (bytes !== 4) return 0
    const { pending, enable, threshold } = table
    if (offset < pending.at) return this.#priority[offset >> 2] ?? 0
    if (offset < enable.at) return this.#pending[(offset - pending.at) >> 2] ?? 0
    if (offset < threshold.at) return this.#enable[this.#enableIndex(offset)] ?? 0
    const context = (offset - threshold.at) >> 12
    switch (offset & 0xfff) {
      case 0:
        return this.#threshold[context] ?? 0
      case 4:
        return this.#claim(context)
      default:
        return 0
    }
  }

  write(offset: number, bytes: 1 | 2 | 4, value: number): void {
    if (bytes !== 4) return
    const { pending, enable, threshold } = table
    if (offset < pending.at) {
      const source = offset >> 2
      if (source === 0 || source > this.#sources) return
      this.#priority[source] = value & PLIC_PRIORITY_MAX
      this.#update()
    } else if (offset < enable.at) {
      return
    } else if (offset < threshold.at) {
      const index = this.#enableIndex(offset)
      if (index < 0) return
      // Source 0 cannot be enabled.
      this.#enable[index] = index % this.#words === 0 ? value & ~1 : value
      this.#update()
    } else {
      const context = (offset - threshold.at) >> 12
      if (context >= this.#contexts.length) return
      if ((offset & 0xfff) === 0) {
        this.#threshold[context] = value & PLIC_PRIORITY_MAX
        this.#update()
      } else if ((offset & 0xfff) === 4) {
        this.#complete(context, value)
      }
    }
  }

  save(): Plain {
    return {
      priority: [...this.#priority],
      level: [...this.#level],
      pending: [...this.#pending],
      inService: [...this.#inService],
      enable: [...this.#enable],
      threshold: [...this.#threshold],
    }
  }

  restore(state: Plain): void {
    const saved = state as { [array: string]: number[] }
    this.#priority.set(saved.priority ?? [])
    this.#level.set(saved.level ?? [])
    this.#pending.set(saved.pending ?? [])
    this.#inService.set(saved.inService ?? [])
    this.#enable.set(saved.enable ?? [])
    this.#threshold.set(saved.threshold ?? [])
    this.#update()
  }

  /** A gateway turns a high level into one request, and no other before that one is completed. A request is never withdrawn. */
  #forward(source: number): void {
    const word = source >> 5
    const bit = 1 << (source & 31)
    if (!this.#level[source] || this.#pending[word] & bit || this.#inService[source]) return
    this.#pending[word] |= bit
    this.#update()
  }

  /** The pending, enabled source of highest priority above `floor`, the lowest number among equals; 0 if none. */
  #best(context: number, floor: number): number {
    let best = 0
    let priority = floor
    for (let word = 0; word < this.#words; word++) {
      let ready = this.#pending[word] & this.#enable[context * this.#words + word]
      while (ready !== 0) {
        const source = word * 32 + 31 - Math.clz32(ready & -ready)
        if (this.#priority[source] > priority) {
          best = source
          priority = this.#priority[source]!
        }
        ready &= ready - 1
      }
    }
    return best
  }

  /** Claiming ignores the threshold; priority 0 means never. */
  #claim(context: number): number {
    if (context >= this.#contexts.length) return 0
    const source = this.#best(context, 0)
    if (source === 0) return 0
    this.#pending[source >> 5] &= ~(1 << (source & 31))
    this.#inService[source] = 1
    this.#update()
    return source
  }

  /** A completion for a source that is not enabled for the context is ignored. */
  #complete(context: number, source: number): void {
    if (source < 1 || source > this.#sources || !this.#enabled(context, source)) return
    this.#inService[source] = 0
    this.#forward(source)
  }

  #enabled(context: number, source: number): boolean {
    return (((this.#enable[context * this.#words + (source >> 5)] ?? 0) >>> (source & 31)) & 1) === 1
  }

  #update(): void {
    for (let context = 0; context < this.#contexts.length; context++) {
      const raised = this.#best(context, this.#threshold[context]) !== 0
      if (raised === this.#raised[context]) continue
      this.#raised[context] = raised
      this.#contexts[context].set(raised)
    }
  }

  /** Index of an enable word, or -1 if no context or source is there. */
  #enableIndex(offset: number): number {
    const context = (offset - table.enable.at) >> 7
    const word = ((offset - table.enable.at) & 0x7f) >> 2
    return context < this.#contexts.length && word < this.#words ? context * this.#words + word : -1
  }
}
