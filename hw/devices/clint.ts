/** The core-local interruptor: each hart's software interrupt and timer, and the time that all of them share. */
import type { Chip, Clock, Line, Plain, Saved, Timed } from '../bus/chip.ts'
import { clint as table } from '../spec/devices/clint.ts'

/** A hart's two wires. */
export interface ClintLines {
  readonly msip: Line
  readonly mtip: Line
}

const mask64 = (1n << 64n) - 1n
const NO_EVENT = -1
/** Beyond any run: about 285 years of cycles at 1 GHz. A timer further away never fires. */
const NEVER = 2 ** 53

export class Clint implements Chip, Timed, Saved {
  readonly #clock: Clock
  readonly #lines: readonly ClintLines[]
  readonly #msip: number[]
  readonly #mtimecmp: bigint[]
  readonly #event: number[]
  /** mtime minus the ticks that the clock has counted, modulo 2^64: moved by writes to mtime. */
  #offset = 0n
  /** The same, signed, as a number; NaN if that is not exact. */
  #shift = 0
  /** Cycles by which mtime's ticks are ahead of the clock. */
  readonly #phase: number

  constructor(clock: Clock, lines: readonly ClintLines[], phase = 0) {
    this.#clock = clock
    this.#phase = phase
    this.#lines = lines
    this.#msip = lines.map(() => 0)
    // The manual leaves mtimecmp undefined at reset; at its highest value no interrupt is pending.
    this.#mtimecmp = lines.map(() => mask64)
    this.#event = lines.map(() => NO_EVENT)
  }

  /** The 64-bit mtime at the clock's current cycle: also what the harts' time CSR reads. */
  mtime(): bigint {
    return (BigInt(this.#counted()) + this.#offset) & mask64
  }

  /** mtime as a number, or NaN where it is 2^53 or more: most reads need no more. */
  ticks(): number {
    const ticks = this.#counted() + this.#shift
    return ticks >= 0 && ticks < 2 ** 53 ? ticks : NaN
  }

  /** Since power-on, whatever software has set. */
  #counted(): number {
    return Math.floor((this.#clock.now() + this.#phase) / this.#clock.cyclesPerTick)
  }

  #setOffset(offset: bigint): void {
    this.#offset = offset
    const signed = Number(BigInt.asIntN(64, offset))
    this.#shift = Number.isSafeInteger(signed) ? signed : NaN
  }

  /** The cycle at which mtime reaches `time`, or Infinity if it never does in this machine's life. */
  cycleOf(time: bigint): number {
    // A clock that was put back is behind its ticks: its offset is negative.
    const ticks = time - BigInt.asIntN(64, this.#offset)
    if (ticks >= BigInt(NEVER)) return Infinity
    return Math.max(0, Math.ceil(Number(ticks) * this.#clock.cyclesPerTick) - this.#phase)
  }

  read(offset: number, bytes: 1 | 2 | 4): number {
    const word = this.#word(offset & ~3)
    const shifted = word >>> ((offset & 3) * 8)
    return bytes === 4 ? shifted : shifted & (bytes === 2 ? 0xffff : 0xff)
  }

  write(offset: number, bytes: 1 | 2 | 4, value: number): void {
    const at = offset & ~3
    const shift = (offset & 3) * 8
    const mask = bytes === 4 ? -1 : (bytes === 2 ? 0xffff : 0xff) << shift
    this.#setWord(at, bytes === 4 ? value : ((this.#word(at) & ~mask) | ((value << shift) & mask)) >>> 0)
  }

  due(_kind: string, payload: Plain): void {
    const hart = Number(payload)
    this.#event[hart] = NO_EVENT
    this.#lines[hart]?.mtip.set(true)
  }

  save(): Plain {
    return {
      msip: [...this.#msip],
      mtimecmp: this.#mtimecmp.map(time => time.toString(16)),
      event: [...this.#event],
      offset: this.#offset.toString(16),
    }
  }

  restore(state: Plain): void {
    const saved = state as { msip: number[]; mtimecmp: string[]; event: number[]; offset: string }
    this.#setOffset(BigInt(`0x${saved.offset}`))
    for (let hart = 0; hart < this.#lines.length; hart++) {
      this.#msip[hart] = saved.msip[hart] ?? 0
      this.#mtimecmp[hart] = BigInt(`0x${saved.mtimecmp[hart]}`)
      this.#event[hart] = saved.event[hart] ?? NO_EVENT
    }
  }

  #word(at: number): number {
    const { msip, mtimecmp, mtime } = table
    if (at >= mtime.at) return at === mtime.at ? low(this.mtime()) : at === mtime.at + 4 ? high(this.mtime()) : 0
    if (at >= mtimecmp.at) {
      const time = this.#mtimecmp[(at - mtimecmp.at) >> 3]
      return time === undefined ? 0 : at & 4 ? high(time) : low(time)
    }
    return this.#msip[(at - msip.at) >> 2] ?? 0
  }

  #setWord(at: number, value: number): void {
    const { msip, mtimecmp, mtime } = table
    if (at >= mtime.at) {
      if (at > mtime.at + 4) return
      const now = this.mtime()
      this.#setOffset((this.#offset + replace(now, at & 4, value) - now) & mask64)
      for (let hart = 0; hart < this.#lines.length; hart++) this.#compare(hart)
      return
    }
    const hart = at >= mtimecmp.at ? (at - mtimecmp.at) >> 3 : (at - msip.at) >> 2
    if (hart >= this.#lines.length) return
    if (at >= mtimecmp.at) {
      this.#mtimecmp[hart] = replace(this.#mtimecmp[hart] ?? 0n, at & 4, value)
      this.#compare(hart)
    } else {
      this.#msip[hart] = value & 1
      this.#lines[hart]?.msip.set((value & 1) === 1)
    }
  }

  /** MTIP is a level: up whenever mtime ≥ mtimecmp, so it follows every change of either at once. */
  #compare(hart: number): void {
    const event = this.#event[hart] ?? NO_EVENT
    if (event !== NO_EVENT) this.#clock.cancel(event)
    this.#event[hart] = NO_EVENT
    const time = this.#mtimecmp[hart] ?? mask64
    const reached = this.mtime() >= time
    this.#lines[hart]?.mtip.set(reached)
    if (reached) return
    const cycle = this.cycleOf(time)
    if (cycle < Infinity) this.#event[hart] = this.#clock.at(cycle, 'mtimecmp', hart)
  }
}

function low(value: bigint): number {
  return Number(value & 0xffff_ffffn)
}

function high(value: bigint): number {
  return Number(value >> 32n)
}

function replace(value: bigint, upper: number, word: number): bigint {
  const half = BigInt(word >>> 0)
  return upper ? (value & 0xffff_ffffn) | (half << 32n) : (value & (0xffff_ffffn << 32n)) | half
}
