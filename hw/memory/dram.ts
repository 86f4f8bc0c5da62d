/** One channel of DRAM: a row buffer for each bank, pages left open, and the data bus. Addresses are line numbers of the L2. */
import type { CacheStructure, MemoryPrices } from '../time/prices-memory.ts'
import { Occupancy, type OccupancyState } from './occupancy.ts'

const CLOSED = -1

export interface DramState {
  readonly open: readonly number[]
  readonly bus: OccupancyState
}

export class Dram {
  readonly #prices: MemoryPrices
  readonly #bus = new Occupancy()
  readonly #open: Float64Array
  readonly #linesInRow: number
  /** What happened: accesses by the state of their row. */
  rowHits = 0
  rowsClosed = 0
  rowConflicts = 0
  /** Cycles that accesses waited for the bus. */
  waited = 0

  constructor(structure: CacheStructure, prices: MemoryPrices) {
    this.#prices = prices
    this.#open = new Float64Array(structure.dramBanks).fill(CLOSED)
    this.#linesInRow = structure.dramRowBytes / structure.l2.lineBytes
  }

  /** Somebody waits for a line: for how long. */
  read(line: number, now: number): number {
    const { rowHit, rowClosed, rowConflict, burst } = this.#prices
    const wait = this.#bus.take(now, burst)
    this.waited += wait
    const page = Math.floor(line / this.#linesInRow)
    const bank = page % this.#open.length
    const open = this.#open[bank]
    this.#open[bank] = page
    if (open === page) {
      this.rowHits++
      return wait + rowHit
    }
    if (open === CLOSED) {
      this.rowsClosed++
      return wait + rowClosed
    }
    this.rowConflicts++
    return wait + rowConflict
  }

  /** A line is written back, or read by a device: nobody waits, but the bus is taken and the row opened. */
  occupy(line: number, now: number): void {
    this.#bus.take(now, this.#prices.burst)
    const page = Math.floor(line / this.#linesInRow)
    this.#open[page % this.#open.length] = page
  }

  save(): DramState {
    return { open: [...this.#open], bus: this.#bus.save() }
  }

  restore(state: DramState): void {
    this.#open.set(state.open)
    this.#bus.restore(state.bus)
  }
}
