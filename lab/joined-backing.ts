/** Two disks' media as one: a part that is saved with the machine is saved, the other is where it is. */
import type { Plain, Saved } from '../hw/bus/chip.ts'
import { type Backing, SECTOR_BYTES } from '../hw/devices/disk-backing.ts'

/** Sectors that go on behind others. */
export class JoinedBacking implements Backing, Saved {
  readonly sectors: number
  readonly #front: Backing
  readonly #behind: Backing

  constructor(front: Backing, behind: Backing) {
    this.#front = front
    this.#behind = behind
    this.sectors = front.sectors + behind.sectors
  }

  read(sector: number, into: Uint8Array): void {
    this.#split(sector, into.length / SECTOR_BYTES, (part, first, from, count) =>
      part.read(first, into.subarray(from * SECTOR_BYTES, (from + count) * SECTOR_BYTES)),
    )
  }

  write(sector: number, from: Uint8Array): void {
    this.#split(sector, from.length / SECTOR_BYTES, (part, first, at, count) =>
      part.write(first, from.subarray(at * SECTOR_BYTES, (at + count) * SECTOR_BYTES)),
    )
  }

  zero(sector: number, count: number): void {
    this.#split(sector, count, (part, first, _from, sectors) => part.zero(first, sectors))
  }

  flush(): void {
    this.#front.flush()
    this.#behind.flush()
  }

  save(): Plain {
    return {
      front: isSaved(this.#front) ? this.#front.save() : null,
      behind: isSaved(this.#behind) ? this.#behind.save() : null,
    }
  }

  restore(state: Plain): void {
    const { front, behind } = state as { readonly front: Plain; readonly behind: Plain }
    if (isSaved(this.#front)) this.#front.restore(front)
    if (isSaved(this.#behind)) this.#behind.restore(behind)
  }

  #split(
    sector: number,
    count: number,
    visit: (part: Backing, first: number, from: number, count: number) => void,
  ): void {
    const border = this.#front.sectors
    const front = Math.max(0, Math.min(count, border - sector))
    if (front > 0) visit(this.#front, sector, 0, front)
    if (count > front) visit(this.#behind, sector + front - border, front, count - front)
  }
}

function isSaved(backing: Backing): backing is Backing & Saved {
  return 'save' in backing && 'restore' in backing
}
