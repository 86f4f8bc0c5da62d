/** Interrupts of the IOMMU by message: its table of addresses and data (IOMMU msi_cfg_tbl), and messages that wait for a mask. */
import type { Dma, Plain, Saved } from '../../bus/chip.ts'
import { restoreWords, savedWords } from '../../bus/saved-words.ts'
import { iommu as table } from '../../spec/devices/iommu.ts'

const { msi_addr, msi_data, msi_vec_ctl } = table
const ENTRY = msi_addr.stride
const DATA = msi_data.at - msi_addr.at
const CONTROL = msi_vec_ctl.at - msi_addr.at
const TWO_32 = 2 ** 32
/** Addresses have 56 bits. */
const ADDRESS_HIGH = 0xff_ffff

export class Messages implements Saved {
  readonly #dma: Dma
  /** Told of an address that met no memory. */
  readonly #lost: (address: number) => void
  readonly #words = new Uint32Array((msi_addr.count * ENTRY) / 4)
  #waiting = 0

  constructor(dma: Dma, lost: (address: number) => void) {
    this.#dma = dma
    this.#lost = lost
  }

  /** True if a register's offset is in the table. */
  has(offset: number): boolean {
    return offset >= msi_addr.at && offset < msi_addr.at + msi_addr.count * ENTRY
  }

  read(offset: number): number {
    return this.#words[(offset - msi_addr.at) >>> 2]
  }

  write(offset: number, value: number): void {
    const inside = offset - msi_addr.at
    const part = inside % ENTRY
    this.#words[inside >>> 2] =
      part === 0 ? value & ~3 : part === CONTROL ? value & 1 : part === DATA ? value : value & ADDRESS_HIGH
    const vector = Math.floor(inside / ENTRY)
    if (part !== CONTROL || (value & 1) !== 0 || ((this.#waiting >>> vector) & 1) === 0) return
    this.#waiting &= ~(1 << vector)
    this.signal(vector)
  }

  /** A vector's message, at once or when it is unmasked. */
  signal(vector: number): void {
    const word = (part: number) => this.#words[(vector * ENTRY + part) >>> 2]
    if ((word(CONTROL) & 1) !== 0) {
      this.#waiting |= 1 << vector
      return
    }
    const address = word(4) * TWO_32 + word(0)
    const message = new Uint8Array(4)
    new DataView(message.buffer).setUint32(0, word(DATA), true)
    if (!this.#dma.write(address, message)) this.#lost(address)
  }

  save(): Plain {
    return { words: savedWords(this.#words), waiting: this.#waiting }
  }

  restore(state: Plain): void {
    const saved = state as { words: Uint8Array; waiting: number }
    restoreWords(this.#words, saved.words)
    this.#waiting = saved.waiting
  }
}
