/**
 * One PCI Express function: its configuration space, BARs, interrupt pin, MSI-X and the door through which it
 * masters the bus. A device owns one; the host ({@link ./pcie-host.ts}) gives it wires and memory when it is plugged in.
 */
import type { Chip, Dma, Line, Plain, Saved } from './chip.ts'
import { Msix } from './pcie-msix.ts'
import type { Bar, PcieIdentity, PcieParts } from './pcie-parts.ts'
import {
  CAPABILITY,
  EXTENDED_AT,
  PCIE_CAPABILITY_BYTES,
  msixCapability,
  pcie,
  pcieCapability,
  powerManagement,
} from '../spec/devices/pcie.ts'
import type { Register } from '../spec/registers.ts'

const CONFIGURATION_BYTES = 4096
/** What software may set of COMMAND. */
const COMMANDS = 0x0546
const COMMANDS_VIRTUAL = 1 << pcie.COMMAND.fields.BUS_MASTER.low
const POWER_AT = 0x40
const EXPRESS_AT = 0x50
const MSIX_AT = EXPRESS_AT + PCIE_CAPABILITY_BYTES + 4
/** What nobody answers with, by bytes less one. */
const ONES = [0xff, 0xffff, 0, 0xffff_ffff] as const
const STATUS_INTERRUPT = 1 << pcie.STATUS.fields.INTERRUPT_STATUS.low

export class PcieFunction implements Saved {
  /** Configuration space, for the ECAM. */
  readonly configuration: Chip
  /** The bus as this function masters it: nothing passes while it is not enabled to. */
  readonly dma: Dma
  /** The interrupt pin, as a level. */
  readonly line: Line
  readonly msix: Msix | undefined
  readonly #identity: PcieIdentity
  readonly #parts: PcieParts
  readonly #bytes = new Uint8Array(CONFIGURATION_BYTES)
  readonly #view = new DataView(this.#bytes.buffer)
  readonly #writable = new Uint8Array(CONFIGURATION_BYTES)
  #memory: Dma | undefined
  #wire: Line | undefined
  #asserted = false
  #removed = false
  /** Interrupts still to be lost. */
  #losing = 0

  constructor(identity: PcieIdentity, parts: PcieParts = {}) {
    this.#identity = identity
    this.#parts = parts
    this.configuration = {
      read: (offset, bytes) => (this.#removed ? ONES[bytes - 1] : this.#read(offset, bytes)),
      write: (offset, bytes, value) => {
        if (this.#removed) return
        if (offset >= EXTENDED_AT) parts.extended?.write(offset - EXTENDED_AT, bytes, value)
        else this.#write(offset, bytes, value)
      },
    }
    this.dma = {
      read: (address, into) => this.#mayMaster() && this.#memory!.read(address, into),
      write: (address, from) => this.#mayMaster() && this.#memory!.write(address, from),
      waited: () => this.#memory?.waited?.() ?? 0,
    }
    this.line = { set: level => this.#setPin(level) }
    this.msix = parts.msix && new Msix(parts.msix.vectors, this.dma, () => this.#loses())
    this.#describe()
    this.reset()
  }

  get pin(): number {
    return this.#identity.pin
  }

  get identity(): PcieIdentity {
    return this.#identity
  }

  get removed(): boolean {
    return this.#removed
  }

  /** Called once by the host: memory as this function's requests reach it, and the wire of its pin. */
  connect(memory: Dma, wire: Line): void {
    this.#memory = memory
    this.#wire = wire
  }

  /** Hides MSI-X from software, on a board whose interrupt controller takes no messages. */
  hideMsix(): void {
    this.#view.setUint8(EXPRESS_AT + 1, 0)
  }

  /** The BAR and the offset in it that answer a PCI memory address; nothing while memory decoding is off. */
  at(address: number): { readonly chip: Chip; readonly offset: number } | undefined {
    if (this.#removed || !this.#command(pcie.COMMAND.fields.MEMORY_SPACE) || !this.#awake()) return undefined
    for (const bar of this.#parts.bars ?? []) {
      const offset = address - this.#barAddress(bar)
      if (offset >= 0 && offset < bar.bytes) return { chip: bar.chip, offset }
    }
    return undefined
  }

  /** Pulls the device out, running or not: its registers read as ones, it masters nothing, and its wire falls. For good. */
  remove(): void {
    this.#removed = true
    this.#asserted = false
    this.#drive()
  }

  /** A fault of the hardware: the next `count` interrupts reach nobody. */
  loseInterrupts(count: number): void {
    this.#losing = count
  }

  /** A fault of the hardware: an interrupt that says nothing, of this vector or of the pin. */
  interruptSpuriously(vector: number): void {
    if (this.#removed) return
    if (this.msix?.enabled) return this.msix.raise(vector)
    if (this.#asserted) return
    this.#setPin(true)
    this.#setPin(false)
  }

  /** The function's registers as after a conventional reset; BARs and command are cleared. */
  reset(): void {
    const clear = (at: number, bytes: number) => {
      for (let i = at; i < at + bytes; i++) this.#bytes[i] &= ~this.#writable[i]
    }
    clear(0, POWER_AT)
    if (this.#parts.bars) {
      this.#put(POWER_AT, powerManagement.PMCSR)
      this.#put(EXPRESS_AT, pcieCapability.DEVICE_CONTROL)
      this.#view.setUint16(EXPRESS_AT + pcieCapability.DEVICE_CONTROL_2.at, 0, true)
    }
    if (this.msix) this.#view.setUint16(MSIX_AT + 2, this.msix.vectors - 1, true)
    this.msix?.reset()
    this.#asserted = false
    this.#drive()
  }

  #describe(): void {
    const { vendor, device, revision = 0, subsystemVendor, subsystem, pin, several, virtual } = this.#identity
    const view = this.#view
    view.setUint16(pcie.VENDOR_ID.at, vendor, true)
    view.setUint16(pcie.DEVICE_ID.at, device, true)
    view.setUint32(pcie.REVISION_ID.at, this.#identity.class * 256 + revision, true)
    view.setUint16(pcie.SUBSYSTEM_VENDOR_ID.at, subsystemVendor, true)
    view.setUint16(pcie.SUBSYSTEM_ID.at, subsystem, true)
    view.setUint8(pcie.INTERRUPT_PIN.at, pin)
    view.setUint8(pcie.HEADER_TYPE.at, several ? 1 << pcie.HEADER_TYPE.fields.MULTI_FUNCTION.low : 0)
    this.#mayWrite(pcie.COMMAND.at, 2, virtual ? COMMANDS_VIRTUAL : COMMANDS)
    this.#mayWrite(pcie.CACHE_LINE_SIZE.at, 1, 0xff)
    this.#mayWrite(pcie.INTERRUPT_LINE.at, 1, 0xff)
    for (const bar of this.#parts.bars ?? []) {
      const at = pcie.BAR.at + bar.index * 4
      view.setUint32(at, bar.wide ? 2 << pcie.BAR.fields.TYPE.low : 0, true)
      this.#mayWrite(at, 4, -bar.bytes)
      if (bar.wide) this.#mayWrite(at + 4, 4, -1)
    }
    if (!this.#parts.bars) return
    view.setUint16(pcie.STATUS.at, 1 << pcie.STATUS.fields.CAPABILITIES_LIST.low, true)
    view.setUint8(pcie.CAPABILITIES_POINTER.at, POWER_AT)
    view.setUint16(POWER_AT, CAPABILITY.POWER_MANAGEMENT | (EXPRESS_AT << 8), true)
    this.#put(POWER_AT, powerManagement.PMC)
    this.#mayWrite(POWER_AT + powerManagement.PMCSR.at, 2, 3)
    view.setUint16(EXPRESS_AT, CAPABILITY.PCI_EXPRESS | (this.msix ? MSIX_AT << 8 : 0), true)
    for (const register of [
      pcieCapability.CAPABILITIES,
      pcieCapability.DEVICE_CAPABILITIES,
      pcieCapability.DEVICE_CAPABILITIES_2,
    ]) {
      this.#put(EXPRESS_AT, register)
    }
    this.#mayWrite(EXPRESS_AT + pcieCapability.DEVICE_CONTROL.at, 2, 0x78ff)
    this.#mayWrite(EXPRESS_AT + pcieCapability.DEVICE_CONTROL_2.at, 2, 0x1f)
    const { msix } = this.#parts
    if (!msix) return
    view.setUint16(MSIX_AT, CAPABILITY.MSIX, true)
    view.setUint32(MSIX_AT + msixCapability.TABLE.at, msix.table | msix.bar, true)
    view.setUint32(MSIX_AT + msixCapability.PBA.at, msix.pending | msix.bar, true)
    this.#mayWrite(MSIX_AT + msixCapability.MESSAGE_CONTROL.at, 2, 0xc000)
  }

  #mayWrite(at: number, bytes: number, mask: number): void {
    for (let i = 0; i < bytes; i++) this.#writable[at + i] = (mask >> (8 * i)) & 0xff
  }

  #put(at: number, register: Register): void {
    const value = register.reset ?? 0
    if (register.width === 16) this.#view.setUint16(at + register.at, value, true)
    else this.#view.setUint32(at + register.at, value, true)
  }

  #read(offset: number, bytes: 1 | 2 | 4): number {
    if (offset >= EXTENDED_AT) return this.#parts.extended?.read(offset - EXTENDED_AT, bytes) ?? 0
    if (bytes === 1) return this.#view.getUint8(offset)
    return bytes === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint32(offset, true)
  }

  #write(offset: number, bytes: 1 | 2 | 4, value: number): void {
    for (let i = 0; i < bytes; i++) {
      const mask = this.#writable[offset + i]
      this.#bytes[offset + i] = (this.#bytes[offset + i] & ~mask) | ((value >>> (8 * i)) & mask)
    }
    const hits = (at: number) => at >= offset && at < offset + bytes
    if (hits(pcie.COMMAND.at) || hits(pcie.COMMAND.at + 1)) this.#drive()
    const high = msixCapability.MESSAGE_CONTROL.at + 1
    if (this.msix && hits(MSIX_AT + high)) {
      this.msix.control((this.#bytes[MSIX_AT + high] & 0x80) !== 0, (this.#bytes[MSIX_AT + high] & 0x40) !== 0)
      this.#drive()
    }
    // Initiate FLR reads as zero, so it is never stored
    const control = EXPRESS_AT + pcieCapability.DEVICE_CONTROL.at + 1
    if (this.#parts.bars && hits(control) && (value >>> (8 * (control - offset))) & 0x80) {
      this.reset()
      this.#parts.reset?.()
    }
  }

  #command(field: { readonly low: number }): boolean {
    return ((this.#view.getUint16(pcie.COMMAND.at, true) >>> field.low) & 1) === 1
  }

  #awake(): boolean {
    return (this.#bytes[POWER_AT + powerManagement.PMCSR.at] & 3) === 0
  }

  #mayMaster(): boolean {
    return (
      !this.#removed && this.#memory !== undefined && this.#command(pcie.COMMAND.fields.BUS_MASTER) && this.#awake()
    )
  }

  #barAddress(bar: Bar): number {
    const at = pcie.BAR.at + bar.index * 4
    const low = (this.#view.getUint32(at, true) & ~15) >>> 0
    return bar.wide ? this.#view.getUint32(at + 4, true) * 2 ** 32 + low : low
  }

  #loses(): boolean {
    if (this.#losing === 0) return false
    this.#losing--
    return true
  }

  #setPin(level: boolean): void {
    if (this.#asserted === level || (level && this.#loses())) return
    this.#asserted = level
    this.#drive()
  }

  #drive(): void {
    const asserted = this.#asserted && !this.msix?.enabled && !this.#removed
    const status = this.#view.getUint16(pcie.STATUS.at, true)
    this.#view.setUint16(pcie.STATUS.at, asserted ? status | STATUS_INTERRUPT : status & ~STATUS_INTERRUPT, true)
    this.#wire?.set(asserted && !this.#command(pcie.COMMAND.fields.INTERRUPT_DISABLE))
  }

  save(): Plain {
    return {
      bytes: this.#bytes.slice(),
      asserted: this.#asserted,
      removed: this.#removed,
      losing: this.#losing,
      msix: this.msix?.save() ?? null,
    }
  }

  restore(state: Plain): void {
    const saved = state as { bytes: Uint8Array; asserted: boolean; removed: boolean; losing: number; msix: Plain }
    this.#bytes.set(saved.bytes)
    this.#asserted = saved.asserted
    this.#removed = saved.removed
    this.#losing = saved.losing
    this.msix?.restore(saved.msix)
    this.#drive()
  }
}
