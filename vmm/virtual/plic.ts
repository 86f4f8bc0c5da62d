/**
 * The PLIC that a guest sees: one context a vCPU (its S-mode), up to 31 sources; see hw/spec/devices/plic.ts. A source
 * stays pending while its wire is up and it has not been claimed. Its registers answer to accesses of 32 bits only.
 */
import type { HartPort } from '../../hw/port.ts'
import { PLIC_PRIORITY_MAX, plic } from '../../hw/spec/devices/plic.ts'
import type { VirtualChip, VirtualLine } from './chip.ts'

/** Source 0 is none. */
export const PLIC_SOURCES = 32
const SOURCES = PLIC_SOURCES

export class VirtualPlic implements VirtualChip {
  /** Registered with the VMM's state; one bit a source in the words. */
  readonly priorities = new Int32Array(SOURCES)
  /** By context: enabled sources, threshold, and whether its interrupt is up. */
  readonly enabled: Int32Array
  readonly thresholds: Int32Array
  readonly levels: Int32Array
  readonly record = { wires: 0, pending: 0, claimed: 0 }
  readonly #outputs: readonly VirtualLine[]

  /** `outputs`: the external interrupt of each vCPU. */
  constructor(outputs: readonly VirtualLine[]) {
    this.#outputs = outputs
    this.enabled = new Int32Array(outputs.length)
    this.thresholds = new Int32Array(outputs.length)
    this.levels = new Int32Array(outputs.length)
  }

  /** The wire of a source, 1 to 31. */
  line(source: number): VirtualLine {
    return { set: (port, level) => this.#setWire(port, source, level) }
  }

  read(port: HartPort, offset: number, bytes: 1 | 2 | 4): number {
    if (bytes !== 4) return 0
    if (offset < plic.pending.at) return offset % 4 === 0 && offset / 4 < SOURCES ? this.priorities[offset / 4] : 0
    if (offset === plic.pending.at) return this.record.pending >>> 0
    const context = this.#contextOf(offset)
    if (context < 0) return 0
    if (offset < plic.threshold.at)
      return offset === plic.enable.at + context * plic.enable.stride ? this.enabled[context] >>> 0 : 0
    if (offset === plic.threshold.at + context * plic.threshold.stride) return this.thresholds[context]
    if (offset === plic.claim.at + context * plic.claim.stride) return this.#claim(port, context)
    return 0
  }

  write(port: HartPort, offset: number, bytes: 1 | 2 | 4, value: number): void {
    if (bytes !== 4) return
    if (offset < plic.pending.at) {
      if (offset % 4 === 0 && offset > 0 && offset / 4 < SOURCES)
        this.priorities[offset / 4] = value & PLIC_PRIORITY_MAX
    } else if (offset >= plic.enable.at) {
      const context = this.#contextOf(offset)
      if (context < 0) return
      if (offset === plic.enable.at + context * plic.enable.stride) this.enabled[context] = value & ~1
      else if (offset === plic.threshold.at + context * plic.threshold.stride)
        this.thresholds[context] = value & PLIC_PRIORITY_MAX
      else if (offset === plic.claim.at + context * plic.claim.stride) this.#complete(context, value)
    }
    this.#update(port)
  }

  #contextOf(offset: number): number {
    const context =
      offset < plic.threshold.at
        ? Math.floor((offset - plic.enable.at) / plic.enable.stride)
        : Math.floor((offset - plic.threshold.at) / plic.threshold.stride)
    return context < this.#outputs.length ? context : -1
  }

  #setWire(port: HartPort, source: number, level: boolean): void {
    const { record } = this
    const bit = 1 << source
    if (level) {
      record.wires |= bit
      if ((record.claimed & bit) === 0) record.pending |= bit
    } else {
      record.wires &= ~bit
      record.pending &= ~bit
    }
    this.#update(port)
  }

  /** The best pending source that the context may see: highest priority, then lowest number. */
  #best(context: number, above: number): number {
    const candidates = this.record.pending & this.enabled[context]
    let best = 0
    let priority = above
    for (let source = 1; candidates !== 0 && source < SOURCES; source++) {
      if (((candidates >>> source) & 1) === 1 && this.priorities[source] > priority) {
        best = source
        priority = this.priorities[source]!
      }
    }
    return best
  }

  #claim(port: HartPort, context: number): number {
    // A claim is not held back by the threshold (PLIC 8).
    const source = this.#best(context, 0)
    if (source !== 0) {
      this.record.pending &= ~(1 << source)
      this.record.claimed |= 1 << source
      this.#update(port)
    }
    return source
  }

  #complete(context: number, source: number): void {
    if (source === 0 || source >= SOURCES || ((this.enabled[context] >>> source) & 1) === 0) return
    const { record } = this
    const bit = 1 << source
    record.claimed &= ~bit
    if ((record.wires & bit) !== 0) record.pending |= bit
  }

  #update(port: HartPort): void {
    for (let context = 0; context < this.#outputs.length; context++) {
      const level = this.#best(context, this.thresholds[context]) !== 0 ? 1 : 0
      if (level === this.levels[context]) continue
      this.levels[context] = level
      this.#outputs[context].set(port, level === 1)
    }
  }
}
