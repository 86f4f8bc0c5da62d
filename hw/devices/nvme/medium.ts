/**
 * When a drive's parts are next free: its channels, its two directions of transfer. Booking moves those times on;
 * all times are cycles, and the medium never runs ahead of what was booked.
 */
import type { Clock, Plain, Saved } from '../../bus/chip.ts'
import type { DrivePrices } from '../../time/prices-devices.ts'

export class Medium implements Saved {
  readonly prices: DrivePrices
  readonly #clock: Clock
  /** Cycle at which each channel is free. */
  #channels: Float64Array
  #readPath = 0
  #writePath = 0

  constructor(prices: DrivePrices, clock: Clock) {
    this.prices = prices
    this.#clock = clock
    this.#channels = new Float64Array(prices.channels)
  }

  cycles(nanoseconds: number): number {
    return Math.round((nanoseconds * this.#clock.frequency) / 1e9)
  }

  /** Reads `bytes` at byte `at` of the medium from cycle `start` on: the cycle at which the host has them all. */
  read(start: number, at: number, bytes: number): number {
    let ready = start
    this.#pages(at, bytes, channel => {
      this.#channels[channel] = Math.max(start, this.#channels[channel]) + this.cycles(this.prices.readPage)
      ready = Math.max(ready, this.#channels[channel])
    })
    // transfer overlaps reading, but for the last page
    const tail = this.#transfer(Math.min(bytes, this.prices.pageBytes), this.prices.readRate)
    this.#readPath = Math.max(ready + tail, this.#readPath + this.#transfer(bytes, this.prices.readRate))
    return this.#readPath
  }

  /** Takes `bytes` from the host into the controller. */
  accept(start: number, bytes: number): number {
    this.#writePath = Math.max(start, this.#writePath) + this.#transfer(bytes, this.prices.writeRate)
    return this.#writePath
  }

  /** Programs `bytes` at byte `at`: the cycle at which they are on the medium. */
  program(start: number, at: number, bytes: number): number {
    let done = start
    this.#pages(at, bytes, channel => {
      this.#channels[channel] = Math.max(start, this.#channels[channel]) + this.cycles(this.prices.writePage)
      done = Math.max(done, this.#channels[channel])
    })
    return done
  }

  /** The cycle at which nothing is under way any more. */
  idleAt(): number {
    return Math.max(this.#clock.now(), ...this.#channels)
  }

  #transfer(bytes: number, rate: number): number {
    return this.cycles((bytes * 1e9) / rate)
  }

  /** Pages lie on the channels in turn. */
  #pages(at: number, bytes: number, visit: (channel: number) => void): void {
    const last = Math.floor((at + bytes - 1) / this.prices.pageBytes)
    for (let page = Math.floor(at / this.prices.pageBytes); page <= last; page++) visit(page % this.prices.channels)
  }

  save(): Plain {
    return { channels: [...this.#channels], readPath: this.#readPath, writePath: this.#writePath }
  }

  restore(state: Plain): void {
    const saved = state as { channels: readonly number[]; readPath: number; writePath: number }
    this.#channels = Float64Array.from(saved.channels)
    this.#readPath = saved.readPath
    this.#writePath = saved.writePath
  }
}
