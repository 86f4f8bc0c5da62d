/**
 * The advanced PLIC: an interrupt domain for M-mode, and below it one for S-mode, to which M-mode delegates sources.
 * A domain delivers by wires (IDC structures), or by messages to the harts' IMSICs. Where messages go is hard-wired.
 */
import type { Chip, Line, Plain, Saved } from '../bus/chip.ts'
import { restoreWords, savedWords } from '../bus/saved-words.ts'
import { aplic as table, idc, IDC_AT, IDC_BYTES, SOURCE_MODE } from '../spec/devices/aplic.ts'
import { fieldOf } from '../spec/registers.ts'

/** How a domain reaches one hart: its external interrupt by wire, or a message to one of its files (0: the domain's own level). */
export interface AplicTarget {
  readonly line: Line
  /** Undefined where harts have no IMSIC. */
  message?(guest: number, identity: number): void
}

const { domaincfg, sourcecfg, target, genmsi } = table
const ONE = 0x8000_0000
const IE = 1 << domaincfg.fields.IE.low
const DM = 1 << domaincfg.fields.DM.low
const DELEGATED = 1 << sourcecfg.fields.D.low
const HART_SHIFT = target.fields.HartIndex.low
const WORDS = 32
const BLOCK = WORDS * 4
const NUMBERS: readonly number[] = [
  table.setipnum.at,
  table.clripnum.at,
  table.setienum.at,
  table.clrienum.at,
  table.setipnum_le.at,
]

export class AplicDomain implements Chip, Saved {
  readonly #targets: readonly AplicTarget[]
  readonly #sources: number
  readonly #child: AplicDomain | undefined
  readonly #isMachine: boolean
  /** Levels of the wires, the same for both domains; and which of them belong to this one. */
  readonly #wires: Uint8Array
  readonly #owned: Uint8Array
  #configuration = 0
  readonly #modes: Uint32Array
  readonly #destinations: Uint32Array
  readonly #pending = new Uint32Array(WORDS)
  readonly #enabled = new Uint32Array(WORDS)
  /** By hart: idelivery, iforce, ithreshold. */
  readonly #delivery: Uint32Array

  /** The root domain has a child, and owns all sources, 1 to `sources`. */
  constructor(targets: readonly AplicTarget[], sources: number, child?: AplicDomain) {
    this.#targets = targets
    this.#sources = sources
    this.#child = child
    this.#isMachine = child !== undefined
    this.#wires = child ? child.#wires : new Uint8Array(sources + 1)
    this.#owned = new Uint8Array(sources + 1).fill(child ? 1 : 0)
    this.#modes = new Uint32Array(sources + 1)
    this.#destinations = new Uint32Array(sources + 1)
    this.#delivery = new Uint32Array(targets.length * 3)
  }

  /** The wire of a source, at the root. */
  line(source: number): Line {
    if (source < 1 || source > this.#sources)
      throw new RangeError(`the APLIC has no source ${source}, only 1 to ${this.#sources}`)
    return {
      set: level => {
        const before = this.#wires[source]
        this.#wires[source] = level ? 1 : 0
        if (before !== this.#wires[source]) this.#moved(source)
      },
    }
  }

  read(offset: number, bytes: 1 | 2 | 4): number {
    if (bytes !== 4) return 0
    if (offset === domaincfg.at) return (this.#configuration | ONE) >>> 0
    if (offset < table.mmsiaddrcfg.at) return this.#modes[offset >> 2] ?? 0
    if (offset === table.mmsiaddrcfgh.at) return this.#isMachine && this.#targets[0].message ? ONE : 0
    const word = (offset & (BLOCK - 1)) >> 2
    switch (offset & ~(BLOCK - 1)) {
      case table.setip.at:
        return this.#pending[word]
      case table.in_clrip.at:
        return this.#inputs(word)
      case table.setie.at:
        return this.#enabled[word]
    }
    if (offset >= IDC_AT) return this.#readDelivery(Math.floor((offset - IDC_AT) / IDC_BYTES), offset % IDC_BYTES)
    if (offset >= target.at) return this.#destinations[(offset - genmsi.at) >> 2] ?? 0
    return 0
  }

  write(offset: number, bytes: 1 | 2 | 4, value: number): void {
    if (bytes !== 4) return
    if (NUMBERS.includes(offset)) return this.#byNumber(offset, value)
    const first = ((offset & (BLOCK - 1)) >> 2) * 32
    if (offset === domaincfg.at) this.#configure(value)
    else if (offset < table.mmsiaddrcfg.at) this.#setMode(offset >> 2, value)
    else if (offset >= IDC_AT) this.#writeDelivery(Math.floor((offset - IDC_AT) / IDC_BYTES), offset % IDC_BYTES, value)
    else if (offset >= target.at) this.#aim((offset - genmsi.at) >> 2, value)
    else if (offset === genmsi.at) this.#sendExtempore(value)
    else {
      const block = offset & ~(BLOCK - 1)
      for (let bit = 0; bit < 32; bit++) if ((value >>> bit) & 1) this.#change(block, first + bit)
    }
    this.#deliver()
  }

  save(): Plain {
    return {
      wires: this.#wires.slice(),
      owned: this.#owned.slice(),
      configuration: this.#configuration,
      modes: savedWords(this.#modes),
      destinations: savedWords(this.#destinations),
      pending: savedWords(this.#pending),
      enabled: savedWords(this.#enabled),
      delivery: savedWords(this.#delivery),
    }
  }

  restore(state: Plain): void {
    const saved = state as unknown as {
      wires: Uint8Array
      owned: Uint8Array
      configuration: number
      modes: Uint8Array
      destinations: Uint8Array
      pending: Uint8Array
      enabled: Uint8Array
      delivery: Uint8Array
    }
    this.#wires.set(saved.wires)
    this.#owned.set(saved.owned)
    this.#configuration = saved.configuration
    restoreWords(this.#modes, saved.modes)
    restoreWords(this.#destinations, saved.destinations)
    restoreWords(this.#pending, saved.pending)
    restoreWords(this.#enabled, saved.enabled)
    restoreWords(this.#delivery, saved.delivery)
  }

  #configure(value: number): void {
    const mode = this.#targets[0].message ? value & DM : 0
    this.#configuration = (value & IE) | mode
    for (let source = 1; source <= this.#sources; source++) this.#follow(source)
  }

  /** AIA 4.5.2. */
  #setMode(source: number, value: number): void {
    if (source < 1 || source > this.#sources || this.#owned[source] === 0) return
    const delegated = (value & DELEGATED) !== 0
    const mode = fieldOf(sourcecfg.fields.SM, value)
    this.#modes[source] = delegated
      ? this.#child
        ? DELEGATED
        : 0
      : mode === 2 || mode === 3
        ? SOURCE_MODE.INACTIVE
        : mode
    const child = this.#child
    if (child) child.#own(source, delegated)
    if (!this.#isActive(source)) {
      this.#set(this.#pending, source, false)
      this.#set(this.#enabled, source, false)
      this.#destinations[source] = 0
    } else if (this.#input(source)) this.#set(this.#pending, source, true)
    this.#follow(source)
  }

  #own(source: number, owned: boolean): void {
    if ((this.#owned[source] !== 0) === owned) return
    this.#owned[source] = owned ? 1 : 0
    this.#modes[source] = 0
    this.#set(this.#pending, source, false)
    this.#set(this.#enabled, source, false)
    this.#destinations[source] = 0
    this.#deliver()
  }

  #aim(source: number, value: number): void {
    if (source > this.#sources || !this.#isActive(source)) return
    const hart = Math.min(value >>> HART_SHIFT, this.#targets.length - 1)
    const low = this.#byMessage()
      ? value & (this.#isMachine ? 0x7ff : 0x3f7ff)
      : fieldOf(target.fields.IPRIO, value) || 1
    this.#destinations[source] = ((hart << HART_SHIFT) | low) >>> 0
  }

  #sendExtempore(value: number): void {
    if (!this.#byMessage()) return
    this.#targets[value >>> HART_SHIFT]?.message!(0, fieldOf(genmsi.fields.EIID, value))
  }

  #byNumber(offset: number, source: number): void {
    const at = [table.setip.at, table.in_clrip.at, table.setie.at, table.clrie.at, table.setip.at]
    this.#change(at[NUMBERS.indexOf(offset)], source)
    this.#deliver()
  }

  /** Sets or clears one pending or enable bit (AIA 4.7). */
  #change(block: number, source: number): void {
    if (source < 1 || source > this.#sources || !this.#isActive(source)) return
    const level = this.#isLevel(source)
    if (block === table.setie.at) this.#set(this.#enabled, source, true)
    else if (block === table.clrie.at) this.#set(this.#enabled, source, false)
    else if (level && !this.#byMessage()) return
    else if (block === table.in_clrip.at) this.#set(this.#pending, source, false)
    else if (block === table.setip.at && (!level || this.#input(source))) this.#set(this.#pending, source, true)
  }

  /** A wire has moved: whoever owns the source sees it. */
  #moved(source: number): void {
    const child = this.#child
    if (child && (this.#modes[source] & DELEGATED) !== 0) return child.#moved(source)
    if (!this.#isActive(source) || this.#modes[source] === SOURCE_MODE.DETACHED) return
    if (this.#input(source)) this.#set(this.#pending, source, true)
    else if (this.#isLevel(source)) this.#set(this.#pending, source, false)
    this.#deliver()
  }

  /** A level-sensitive source in direct mode is pending as its input says. */
  #follow(source: number): void {
    if (!this.#isLevel(source)) return
    if (!this.#input(source)) this.#set(this.#pending, source, false)
    else if (!this.#byMessage()) this.#set(this.#pending, source, true)
  }

  #deliver(): void {
    if (this.#byMessage() && (this.#configuration & IE) !== 0) this.#sendMessages()
    this.#targets.forEach(({ line, message }, hart) => {
      // Where harts have IMSICs, those alone give external interrupts: eidelivery has no third value here.
      if (message) return
      const [delivers, forced] = [this.#delivery[hart * 3], this.#delivery[hart * 3 + 1]]
      line.set((this.#configuration & IE) !== 0 && delivers !== 0 && (forced !== 0 || this.#top(hart) !== 0))
    })
  }

  #sendMessages(): void {
    for (let word = 0; word < WORDS; word++) {
      for (let ready = this.#pending[word] & this.#enabled[word]; ready !== 0; ready &= ready - 1) {
        const source = word * 32 + (31 - Math.clz32(ready & -ready))
        const destination = this.#destinations[source]
        this.#set(this.#pending, source, false)
        this.#targets[destination >>> HART_SHIFT].message!(
          fieldOf(target.fields.GuestIndex, destination),
          fieldOf(target.fields.EIID, destination),
        )
      }
    }
  }

  /** topi of a hart. */
  #top(hart: number): number {
    const threshold = this.#delivery[hart * 3 + 2]
    let best = 0
    let least = 256
    for (let word = 0; word < WORDS; word++) {
      for (let ready = this.#pending[word] & this.#enabled[word]; ready !== 0; ready &= ready - 1) {
        const source = word * 32 + (31 - Math.clz32(ready & -ready))
        const destination = this.#destinations[source]
        const priority = fieldOf(target.fields.IPRIO, destination) || 1
        if (destination >>> HART_SHIFT !== hart || priority >= least) continue
        if (threshold !== 0 && priority >= threshold) continue
        best = source
        least = priority
      }
    }
    return best === 0 ? 0 : (best << 16) | least
  }

  #readDelivery(hart: number, offset: number): number {
    if (hart >= this.#targets.length) return 0
    switch (offset) {
      case idc.idelivery.at:
      case idc.iforce.at:
      case idc.ithreshold.at:
        return this.#delivery[hart * 3 + (offset >> 2)]
      case idc.topi.at:
        return this.#top(hart)
      case idc.claimi.at: {
        const found = this.#top(hart)
        const source = found >>> 16
        if (found === 0) this.#delivery[hart * 3 + 1] = 0
        else if (!this.#isLevel(source)) this.#set(this.#pending, source, false)
        this.#deliver()
        return found
      }
    }
    return 0
  }

  #writeDelivery(hart: number, offset: number, value: number): void {
    if (hart >= this.#targets.length || offset > idc.ithreshold.at) return
    this.#delivery[hart * 3 + (offset >> 2)] = offset === idc.ithreshold.at ? value & 0xff : value & 1
  }

  #byMessage(): boolean {
    return (this.#configuration & DM) !== 0
  }

  #isActive(source: number): boolean {
    const mode = this.#modes[source]
    return mode !== SOURCE_MODE.INACTIVE && (mode & DELEGATED) === 0
  }

  #isLevel(source: number): boolean {
    return this.#isActive(source) && this.#modes[source] >= SOURCE_MODE.LEVEL1
  }

  /** The rectified input. */
  #input(source: number): boolean {
    const mode = this.#modes[source]
    if (!this.#isActive(source) || mode === SOURCE_MODE.DETACHED) return false
    const inverted = mode === SOURCE_MODE.EDGE0 || mode === SOURCE_MODE.LEVEL0
    return (this.#wires[source] !== 0) !== inverted
  }

  #inputs(word: number): number {
    let bits = 0
    for (let bit = 0; bit < 32; bit++) {
      const source = word * 32 + bit
      if (source >= 1 && source <= this.#sources && this.#input(source)) bits |= 1 << bit
    }
    return bits >>> 0
  }

  #set(array: Uint32Array, source: number, value: boolean): void {
    const bit = 1 << (source & 31)
    if (value) array[source >> 5] |= bit
    else array[source >> 5] &= ~bit
  }
}
