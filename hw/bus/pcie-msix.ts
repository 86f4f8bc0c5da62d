/** MSI-X of one function: table and pending bits, as they stand in its BAR. A message is a 4-byte write to memory. */
import type { Chip, Dma, Plain, Saved } from './chip.ts'
import { restoreWords, savedWords } from './saved-words.ts'
import { MSIX_ENTRY_BYTES, msixEntry } from '../spec/devices/pcie.ts'

const WORDS = MSIX_ENTRY_BYTES / 4
const CONTROL = msixEntry.VECTOR_CONTROL.at / 4
const MASK = 1 << msixEntry.VECTOR_CONTROL.fields.MASK.low

export class Msix implements Saved {
  readonly vectors: number
  /** The table's window. */
  readonly table: Chip
  /** The pending bit array's window. */
  readonly pendingBits: Chip
  #entries: Uint32Array
  #pending: Uint32Array
  #enabled = false
  #masked = false
  readonly #dma: Dma
  readonly #loses: () => boolean

  /** `loses` is asked of each message whether it is lost on its way. */
  constructor(vectors: number, dma: Dma, loses: () => boolean) {
    this.vectors = vectors
    this.#dma = dma
    this.#loses = loses
    this.#entries = new Uint32Array(vectors * WORDS)
    this.#pending = new Uint32Array(Math.ceil(vectors / 64) * 2)
    this.table = {
      read: offset => this.#entries[offset >>> 2] ?? 0,
      write: (offset, bytes, value) => this.#writeTable(offset >>> 2, bytes, value),
    }
    this.pendingBits = { read: offset => this.#pending[offset >>> 2] ?? 0, write: () => {} }
    this.reset()
  }

  get enabled(): boolean {
    return this.#enabled
  }

  /** All vectors masked, none pending, the capability off. */
  reset(): void {
    this.#entries.fill(0)
    for (let vector = 0; vector < this.vectors; vector++) this.#entries[vector * WORDS + CONTROL] = MASK
    this.#pending.fill(0)
    this.#enabled = false
    this.#masked = false
  }

  /** Follows Message Control. */
  control(enabled: boolean, masked: boolean): void {
    this.#enabled = enabled
    this.#masked = masked
    for (let vector = 0; vector < this.vectors; vector++) this.#deliver(vector)
  }

  /** Sends the vector's message, or keeps it pending while masked. Does nothing while MSI-X is off. */
  raise(vector: number): void {
    if (!this.#enabled || vector >= this.vectors) return
    this.#pending[vector >>> 5] |= 1 << (vector & 31)
    this.#deliver(vector)
  }

  #deliver(vector: number): void {
    const bit = 1 << (vector & 31)
    const entry = vector * WORDS
    if (!(this.#pending[vector >>> 5] & bit) || !this.#enabled || this.#masked) return
    if (this.#entries[entry + CONTROL] & MASK) return
    this.#pending[vector >>> 5] &= ~bit
    if (this.#loses()) return
    const message = new Uint8Array(4)
    new DataView(message.buffer).setUint32(0, this.#entries[entry + 2], true)
    this.#dma.write(this.#entries[entry + 1] * 2 ** 32 + this.#entries[entry], message)
  }

  #writeTable(word: number, bytes: number, value: number): void {
    // narrower accesses are undefined for this table
    if (bytes !== 4 || word >= this.#entries.length) return
    const at = word % WORDS
    this.#entries[word] = at === 0 ? value & ~3 : at === CONTROL ? value & MASK : value
    if (at === CONTROL) this.#deliver((word - CONTROL) / WORDS)
  }

  save(): Plain {
    return {
      entries: savedWords(this.#entries),
      pending: savedWords(this.#pending),
      enabled: this.#enabled,
      masked: this.#masked,
    }
  }

  restore(state: Plain): void {
    const saved = state as { entries: Uint8Array; pending: Uint8Array; enabled: boolean; masked: boolean }
    restoreWords(this.#entries, saved.entries)
    restoreWords(this.#pending, saved.pending)
    this.#enabled = saved.enabled
    this.#masked = saved.masked
  }
}
