/**
 * Routes what harts ask of chips. Memory is not here: harts reach it by themselves and come to the bus with what is
 * left. An access that no chip answers is an access fault, told by the absence of a window.
 */
import type { Chip } from './chip.ts'

/** How far a chip is from the harts: the price list has a round trip for each. */
export type Distance = 'core' | 'soc' | 'pcie'

export interface BusWindow {
  readonly name: string
  readonly base: number
  readonly bytes: number
  readonly chip: Chip
  readonly distance: Distance
}

/** Told of each access after it happened, once for each half of an 8-byte one. */
export type BusListener = (window: BusWindow, offset: number, bytes: 1 | 2 | 4, value: number, write: boolean) => void

export class Bus {
  /** The value of the last read: 32 bits each, unsigned. */
  low = 0
  high = 0
  #windows: BusWindow[] = []
  #last: BusWindow | undefined
  #listeners: BusListener[] = []

  /** Puts a chip at [base, base + bytes). Throws if another chip is there. */
  attach(name: string, base: number, bytes: number, chip: Chip, distance: Distance = 'soc'): void {
    const other = this.#windows.find(window => base < window.base + window.bytes && window.base < base + bytes)
    if (other)
      throw new Error(`${name} at 0x${base.toString(16)} overlaps ${other.name} at 0x${other.base.toString(16)}`)
    this.#windows.push({ name, base, bytes, chip, distance })
    this.#windows.sort((a, b) => a.base - b.base)
  }

  get windows(): readonly BusWindow[] {
    return this.#windows
  }

  onAccess(listener: BusListener): void {
    this.#listeners.push(listener)
  }

  /** The window that holds all of [address, address + bytes), if any. */
  find(address: number, bytes = 1): BusWindow | undefined {
    const last = this.#last
    if (last && address >= last.base && address + bytes <= last.base + last.bytes) return last
    for (const window of this.#windows) {
      if (address >= window.base && address + bytes <= window.base + window.bytes) {
        this.#last = window
        return window
      }
    }
    return undefined
  }

  /** Reads into `low` and `high`. Undefined: an access fault (nobody is there, or it is misaligned). */
  read(address: number, bytes: 1 | 2 | 4 | 8): BusWindow | undefined {
    const window = address % bytes === 0 ? this.find(address, bytes) : undefined
    if (!window) return undefined
    const offset = address - window.base
    this.high = 0
    if (bytes === 8) {
      const low = this.#read(window, offset, 4)
      this.high = this.#read(window, offset + 4, 4)
      this.low = low
    } else {
      this.low = this.#read(window, offset, bytes)
    }
    return window
  }

  /** Writes; `high` counts only for 8 bytes. Undefined: an access fault, nothing was written. */
  write(address: number, bytes: 1 | 2 | 4 | 8, low: number, high = 0): BusWindow | undefined {
    const window = address % bytes === 0 ? this.find(address, bytes) : undefined
    if (!window) return undefined
    const offset = address - window.base
    if (bytes === 8) {
      this.#write(window, offset, 4, low >>> 0)
      this.#write(window, offset + 4, 4, high >>> 0)
    } else {
      this.#write(window, offset, bytes, bytes === 4 ? low >>> 0 : low & (bytes === 2 ? 0xffff : 0xff))
    }
    return window
  }

  #read(window: BusWindow, offset: number, bytes: 1 | 2 | 4): number {
    const value = window.chip.read(offset, bytes) >>> 0
    for (const listener of this.#listeners) listener(window, offset, bytes, value, false)
    return value
  }

  #write(window: BusWindow, offset: number, bytes: 1 | 2 | 4, value: number): void {
    window.chip.write(offset, bytes, value)
    for (const listener of this.#listeners) listener(window, offset, bytes, value, true)
  }
}
