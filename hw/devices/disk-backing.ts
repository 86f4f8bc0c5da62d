/** What a disk's medium keeps its sectors in. Ranges are the controller's to check; everything is synchronous. */
import type { Plain, Saved } from '../bus/chip.ts'

export const SECTOR_BYTES = 512

export interface Backing {
  /** Capacity in sectors of {@link SECTOR_BYTES}. */
  readonly sectors: number
  /** Fills `into`, whole sectors, from `sector` on. */
  read(sector: number, into: Uint8Array): void
  write(sector: number, from: Uint8Array): void
  /** Makes sectors read as zero, giving up their storage where it can. */
  zero(sector: number, count: number): void
  /** Returns once all that was written would survive the host. */
  flush(): void
}

const CHUNK_SECTORS = 128

/** Sectors in memory, sparse: what was never written reads as the image it was made with, and zero beyond it. */
export class MemoryBacking implements Backing, Saved {
  readonly sectors: number
  readonly #image: Uint8Array
  #chunks = new Map<number, Uint8Array>()

  constructor(sectors: number, image = new Uint8Array(0)) {
    this.sectors = Math.max(sectors, Math.ceil(image.length / SECTOR_BYTES))
    this.#image = image
  }

  read(sector: number, into: Uint8Array): void {
    this.#each(sector, into.length / SECTOR_BYTES, (chunk, offset, done, bytes) => {
      const held = this.#chunks.get(chunk)
      const target = into.subarray(done, done + bytes)
      if (held) target.set(held.subarray(offset, offset + bytes))
      else this.#fromImage(chunk * CHUNK_SECTORS * SECTOR_BYTES + offset, target)
    })
  }

  write(sector: number, from: Uint8Array): void {
    this.#each(sector, from.length / SECTOR_BYTES, (chunk, offset, done, bytes) => {
      this.#own(chunk).set(from.subarray(done, done + bytes), offset)
    })
  }

  zero(sector: number, count: number): void {
    this.#each(sector, count, (chunk, offset, _done, bytes) => {
      const untouched = !this.#chunks.has(chunk) && chunk * CHUNK_SECTORS * SECTOR_BYTES >= this.#image.length
      if (!untouched) this.#own(chunk).fill(0, offset, offset + bytes)
    })
  }

  flush(): void {}

  #own(chunk: number): Uint8Array {
    let held = this.#chunks.get(chunk)
    if (!held) {
      held = new Uint8Array(CHUNK_SECTORS * SECTOR_BYTES)
      this.#fromImage(chunk * held.length, held)
      this.#chunks.set(chunk, held)
    }
    return held
  }

  #fromImage(at: number, target: Uint8Array): void {
    target.fill(0)
    target.set(this.#image.subarray(at, at + target.length))
  }

  #each(
    sector: number,
    count: number,
    visit: (chunk: number, offset: number, done: number, bytes: number) => void,
  ): void {
    let done = 0
    while (count > 0) {
      const chunk = Math.floor(sector / CHUNK_SECTORS)
      const within = sector % CHUNK_SECTORS
      const now = Math.min(count, CHUNK_SECTORS - within)
      visit(chunk, within * SECTOR_BYTES, done, now * SECTOR_BYTES)
      sector += now
      count -= now
      done += now * SECTOR_BYTES
    }
  }

  /** The chunks that differ from the image. */
  save(): Plain {
    return [...this.#chunks].sort(([a], [b]) => a - b).map(([chunk, bytes]) => ({ chunk, bytes: bytes.slice() }))
  }

  restore(state: Plain): void {
    const saved = state as readonly { chunk: number; bytes: Uint8Array }[]
    this.#chunks = new Map(saved.map(({ chunk, bytes }) => [chunk, bytes.slice()]))
  }
}

/** Synchronous access to an open file, in bytes. */
export interface FileAccess {
  read(offset: number, into: Uint8Array): void
  write(offset: number, from: Uint8Array): void
  flush(): void
}

/** Sectors in a file that somebody else has opened. */
export class FileBacking implements Backing {
  readonly sectors: number
  readonly #file: FileAccess

  constructor(sectors: number, file: FileAccess) {
    this.sectors = sectors
    this.#file = file
  }

  read(sector: number, into: Uint8Array): void {
    this.#file.read(sector * SECTOR_BYTES, into)
  }

  write(sector: number, from: Uint8Array): void {
    this.#file.write(sector * SECTOR_BYTES, from)
  }

  zero(sector: number, count: number): void {
    const zeros = new Uint8Array(Math.min(count, CHUNK_SECTORS) * SECTOR_BYTES)
    for (let done = 0; done < count; done += CHUNK_SECTORS) {
      this.write(sector + done, zeros.subarray(0, Math.min(count - done, CHUNK_SECTORS) * SECTOR_BYTES))
    }
  }

  flush(): void {
    this.#file.flush()
  }
}
