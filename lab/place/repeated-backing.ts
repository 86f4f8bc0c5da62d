/** A disk for many guests: each finds the same content in its part, which is kept once; what is written is kept beside it. */
import type { Plain, Saved } from '../../hw/bus/chip.ts'
import { type Backing, SECTOR_BYTES } from '../../hw/devices/disk-backing.ts'

export class RepeatedBacking implements Backing, Saved {
  readonly sectors: number
  readonly #image: Uint8Array
  #written = new Map<number, Uint8Array>()

  /** `image`: whole sectors, of each part. */
  constructor(image: Uint8Array, parts: number) {
    this.#image = image
    this.sectors = (image.length / SECTOR_BYTES) * parts
  }

  read(sector: number, into: Uint8Array): void {
    for (let at = 0; at < into.length; at += SECTOR_BYTES) {
      const number = sector + at / SECTOR_BYTES
      const from = (number * SECTOR_BYTES) % this.#image.length
      into.set(this.#written.get(number) ?? this.#image.subarray(from, from + SECTOR_BYTES), at)
    }
  }

  write(sector: number, from: Uint8Array): void {
    for (let at = 0; at < from.length; at += SECTOR_BYTES)
      this.#written.set(sector + at / SECTOR_BYTES, from.slice(at, at + SECTOR_BYTES))
  }

  zero(sector: number, count: number): void {
    for (let each = 0; each < count; each++) this.#written.set(sector + each, new Uint8Array(SECTOR_BYTES))
  }

  flush(): void {}

  save(): Plain {
    return [...this.#written].map(([sector, bytes]) => ({ sector, bytes: bytes.slice() }))
  }

  restore(state: Plain): void {
    const saved = state as readonly { readonly sector: number; readonly bytes: Uint8Array }[]
    this.#written = new Map(saved.map(({ sector, bytes }) => [sector, bytes.slice()]))
  }
}
