/** Physical memory protection: the 16 entries as the hart's CSRs hold them, and the check. */
import { PMP_ENTRIES } from '../spec/csrs/machine.ts'
import { PMPADDR0, PMPCFG0, PMPCFG2 } from '../hart/slots.ts'
import { PAGE_BYTES } from '../spec/address.ts'
import { FETCH, LOAD, type AccessKind } from './access.ts'

const R = 1
const W = 2
const X = 4
const LOCKED = 0x80
const OFF = 0
const TOR = 1
const NA4 = 2
const BEYOND = 2 ** 60

export class Pmp {
  readonly #words: Int32Array
  /** Bounds and configuration of each entry, as last read from the CSRs. */
  readonly #from = new Float64Array(PMP_ENTRIES)
  readonly #to = new Float64Array(PMP_ENTRIES)
  readonly #configuration = new Uint8Array(PMP_ENTRIES)
  #any = false
  /** The range around the last address checked in which every entry's answer is the same: [low, high), by machine or not. */
  readonly #low = new Float64Array(2)
  readonly #high = new Float64Array(2)
  readonly #granted = new Uint8Array(2)
  /** The whole pages in it. */
  readonly #lowPage = new Float64Array(2)
  readonly #highPage = new Float64Array(2)

  constructor(words: Int32Array) {
    this.#words = words
  }

  /** Must follow every change of the PMP's CSRs, and of the hart in the window. */
  reload(): void {
    const words = this.#words
    let previous = 0
    this.#any = false
    for (let n = 0; n < PMP_ENTRIES; n++) {
      const configuration = (words[(n < 8 ? PMPCFG0 : PMPCFG2) + ((n >> 2) & 1)] >>> ((n & 3) * 8)) & 0xff
      const low = words[PMPADDR0 + n * 2] >>> 0
      const high = words[PMPADDR0 + n * 2 + 1] & 0x3f_ffff
      const address = (high * 2 ** 32 + low) * 4
      const mode = (configuration >> 3) & 3
      this.#configuration[n] = configuration
      if (mode === OFF) {
        this.#from[n] = this.#to[n] = 0
      } else if (mode === TOR) {
        this.#from[n] = previous
        this.#to[n] = address
      } else if (mode === NA4) {
        this.#from[n] = address
        this.#to[n] = address + 4
      } else {
        const ones = low === 0xffff_ffff ? 32 + trailingOnes(high) : trailingOnes(low)
        const bytes = 2 ** (ones + 3)
        this.#from[n] = Math.floor(address / bytes) * bytes
        this.#to[n] = this.#from[n] + bytes
      }
      if (mode !== OFF) this.#any = true
      previous = address
    }
    this.#high.fill(0)
    this.#highPage.fill(0)
  }

  /** Whether [address, address + bytes) may be accessed so. Entries that match only part of it deny it. */
  allows(address: number, bytes: number, access: AccessKind, machine: boolean): boolean {
    const who = machine ? 1 : 0
    if (address < this.#low[who] || address + bytes > this.#high[who]) {
      this.#look(address, who)
      // The range around `address` ends within the access: another entry begins there.
      if (address + bytes > this.#high[who]) return false
    }
    return (this.#granted[who] & (access === FETCH ? X : access === LOAD ? R : W)) !== 0
  }

  /** Whether all of a page lies in the range that was last looked at, and may be accessed so: then `allows` need not be asked. */
  allowsPage(page: number, access: AccessKind, machine: boolean): boolean {
    const who = machine ? 1 : 0
    return (
      page >= this.#lowPage[who] &&
      page < this.#highPage[who] &&
      (this.#granted[who] & (access === FETCH ? X : access === LOAD ? R : W)) !== 0
    )
  }

  /** True if an entry is locked (its own address register, and the one below a TOR entry, then ignore writes). */
  isLocked(n: number): boolean {
    return n < PMP_ENTRIES && (this.#configuration[n] & LOCKED) !== 0
  }

  isTopOfRange(n: number): boolean {
    return n < PMP_ENTRIES && ((this.#configuration[n] >> 3) & 3) === TOR
  }

  #look(address: number, who: number): void {
    let low = 0
    let high = BEYOND
    // Without any active entry, all is granted; with one, what matches none is denied to S and U (pmp_no_entry_match).
    let granted = who === 1 || !this.#any ? R | W | X : 0
    for (let n = 0; n < PMP_ENTRIES; n++) {
      const from = this.#from[n]
      const to = this.#to[n]
      if (from >= to) continue
      if (address < from) {
        if (from < high) high = from
      } else if (address >= to) {
        if (to > low) low = to
      } else {
        // The lowest-numbered entry that matches decides (pmp_entry_priority), within what higher-priority ones left.
        if (from > low) low = from
        if (to < high) high = to
        const configuration = this.#configuration[n]
        granted = who === 1 && (configuration & LOCKED) === 0 ? R | W | X : configuration & (R | W | X)
        break
      }
    }
    this.#low[who] = low
    this.#high[who] = high
    this.#lowPage[who] = Math.ceil(low / PAGE_BYTES)
    this.#highPage[who] = Math.floor(high / PAGE_BYTES)
    this.#granted[who] = granted
  }
}

function trailingOnes(word: number): number {
  return word === -1 ? 32 : 31 - Math.clz32(~word & (word + 1))
}
