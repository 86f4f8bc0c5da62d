/** A hart's window: in linear memory while the hart runs, in a copy while another does; and the clock that is in it. */
import type { Memory } from '../memory/memory.ts'
import { BUDGET, DEADLINE, RESERVATION, STALLS, WINDOW_BYTES } from './state.ts'

/** BUDGET is 32 bits. */
const LONGEST_TURN = 2 ** 30

export class HartWindow {
  /** Whether it is in linear memory. */
  present = false
  /** Views of the window, wherever it is. */
  words: Int32Array
  longs: BigInt64Array
  doubles: Float64Array
  readonly #memory: Memory
  readonly #shared: Uint8Array
  readonly #stored = new Uint8Array(WINDOW_BYTES)
  readonly #storedWords = new Int32Array(this.#stored.buffer)
  readonly #storedLongs = new BigInt64Array(this.#stored.buffer)
  readonly #storedDoubles = new Float64Array(this.#stored.buffer)

  constructor(memory: Memory) {
    this.#memory = memory
    this.#shared = memory.bytes.subarray(0, WINDOW_BYTES)
    this.words = memory.words
    this.longs = memory.longs
    this.doubles = memory.doubles
  }

  /** The window in linear memory is this hart's from now on, whatever it holds. */
  claim(): void {
    const memory = this.#memory
    this.present = true
    this.words = memory.words
    this.longs = memory.longs
    this.doubles = memory.doubles
  }

  /** Others may have stored meanwhile: no reservation survives. */
  enter(): void {
    this.#shared.set(this.#stored)
    this.claim()
    this.words[RESERVATION >> 2] = -1
  }

  leave(): void {
    this.#stored.set(this.#shared)
    this.#absent()
  }

  /** The hart's own cycle. */
  now(): number {
    return this.doubles[DEADLINE >> 3] - this.words[BUDGET >> 2]
  }

  /** Instructions retired since reset. */
  retired(): number {
    return this.now() - this.doubles[STALLS >> 3]
  }

  /** Lets an executor run until `cycle`. */
  setDeadline(cycle: number): void {
    const now = this.now()
    const deadline = Math.min(cycle, now + LONGEST_TURN)
    this.doubles[DEADLINE >> 3] = deadline
    this.words[BUDGET >> 2] = deadline - now
  }

  /** `cycles` go by in which nothing retires, and which count for no deadline. */
  skip(cycles: number): void {
    this.doubles[DEADLINE >> 3] += cycles
    this.doubles[STALLS >> 3] += cycles
  }

  save(): Uint8Array {
    return (this.present ? this.#shared : this.#stored).slice()
  }

  restore(bytes: Uint8Array): void {
    this.#stored.set(bytes)
    this.#absent()
  }

  #absent(): void {
    this.present = false
    this.words = this.#storedWords
    this.longs = this.#storedLongs
    this.doubles = this.#storedDoubles
  }
}
