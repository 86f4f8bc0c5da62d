/** What the card counts of time: SYSTIM at the rate that software sets, and the free running timer. 82576 8.15, 8.16. */
import type { Clock, Plain, Saved } from '../../bus/chip.ts'
import { nic } from '../../spec/devices/nic.ts'
import { withField } from '../../spec/registers.ts'
import type { RegisterFile } from './register-file.ts'

const LOW = 0xffff_ffffn
const { FRTIMER } = nic

export class Timers implements Saved {
  readonly #registers: RegisterFile
  readonly #clock: Clock
  /** SYSTIM, as of a cycle. */
  #time = { base: 0n, since: 0 }

  constructor(registers: RegisterFile, clock: Clock) {
    this.#registers = registers
    this.#clock = clock
  }

  reset(): void {
    this.#time = { base: 0n, since: this.#clock.now() }
  }

  /** SYSTIM counts TIMINCA's increment every so many 16 ns. */
  get system(): bigint {
    const timinca = this.#registers.get(nic.TIMINCA)
    const period = (timinca >>> 24) * 16
    if (period === 0) return this.#time.base
    const nanoseconds = ((this.#clock.now() - this.#time.since) * 1e9) / this.#clock.frequency
    return BigInt.asUintN(64, this.#time.base + BigInt(Math.floor(nanoseconds / period)) * BigInt(timinca & 0xff_ffff))
  }

  /** Microseconds, milliseconds and seconds in a word. */
  get free(): number {
    const microseconds = Math.floor((this.#clock.now() * 1e6) / this.#clock.frequency)
    let word = withField(FRTIMER.fields.MICROSECONDS, 0, microseconds % 1000)
    word = withField(FRTIMER.fields.MILLISECONDS, word, Math.floor(microseconds / 1000) % 1000)
    return withField(FRTIMER.fields.SECONDS, word, Math.floor(microseconds / 1e6) & 0xfff)
  }

  /** A write to SYSTIML, SYSTIMH or TIMINCA. */
  write(at: number, value: number): void {
    this.#time = { base: this.system, since: this.#clock.now() }
    if (at === nic.TIMINCA.at) this.#registers.write(at, value)
    else if (at === nic.SYSTIML.at) this.#time.base = (this.#time.base & ~LOW) | BigInt(value)
    else this.#time.base = (this.#time.base & LOW) | (BigInt(value) << 32n)
  }

  save(): Plain {
    return { base: this.#time.base.toString(), since: this.#time.since }
  }

  restore(state: Plain): void {
    const { base, since } = state as { base: string; since: number }
    this.#time = { base: BigInt(base), since }
  }
}
