/**
 * Where the instructions of TypeScript software lie, as far as caches are concerned. Nothing of it is in memory: all that is known
 * is how many instructions were computed before each port operation. So a stretch of text is told from others by its
 * software, its entry, the operation that ends it and its length; each gets its place when it first runs, one behind the other, and
 * is fetched from there whenever it runs again. Loops without port operations are taken to be as long as LONGEST.
 */
import { TEXT_BYTES } from '../../memory/line-tables.ts'

/** RV64GC: compressed code is 25 to 30 % shorter than four bytes an instruction (RISC-V unprivileged manual, chapter C). */
const INSTRUCTION_BYTES = 3
/** In instructions. */
const LONGEST = 256
const ENTRIES = 2 ** 12
const CALLS = 2 ** 6
/** Stands for the operation where text is cut by none. */
export const BETWEEN = CALLS - 1

export interface TextState {
  readonly used: number
  readonly software: readonly string[]
  readonly stretches: readonly (readonly [key: number, offset: number])[]
}

/** The text of all software of a machine. */
export class Text {
  /** Of the stretch that `find` found. */
  offset = 0
  bytes = 0
  #used = 0
  readonly #software = new Map<string, number>()
  readonly #stretches = new Map<number, number>()

  /** Finds the stretch of `instructions` that ends in the port operation `call`, of an entry of a software. */
  find(software: string, entry: number, call: number, instructions: number): void {
    let number = this.#software.get(software)
    if (number === undefined) {
      number = this.#software.size
      this.#software.set(software, number)
    }
    const length = Math.min(instructions, LONGEST)
    this.bytes = length * INSTRUCTION_BYTES
    const key = ((number * ENTRIES + entry) * CALLS + call) * (LONGEST + 1) + length
    const known = this.#stretches.get(key)
    if (known !== undefined) {
      this.offset = known
      return
    }
    if (this.#used + this.bytes > TEXT_BYTES) this.#used = 0
    this.offset = this.#used
    this.#used += this.bytes
    this.#stretches.set(key, this.offset)
  }

  save(): TextState {
    return { used: this.#used, software: [...this.#software.keys()], stretches: [...this.#stretches] }
  }

  restore({ used, software, stretches }: TextState): void {
    this.#used = used
    this.#software.clear()
    for (const [number, name] of software.entries()) this.#software.set(name, number)
    this.#stretches.clear()
    for (const [key, offset] of stretches) this.#stretches.set(key, offset)
  }
}
