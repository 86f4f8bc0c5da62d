/** A hart's way to its caches: what misses stalls it, and is charged to whoever runs. */
import type { Hierarchy } from '../memory/hierarchy.ts'
import type { LineTables } from '../memory/line-tables.ts'
import type { Activity } from '../spec/ledger.ts'
import type { Core } from './core.ts'
import type { LineCaches } from './services.ts'

export class HartCaches implements LineCaches {
  stalled = 0
  readonly #core: Core
  readonly #hierarchy: Hierarchy
  readonly #lines: LineTables

  constructor(core: Core, hierarchy: Hierarchy, lines: LineTables) {
    this.#core = core
    this.#hierarchy = hierarchy
    this.#lines = lines
  }

  /** Reads or writes [host, host + bytes); `activity` is whoever runs' own unless given. */
  data(host: number, bytes: number, write: boolean, activity?: Activity): void {
    const core = this.#core
    const hierarchy = this.#hierarchy
    const last = this.#lines.lineOf(host + bytes - 1)
    for (let line = this.#lines.lineOf(host); line <= last; line++) {
      const stall = write ? hierarchy.store(core.id, line, core.now()) : hierarchy.load(core.id, line, core.now())
      if (stall > 0) this.#missed(stall, activity)
    }
  }

  /** Fetches the instruction at `host`. */
  code(host: number): void {
    this.#fetch(this.#lines.lineOf(host))
  }

  /** Fetches `bytes` of text of TypeScript software, from an offset in all of it. */
  text(offset: number, bytes: number): void {
    const { textLine, shift } = this.#lines
    const last = textLine + ((offset + bytes - 1) >>> shift)
    for (let line = textLine + (offset >>> shift); line <= last; line++) this.#fetch(line)
  }

  /** fence.i. */
  fence(): void {
    this.#hierarchy.fence(this.#core.id, this.#core.now())
  }

  /** fence.t. */
  forget(): void {
    const stall = this.#hierarchy.forget(this.#core.id, this.#core.now())
    if (stall > 0) this.#missed(stall)
  }

  /** A cache block operation that keeps nothing from memory. */
  writeBack(host: number, stays: boolean): void {
    this.#hierarchy.writeBack(this.#lines.lineOf(host), this.#core.now(), stays)
  }

  #fetch(line: number): void {
    const core = this.#core
    const stall = this.#hierarchy.fetch(core.id, line, core.now())
    if (stall > 0) this.#missed(stall)
  }

  #missed(stall: number, activity?: Activity): void {
    this.stalled += stall
    this.#core.stall(stall)
    this.#core.ledger.miss(stall, activity)
  }
}
