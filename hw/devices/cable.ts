/**
 * A cable between two ports, full duplex: a frame occupies its direction for its time at line rate, and arrives
 * whole at the other end. Frames are without preamble and check sequence, which take their time all the same.
 */
import type { Clock, Plain, Saved, Timed } from '../bus/chip.ts'
import { CABLE_NANOSECONDS_A_METRE } from '../time/prices-devices.ts'

export const FRAME_CHECK_BYTES = 4
const SHORTEST = 64

/** What is plugged into an end. */
export interface Port {
  /** A frame has arrived whole; `intact` is false if its check sequence is wrong. */
  receive(frame: Uint8Array, intact: boolean): void
  /** There is (no longer) somebody at the other end. */
  carrier(present: boolean): void
}

export type End = 0 | 1

/** A frame to lose or to spoil: the `frame`th one (from 0) that end `from` sends. */
export type CableFault = { readonly kind: 'drop' | 'corrupt'; readonly from: End; readonly frame: number }

export interface CableOptions {
  readonly metres?: number
  /** Bits a second, and bytes between frames (preamble, delimiter, gap). */
  readonly lineRate?: number
  readonly overheadBytes?: number
}

/** Sees each frame when its last bit leaves an end. */
export type Tap = (cycle: number, from: End, frame: Uint8Array, intact: boolean) => void

export class Cable implements Timed, Saved {
  readonly name: string
  faults: CableFault[] = []
  readonly #clock: Clock
  readonly #metres: number
  readonly #lineRate: number
  readonly #overheadBytes: number
  readonly #ports: [Port | undefined, Port | undefined] = [undefined, undefined]
  readonly #taps: Tap[] = []
  #sent = [0, 0]
  #freeAt = [0, 0]
  #plugged = true

  constructor(name: string, clock: Clock, options: CableOptions = {}) {
    this.name = name
    this.#clock = clock
    this.#metres = options.metres ?? 2
    this.#lineRate = options.lineRate ?? 1e9
    this.#overheadBytes = options.overheadBytes ?? 20
  }

  /** Plugs a port into an end. Both feel the carrier once both are there. */
  attach(end: End, port: Port): void {
    if (this.#ports[end]) throw new Error(`${this.name}: end ${end} is taken`)
    this.#ports[end] = port
    this.#tellCarrier()
  }

  onFrame(tap: Tap): void {
    this.#taps.push(tap)
  }

  /** Pulls the cable out, or puts it back. */
  plug(plugged: boolean): void {
    this.#plugged = plugged
    this.#tellCarrier()
  }

  #tellCarrier(): void {
    const [near, far] = this.#ports
    if (!near || !far) return
    near.carrier(this.#plugged)
    far.carrier(this.#plugged)
  }

  /** Puts a frame on the wire as soon as the direction is free; returns the cycle at which it is free again. */
  send(from: End, frame: Uint8Array): number {
    const bytes = Math.max(frame.length + FRAME_CHECK_BYTES, SHORTEST) + this.#overheadBytes
    const start = Math.max(this.#clock.now(), this.#freeAt[from])
    const end = start + this.#cycles((bytes * 8 * 1e9) / this.#lineRate)
    this.#freeAt[from] = end
    if (!this.#plugged) return end
    const number = this.#sent[from]++
    const fault = this.faults.find(candidate => candidate.from === from && candidate.frame === number)
    const intact = fault?.kind !== 'corrupt'
    const delivered = intact ? frame.slice() : spoilt(frame)
    for (const tap of this.#taps) tap(end, from, delivered, intact)
    if (fault?.kind !== 'drop') {
      this.#clock.at(end + this.#cycles(this.#metres * CABLE_NANOSECONDS_A_METRE), 'arrive', {
        to: 1 - from,
        frame: delivered,
        intact,
      })
    }
    return end
  }

  #cycles(nanoseconds: number): number {
    return Math.ceil((nanoseconds * this.#clock.frequency) / 1e9)
  }

  due(_kind: string, payload: Plain): void {
    const { to, frame, intact } = payload as { to: End; frame: Uint8Array; intact: boolean }
    if (this.#plugged) this.#ports[to]?.receive(frame, intact)
  }

  save(): Plain {
    return {
      faults: this.faults.map(fault => ({ ...fault })),
      sent: [...this.#sent],
      freeAt: [...this.#freeAt],
      plugged: this.#plugged,
    }
  }

  restore(state: Plain): void {
    const saved = state as {
      faults: readonly CableFault[]
      sent: readonly number[]
      freeAt: readonly number[]
      plugged: boolean
    }
    this.faults = [...saved.faults]
    this.#sent = [...saved.sent]
    this.#freeAt = [...saved.freeAt]
    this.#plugged = saved.plugged
  }
}

function spoilt(frame: Uint8Array): Uint8Array {
  const copy = frame.slice()
  copy[copy.length >>> 1] ^= 0x10
  return copy
}
