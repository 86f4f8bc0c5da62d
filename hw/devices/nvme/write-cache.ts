/**
 * A drive's volatile write cache: writes that have been completed and are not on the medium yet, in their order. A
 * power cut loses them; they reach the backing only from the front.
 */
import type { Plain, Saved } from '../../bus/chip.ts'
import { SECTOR_BYTES } from '../disk-backing.ts'
import type { Backing } from '../disk-backing.ts'

type Dirty = { readonly sequence: number; readonly sector: number; readonly bytes: Uint8Array }

export class WriteCache implements Saved {
  readonly #backing: Backing
  #writes: Dirty[] = []
  /** The newest write of each dirty sector. */
  #newest = new Map<number, Dirty>()
  #held = 0
  #sequence = 0

  constructor(backing: Backing) {
    this.#backing = backing
  }

  /** Bytes that would be lost. */
  get held(): number {
    return this.#held
  }

  /** Takes a write, whose array is kept; returns its place in the order. */
  write(sector: number, bytes: Uint8Array): number {
    this.#sequence++
    this.#take({ sequence: this.#sequence, sector, bytes })
    return this.#sequence
  }

  #take(write: Dirty): void {
    this.#writes.push(write)
    this.#held += write.bytes.length
    for (let i = 0; i < write.bytes.length / SECTOR_BYTES; i++) this.#newest.set(write.sector + i, write)
  }

  /** True if a read of these sectors would not touch the medium. */
  covers(sector: number, count: number): boolean {
    if (this.#newest.size < count) return false
    for (let i = 0; i < count; i++) if (!this.#newest.has(sector + i)) return false
    return true
  }

  /** Reads what a host would see: the medium, under what is still cached. */
  read(sector: number, into: Uint8Array): void {
    this.#backing.read(sector, into)
    if (this.#writes.length === 0) return
    for (let i = 0; i < into.length / SECTOR_BYTES; i++) {
      const write = this.#newest.get(sector + i)
      if (!write) continue
      const from = (sector + i - write.sector) * SECTOR_BYTES
      into.set(write.bytes.subarray(from, from + SECTOR_BYTES), i * SECTOR_BYTES)
    }
  }

  /** Moves writes up to this place in the order to the backing. */
  evictThrough(sequence: number): void {
    let count = 0
    for (const write of this.#writes) {
      if (write.sequence > sequence) break
      this.#evict(write)
      count++
    }
    this.#writes.splice(0, count)
  }

  #evict(write: Dirty): void {
    this.#backing.write(write.sector, write.bytes)
    this.#held -= write.bytes.length
    for (let i = 0; i < write.bytes.length / SECTOR_BYTES; i++) {
      if (this.#newest.get(write.sector + i) === write) this.#newest.delete(write.sector + i)
    }
  }

  /** Moves everything to the backing, in order, and makes it durable. */
  flush(): void {
    this.evictThrough(this.#sequence)
    this.#backing.flush()
  }

  /** Loses everything: the power went. */
  lose(): void {
    this.#writes = []
    this.#newest.clear()
    this.#held = 0
  }

  save(): Plain {
    return { sequence: this.#sequence, writes: this.#writes.map(write => ({ ...write, bytes: write.bytes.slice() })) }
  }

  restore(state: Plain): void {
    const saved = state as { sequence: number; writes: readonly Dirty[] }
    this.lose()
    for (const write of saved.writes) this.#take({ ...write, bytes: write.bytes.slice() })
    this.#sequence = saved.sequence
  }
}
