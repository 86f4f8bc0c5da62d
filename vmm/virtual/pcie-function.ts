/**
 * The configuration space of a PCI Express function as a guest sees it: words that the VMM has filled in, of which the
 * guest may write the bits that a mask says. What the guest does to command, BARs and MSI-X is told to the real function's owner.
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { CAPABILITY, msixCapability, pcie } from '../../hw/spec/devices/pcie.ts'
import { fieldOf, withField } from '../../hw/spec/registers.ts'

/** Words of a header and of capabilities; extended capabilities are not shown. */
const WORDS = 64
export const VIRTUAL_BARS = 6
const COMMAND = pcie.COMMAND.at >>> 2
const FIRST_BAR = pcie.BAR.at >>> 2
/** Where the VMM puts the MSI-X capability: the last 16 bytes. */
export const MSIX_AT = 0xf0
const MSIX = MSIX_AT >>> 2
const CONTROL_SHIFT = msixCapability.MESSAGE_CONTROL.at * 8
const { fields: decoded } = pcie.COMMAND
const PENDING = 1 << (16 + pcie.STATUS.fields.INTERRUPT_STATUS.low)
const LISTS = 1 << (16 + pcie.STATUS.fields.CAPABILITIES_LIST.low)
const NOT_ADDRESS = 15

/** Who owns the real function. */
export interface PcieOwner {
  /** The guest has written its command register. */
  commanded(port: HartPort, memory: boolean, master: boolean, silent: boolean): void
  /** The guest has written a BAR. */
  moved(port: HartPort): void
  /** The guest has written MSI-X's message control. */
  messages(port: HartPort, enabled: boolean, masked: boolean): void
  /** True while the function's pin is up. */
  isPending(): boolean
  /** Accesses to its memory that the guest's hart does not make by itself. */
  load(port: HartPort, bar: number, offset: number, bytes: 1 | 2 | 4): number
  store(port: HartPort, bar: number, offset: number, bytes: 1 | 2 | 4, value: number): void
}

export class VirtualPcieFunction {
  /** For the VMM's registered state. */
  readonly state: Readonly<Record<string, StateRecord>>
  readonly #words = new Uint32Array(WORDS)
  readonly #masks = new Uint32Array(WORDS)
  /** By BAR: bytes, 0 for none. */
  readonly #sizes = new Float64Array(VIRTUAL_BARS)
  readonly #owner: PcieOwner

  constructor(name: string, owner: PcieOwner) {
    this.#owner = owner
    this.state = { [name]: this.#words, [`${name} masks`]: this.#masks, [`${name} sizes`]: this.#sizes }
    this.#words.fill(0xffff_ffff)
  }

  /** From here on the function exists: identity, class with revision, subsystem, pin, as the real one's words say. */
  describe(identity: number, classes: number, subsystem: number, pin: number): void {
    const words = this.#words
    words.fill(0)
    words[0] = identity
    words[COMMAND] = LISTS
    this.#masks[COMMAND] =
      withField(decoded.MEMORY_SPACE, 0, 1) |
      withField(decoded.BUS_MASTER, 0, 1) |
      withField(decoded.INTERRUPT_DISABLE, 0, 1)
    words[pcie.REVISION_ID.at >>> 2] = classes
    words[pcie.SUBSYSTEM_VENDOR_ID.at >>> 2] = subsystem
    words[pcie.INTERRUPT_LINE.at >>> 2] = pin << 8
    this.#masks[pcie.INTERRUPT_LINE.at >>> 2] = 0xff
  }

  /** A memory BAR of a power of two bytes. */
  setBar(bar: number, bytes: number, wide: boolean): void {
    this.#sizes[bar] = bytes
    this.#words[FIRST_BAR + bar] = wide ? 2 << pcie.BAR.fields.TYPE.low : 0
    this.#masks[FIRST_BAR + bar] = -bytes >>> 0
    if (wide) this.#masks[FIRST_BAR + bar + 1] = 0xffff_ffff
  }

  /** A word of a capability. */
  #setWord(at: number, value: number, mask: number): void {
    this.#words[at >>> 2] = value
    this.#masks[at >>> 2] = mask
  }

  /** MSI-X, its only capability, with table and pending bits where the real function has them (BIR and offset). */
  setMessages(vectors: number, table: number, pendingBits: number): void {
    const { ENABLE, FUNCTION_MASK } = msixCapability.MESSAGE_CONTROL.fields
    this.#words[pcie.CAPABILITIES_POINTER.at >>> 2] = MSIX_AT
    this.#setWord(
      MSIX_AT,
      (CAPABILITY.MSIX | ((vectors - 1) << CONTROL_SHIFT)) >>> 0,
      ((withField(ENABLE, 0, 1) | withField(FUNCTION_MASK, 0, 1)) << CONTROL_SHIFT) >>> 0,
    )
    this.#setWord(MSIX_AT + msixCapability.TABLE.at, table, 0)
    this.#setWord(MSIX_AT + msixCapability.PBA.at, pendingBits, 0)
  }

  /** Where the guest has put a BAR; what stands there while memory is not decoded means nothing. */
  barAddress(bar: number): number {
    const words = this.#words
    const low = (words[FIRST_BAR + bar] & ~NOT_ADDRESS) >>> 0
    const wide = fieldOf(pcie.BAR.fields.TYPE, words[FIRST_BAR + bar]) === 2
    return wide ? words[FIRST_BAR + bar + 1] * 0x1_0000_0000 + low : low
  }

  barBytes(bar: number): number {
    return this.#sizes[bar]
  }

  isDecoding(): boolean {
    return fieldOf(decoded.MEMORY_SPACE, this.#words[COMMAND]) === 1
  }

  read(offset: number, bytes: 1 | 2 | 4): number {
    const word = offset >>> 2
    if (word >= WORDS) return 0
    let value = this.#words[word]
    if (word === COMMAND && this.#owner.isPending()) value |= PENDING
    const shifted = value >>> ((offset & 3) * 8)
    return bytes === 4 ? shifted >>> 0 : shifted & (bytes === 2 ? 0xffff : 0xff)
  }

  write(port: HartPort, offset: number, bytes: 1 | 2 | 4, value: number): void {
    const word = offset >>> 2
    if (word >= WORDS) return
    const shift = (offset & 3) * 8
    const width = bytes === 4 ? -1 : bytes === 2 ? 0xffff : 0xff
    const mask = this.#masks[word] & (width << shift)
    if (mask === 0) return
    const next = ((this.#words[word] & ~mask) | ((value << shift) & mask)) >>> 0
    this.#words[word] = next
    if (word === COMMAND) this.#command(port, next)
    else if (word >= FIRST_BAR && word < FIRST_BAR + VIRTUAL_BARS) this.#owner.moved(port)
    else if (word === MSIX) this.#control(port, next >>> CONTROL_SHIFT)
  }

  load(port: HartPort, bar: number, offset: number, bytes: 1 | 2 | 4): number {
    return this.#owner.load(port, bar, offset, bytes)
  }

  store(port: HartPort, bar: number, offset: number, bytes: 1 | 2 | 4, value: number): void {
    this.#owner.store(port, bar, offset, bytes, value)
  }

  #command(port: HartPort, command: number): void {
    const { MEMORY_SPACE, BUS_MASTER, INTERRUPT_DISABLE } = decoded
    this.#owner.commanded(
      port,
      fieldOf(MEMORY_SPACE, command) === 1,
      fieldOf(BUS_MASTER, command) === 1,
      fieldOf(INTERRUPT_DISABLE, command) === 1,
    )
  }

  #control(port: HartPort, control: number): void {
    const { ENABLE, FUNCTION_MASK } = msixCapability.MESSAGE_CONTROL.fields
    this.#owner.messages(port, fieldOf(ENABLE, control) === 1, fieldOf(FUNCTION_MASK, control) === 1)
  }
}
