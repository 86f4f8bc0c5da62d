/**
 * Virtual functions of a PCI Express function: the capability that makes them appear, with ARI before it, their memory
 * (a row of equal windows for each BAR) and the numbers with which they sign.
 *
 *   routing id of virtual function n = the physical function's + OFFSET + n × STRIDE
 */
import type { Chip, Dma, Plain, Saved } from './chip.ts'
import type { PcieFunction } from './pcie-function.ts'
import { EXTENDED_AT, EXTENDED_CAPABILITY, ari, pcie, sriov } from '../spec/devices/pcie.ts'
import type { Register } from '../spec/registers.ts'

/** One of the BARs that all virtual functions have: 64 bits wide, `bytes` for each of them. */
export interface VirtualBar {
  readonly index: number
  readonly bytes: number
}

/** A virtual function: its own configuration space, DMA and messages, and what its BARs show, in the order of their list. */
export interface VirtualFunction {
  readonly function: PcieFunction
  readonly windows: readonly Chip[]
}

export interface SriovOptions {
  /** Device identity of the virtual functions. */
  readonly device: number
  readonly bars: readonly VirtualBar[]
  readonly functions: readonly VirtualFunction[]
  readonly stride: number
  /** OFFSET without and with alternative routing ids: software says in the device's first function which it is. */
  readonly offset: { readonly plain: number; readonly ari: number }
  /** The device's function 0, if this is another; the next function's number, 0 if this is the last. */
  readonly first?: Sriov
  readonly next: number
  /** There are so many now, or there were: the functions up to there begin anew. */
  changed(affected: number): void
}

/** Offsets among the extended capabilities. */
const ARI_AT = 0
const SRIOV_AT = 0x60
const BYTES = 0x100
const VERSION_1 = 1 << 16
const PAGE = 4096
const { CONTROL, NUMBER, PAGE_SIZE, BAR } = sriov

/** The extended capabilities of a function that is the last of its device: ARI alone. */
export const ariAlone: Chip = {
  read: (offset, bytes) =>
    offset === ARI_AT && bytes !== 1 ? EXTENDED_CAPABILITY.ARI | (bytes === 4 ? VERSION_1 : 0) : 0,
  write: () => {},
}

export class Sriov implements Saved {
  /** For {@link PcieParts.extended}. */
  readonly extended: Chip
  readonly #options: SriovOptions
  readonly #physical: () => PcieFunction
  readonly #bytes = new Uint8Array(BYTES)
  readonly #view = new DataView(this.#bytes.buffer)

  /** `physical`: the function that has the capability. */
  constructor(options: SriovOptions, physical: () => PcieFunction) {
    this.#options = options
    this.#physical = physical
    this.extended = {
      read: (offset, bytes) => this.#read(offset, bytes),
      write: (offset, bytes, value) => this.#write(offset, bytes, value),
    }
    const { device, functions, stride, next } = options
    this.#view.setUint32(ARI_AT, EXTENDED_CAPABILITY.ARI | VERSION_1 | ((EXTENDED_AT + SRIOV_AT) << 20), true)
    this.#put(ARI_AT, ari.CAPABILITY, next << ari.CAPABILITY.fields.NEXT.low)
    this.#view.setUint32(SRIOV_AT, EXTENDED_CAPABILITY.SRIOV | VERSION_1, true)
    this.#put(SRIOV_AT, sriov.CAPABILITIES, sriov.CAPABILITIES.reset)
    this.#put(SRIOV_AT, sriov.INITIAL, functions.length)
    this.#put(SRIOV_AT, sriov.TOTAL, functions.length)
    this.#put(SRIOV_AT, sriov.STRIDE, stride)
    this.#put(SRIOV_AT, sriov.DEVICE_ID, device)
    this.#put(SRIOV_AT, sriov.PAGE_SIZES, sriov.PAGE_SIZES.reset)
    this.reset()
  }

  /** As after a reset of the physical function: there are none. */
  reset(): void {
    const was = this.active
    this.#put(SRIOV_AT, CONTROL, 0)
    this.#put(SRIOV_AT, NUMBER, 0)
    this.#put(SRIOV_AT, PAGE_SIZE, PAGE_SIZE.reset)
    this.#bytes.fill(0, SRIOV_AT + BAR.at, SRIOV_AT + BAR.at + BAR.count * BAR.stride)
    for (const { index } of this.#options.bars) this.#setBar(index, 2 << pcie.BAR.fields.TYPE.low)
    this.#put(SRIOV_AT, sriov.OFFSET, this.#options.offset.plain)
    if (was > 0) this.#options.changed(was)
  }

  /** How many there are at the moment. */
  get active(): number {
    return this.#control(CONTROL.fields.ENABLE) ? this.#get(SRIOV_AT, NUMBER) : 0
  }

  /** The virtual function whose routing id is the physical one's plus `distance`, if there is one now. */
  at(distance: number): PcieFunction | undefined {
    const { functions, stride } = this.#options
    const index = (distance - this.offset) / stride
    return this.#present(index) ? functions[index].function : undefined
  }

  /** OFFSET as it is now. */
  get offset(): number {
    const { offset, first } = this.#options
    return (first ?? this).#control(CONTROL.fields.ARI) ? offset.ari : offset.plain
  }

  /** Called once by the host: memory as requests reach it that are signed with the physical function's id plus a distance. */
  connect(memory: (distance: number) => Dma, messages: boolean): void {
    const { offset, stride, functions } = this.#options
    functions.forEach(({ function: virtual }, index) => {
      const plain = memory(offset.plain + index * stride)
      const alternative = memory(offset.ari + index * stride)
      const now = () => (this.offset === offset.plain ? plain : alternative)
      const reaches = () => this.#present(index)
      virtual.connect(
        {
          read: (address, into) => reaches() && now().read(address, into),
          write: (address, from) => reaches() && now().write(address, from),
          waited: () => now().waited?.() ?? 0,
        },
        { set: () => {} },
      )
      if (!messages) virtual.hideMsix()
    })
  }

  /** The window and the offset in it that answer a PCI memory address. */
  decode(address: number): { readonly chip: Chip; readonly offset: number } | undefined {
    if (!this.#control(CONTROL.fields.MEMORY_SPACE) || this.#physical().removed) return undefined
    const { bars, functions } = this.#options
    for (const [which, bar] of bars.entries()) {
      const inside = address - this.#barAddress(bar.index)
      const bytes = this.#barBytes(bar)
      const index = Math.floor(inside / bytes)
      if (inside < 0 || index >= this.active) continue
      const offset = inside % bytes
      return offset < bar.bytes ? { chip: functions[index].windows[which], offset } : undefined
    }
    return undefined
  }

  #present(index: number): boolean {
    return Number.isInteger(index) && index >= 0 && index < this.active && !this.#physical().removed
  }

  #control(field: { readonly low: number }): boolean {
    return ((this.#get(SRIOV_AT, CONTROL) >>> field.low) & 1) === 1
  }

  /** A window is a whole number of the pages that software has chosen. */
  #barBytes({ bytes }: VirtualBar): number {
    return Math.max(bytes, this.#get(SRIOV_AT, PAGE_SIZE) * PAGE)
  }

  #barAddress(index: number): number {
    const at = SRIOV_AT + BAR.at + index * BAR.stride
    return this.#view.getUint32(at + 4, true) * 2 ** 32 + ((this.#view.getUint32(at, true) & ~15) >>> 0)
  }

  #setBar(index: number, value: number): void {
    this.#view.setUint32(SRIOV_AT + BAR.at + index * BAR.stride, value, true)
  }

  #get(base: number, register: Register): number {
    return register.width === 16
      ? this.#view.getUint16(base + register.at, true)
      : this.#view.getUint32(base + register.at, true)
  }

  #put(base: number, register: Register, value: number): void {
    if (register.width === 16) this.#view.setUint16(base + register.at, value, true)
    else this.#view.setUint32(base + register.at, value, true)
  }

  #read(offset: number, bytes: 1 | 2 | 4): number {
    this.#put(SRIOV_AT, sriov.OFFSET, this.offset)
    if (offset >= BYTES) return 0
    if (bytes === 1) return this.#bytes[offset]
    return bytes === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint32(offset, true)
  }

  #write(offset: number, bytes: 1 | 2 | 4, value: number): void {
    // two registers of 16 bits stand in a word: software writes them one by one, or with what it read
    for (let at = offset; at < offset + bytes; at += 2) {
      const half = bytes === 1 ? value : (value >>> ((at - offset) * 8)) & 0xffff
      if (at === SRIOV_AT + CONTROL.at) this.#writeControl(half)
      else if (at === SRIOV_AT + NUMBER.at && !this.#control(CONTROL.fields.ENABLE)) this.#writeNumber(half)
    }
    if (bytes !== 4 || this.#control(CONTROL.fields.ENABLE)) return
    if (offset === SRIOV_AT + PAGE_SIZE.at) {
      // one bit, of those that are offered
      if ((value & (value - 1)) === 0 && (value & sriov.PAGE_SIZES.reset) !== 0) this.#put(SRIOV_AT, PAGE_SIZE, value)
      return
    }
    const slot = (offset - SRIOV_AT - BAR.at) / BAR.stride
    for (const bar of this.#options.bars) {
      if (slot === bar.index) this.#setBar(slot, (value & -this.#barBytes(bar)) | (2 << pcie.BAR.fields.TYPE.low))
      else if (slot === bar.index + 1) this.#setBar(slot, value)
    }
  }

  #writeControl(value: number): void {
    const was = this.active
    const { ENABLE, MEMORY_SPACE, ARI } = CONTROL.fields
    let kept = (1 << ENABLE.low) | (1 << MEMORY_SPACE.low)
    // only the first function has the bit, and only while there are no virtual ones
    if (!this.#options.first) kept |= 1 << ARI.low
    const held = this.#control(ENABLE) ? this.#get(SRIOV_AT, CONTROL) & (1 << ARI.low) : 0
    const next = this.#control(ENABLE) ? (value & kept & ~(1 << ARI.low)) | held : value & kept
    this.#put(SRIOV_AT, CONTROL, next)
    if (this.active !== was) this.#options.changed(Math.max(this.active, was))
  }

  #writeNumber(value: number): void {
    if (value <= this.#options.functions.length) this.#put(SRIOV_AT, NUMBER, value)
  }

  save(): Plain {
    return {
      bytes: this.#bytes.slice(),
      functions: this.#options.functions.map(({ function: virtual }) => virtual.save()),
    }
  }

  restore(state: Plain): void {
    const saved = state as { bytes: Uint8Array; functions: readonly Plain[] }
    this.#bytes.set(saved.bytes)
    this.#options.functions.forEach(({ function: virtual }, index) => virtual.restore(saved.functions[index]))
  }
}
