/** A hart's incoming MSI controller: interrupt files for M-mode, S-mode and guests, each a page and a wire. */
import type { Chip, Line, Plain, Saved } from '../bus/chip.ts'
import { restoreWords, savedWords } from '../bus/saved-words.ts'
import { type InterruptFiles, MACHINE_FILE } from '../hart/interrupt-files.ts'
import { EIDELIVERY, EIE0, EIP0, EITHRESHOLD, imsic as table } from '../spec/devices/imsic.ts'

/** Identities 1 to 255. */
export const IMSIC_IDENTITIES = 255
const WORDS = (IMSIC_IDENTITIES + 1) / 32

class InterruptFile {
  readonly page: Chip
  readonly #pending = new Uint32Array(WORDS)
  readonly #enabled = new Uint32Array(WORDS)
  #delivers = 0
  #threshold = 0
  #signalled = false
  readonly #line: Line

  constructor(line: Line) {
    this.#line = line
    this.page = {
      read: () => 0,
      write: (offset, bytes, value) => {
        // Little-endian harts only: seteipnum_be is ignored (AIA 3.5).
        if (offset !== table.seteipnum_le.at || bytes !== 4 || value < 1 || value > IMSIC_IDENTITIES) return
        this.#pending[value >> 5] |= 1 << (value & 31)
        this.#signal()
      },
    }
  }

  read(register: number): bigint {
    if (register === EIDELIVERY) return BigInt(this.#delivers)
    if (register === EITHRESHOLD) return BigInt(this.#threshold)
    if (register < EIP0) return 0n
    const [array, at] = this.#words(register)
    return at < WORDS ? (BigInt(array[at + 1]) << 32n) | BigInt(array[at]) : 0n
  }

  write(register: number, value: bigint): void {
    if (register === EIDELIVERY) this.#delivers = Number(value & 1n)
    else if (register === EITHRESHOLD) this.#threshold = Number(value & BigInt(IMSIC_IDENTITIES))
    else if (register >= EIP0) {
      const [array, at] = this.#words(register)
      if (at >= WORDS) return
      array[at] = Number(value & 0xffff_ffffn) & (at === 0 ? ~1 : -1)
      array[at + 1] = Number((value >> 32n) & 0xffff_ffffn)
    }
    this.#signal()
  }

  top(): number {
    for (let word = 0; word < WORDS; word++) {
      const ready = this.#pending[word] & this.#enabled[word]
      if (ready === 0) continue
      const identity = word * 32 + (31 - Math.clz32(ready & -ready))
      return this.#threshold === 0 || identity < this.#threshold ? identity : 0
    }
    return 0
  }

  claim(): void {
    const identity = this.top()
    if (identity === 0) return
    this.#pending[identity >> 5] &= ~(1 << (identity & 31))
    this.#signal()
  }

  save(): Plain {
    return {
      pending: savedWords(this.#pending),
      enabled: savedWords(this.#enabled),
      delivers: this.#delivers,
      threshold: this.#threshold,
      signalled: this.#signalled,
    }
  }

  restore(state: Plain): void {
    const saved = state as unknown as {
      pending: Uint8Array
      enabled: Uint8Array
      delivers: number
      threshold: number
      signalled: boolean
    }
    restoreWords(this.#pending, saved.pending)
    restoreWords(this.#enabled, saved.enabled)
    this.#delivers = saved.delivers
    this.#threshold = saved.threshold
    this.#signalled = saved.signalled
  }

  #words(register: number): [Uint32Array, number] {
    return register >= EIE0 ? [this.#enabled, register - EIE0] : [this.#pending, register - EIP0]
  }

  #signal(): void {
    const signalled = this.#delivers !== 0 && this.top() !== 0
    if (signalled === this.#signalled) return
    this.#signalled = signalled
    this.#line.set(signalled)
  }
}

export class Imsic implements InterruptFiles, Saved {
  readonly guests: number
  readonly #machine: InterruptFile
  /** The supervisor's, then the guests'. */
  readonly #others: readonly InterruptFile[]

  /** `lines`: mip.MEIP, mip.SEIP, and hgeip's bits. */
  constructor(lines: { readonly machine: Line; readonly supervisor: Line; readonly guests: readonly Line[] }) {
    this.guests = lines.guests.length
    this.#machine = new InterruptFile(lines.machine)
    this.#others = [lines.supervisor, ...lines.guests].map(line => new InterruptFile(line))
  }

  /** The page of a file. */
  page(file: number): Chip {
    return this.#file(file).page
  }

  read(file: number, register: number): bigint {
    return this.#file(file).read(register)
  }

  write(file: number, register: number, value: bigint): void {
    this.#file(file).write(register, value)
  }

  top(file: number): number {
    return this.#file(file).top()
  }

  claim(file: number): void {
    this.#file(file).claim()
  }

  save(): Plain {
    return [this.#machine, ...this.#others].map(file => file.save())
  }

  restore(state: Plain): void {
    const files = [this.#machine, ...this.#others]
    ;(state as readonly Plain[]).forEach((saved, index) => files[index].restore(saved))
  }

  #file(file: number): InterruptFile {
    return file === MACHINE_FILE ? this.#machine : this.#others[file]
  }
}
