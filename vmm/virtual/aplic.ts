/**
 * The APLIC that a guest with interrupt files sees: one domain of 31 sources, that makes messages of wires; see
 * hw/spec/devices/aplic.ts. Delivery by message is all that it can do (domaincfg.DM reads as one).
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { aplic, SOURCE_MODE } from '../../hw/spec/devices/aplic.ts'
import { fieldOf, withField } from '../../hw/spec/registers.ts'
import type { VirtualChip, VirtualLine } from './chip.ts'

const SOURCES = 32
const { domaincfg, sourcecfg, target } = aplic
const FIXED = (withField(domaincfg.fields.one, 0, 1) | withField(domaincfg.fields.DM, 0, 1)) >>> 0
const ENABLED = withField(domaincfg.fields.IE, 0, 1)
/** Hart and identity: the guest index is not there. */
const TARGET = withField(target.fields.HartIndex, withField(target.fields.EIID, 0, 0x7ff), 0x3fff)

export class VirtualAplic implements VirtualChip {
  readonly state: Readonly<Record<string, StateRecord>>
  /** One bit a source in the words. */
  readonly #record = { enabled: false, wires: 0, pending: 0, open: 0 }
  readonly #modes = new Int32Array(SOURCES)
  readonly #targets = new Uint32Array(SOURCES)
  readonly #deliver: (port: HartPort, vcpu: number, identity: number) => void

  /** `deliver` gives a message to a vCPU's interrupt file; one that does not exist ignores it. */
  constructor(name: string, deliver: (port: HartPort, vcpu: number, identity: number) => void) {
    this.#deliver = deliver
    this.state = { [name]: this.#record, [`${name} modes`]: this.#modes, [`${name} targets`]: this.#targets }
  }

  /** The wire of a source, 1 to 31. */
  line(source: number): VirtualLine {
    return { set: (port, level) => this.#setWire(port, source, level) }
  }

  read(_port: HartPort, offset: number, bytes: 1 | 2 | 4): number {
    const { enabled, pending, open } = this.#record
    if (bytes !== 4) return 0
    if (offset === domaincfg.at) return (FIXED | (enabled ? ENABLED : 0)) >>> 0
    const source = sourceAt(offset, sourcecfg.at)
    if (source !== 0) return this.#modes[source]
    if (offset === aplic.setip.at) return pending >>> 0
    if (offset === aplic.in_clrip.at) return this.#inputs() >>> 0
    if (offset === aplic.setie.at) return open >>> 0
    return this.#targets[sourceAt(offset, target.at)]
  }

  write(port: HartPort, offset: number, bytes: 1 | 2 | 4, value: number): void {
    const record = this.#record
    if (bytes !== 4) return
    if (offset === domaincfg.at) record.enabled = (value & ENABLED) !== 0
    else if (offset === aplic.setip.at) this.#setPending(value)
    else if (offset === aplic.in_clrip.at) record.pending &= ~value
    else if (offset === aplic.setie.at) record.open |= value & this.#active()
    else if (offset === aplic.clrie.at) record.open &= ~value
    else if (offset === aplic.setipnum.at || offset === aplic.setipnum_le.at) this.#setPending(bitOf(value))
    else if (offset === aplic.clripnum.at) record.pending &= ~bitOf(value)
    else if (offset === aplic.setienum.at) record.open |= bitOf(value) & this.#active()
    else if (offset === aplic.clrienum.at) record.open &= ~bitOf(value)
    else if (offset === aplic.genmsi.at)
      this.#deliver(port, fieldOf(aplic.genmsi.fields.HartIndex, value), fieldOf(aplic.genmsi.fields.EIID, value))
    else this.#configure(offset, value)
    this.#send(port)
  }

  #configure(offset: number, value: number): void {
    const source = sourceAt(offset, sourcecfg.at)
    if (source !== 0) this.#setMode(source, fieldOf(sourcecfg.fields.SM, value))
    const aimed = sourceAt(offset, target.at)
    if (aimed !== 0 && this.#modes[aimed] !== SOURCE_MODE.INACTIVE) this.#targets[aimed] = value & TARGET
  }

  /** AIA 4.5.2: an inactive source is not there; one that becomes active is pending if its input is up. */
  #setMode(source: number, mode: number): void {
    const bit = 1 << source
    this.#modes[source] = mode === 2 || mode === 3 ? SOURCE_MODE.INACTIVE : mode
    if (this.#modes[source] === SOURCE_MODE.INACTIVE) {
      this.#record.pending &= ~bit
      this.#record.open &= ~bit
      this.#targets[source] = 0
    } else if ((this.#inputs() & bit) !== 0) this.#record.pending |= bit
  }

  /** What is level-sensitive can be made pending only while its input is up (AIA 4.7). */
  #setPending(bits: number): void {
    let levels = 0
    for (let source = 1; source < SOURCES; source++)
      if (this.#modes[source] >= SOURCE_MODE.LEVEL1) levels |= 1 << source
    this.#record.pending |= bits & this.#active() & (~levels | this.#inputs())
  }

  #setWire(port: HartPort, source: number, level: boolean): void {
    const record = this.#record
    const bit = 1 << source
    const before = this.#inputs() & bit
    if (level) record.wires |= bit
    else record.wires &= ~bit
    const after = this.#inputs() & bit
    if (after !== 0 && before === 0) record.pending |= bit
    else if (after === 0 && this.#modes[source] >= SOURCE_MODE.LEVEL1) record.pending &= ~bit
    this.#send(port)
  }

  #send(port: HartPort): void {
    const record = this.#record
    const ready = record.pending & record.open
    if (!record.enabled || ready === 0) return
    record.pending &= ~ready
    for (let source = 1; source < SOURCES; source++) {
      if (((ready >>> source) & 1) === 0) continue
      const aimed = this.#targets[source]
      this.#deliver(port, fieldOf(target.fields.HartIndex, aimed), fieldOf(target.fields.EIID, aimed))
    }
  }

  #active(): number {
    let active = 0
    for (let source = 1; source < SOURCES; source++) {
      if (this.#modes[source] !== SOURCE_MODE.INACTIVE) active |= 1 << source
    }
    return active
  }

  /** The rectified inputs. */
  #inputs(): number {
    let inputs = 0
    for (let source = 1; source < SOURCES; source++) {
      const mode = this.#modes[source]
      if (mode === SOURCE_MODE.INACTIVE || mode === SOURCE_MODE.DETACHED) continue
      const inverted = mode === SOURCE_MODE.EDGE0 || mode === SOURCE_MODE.LEVEL0 ? 1 : 0
      if (((this.#record.wires >>> source) & 1) !== inverted) inputs |= 1 << source
    }
    return inputs
  }
}

/** The source whose register of an array it is, 0 if it is none of 1 to 31. Arrays begin with source 1. */
function sourceAt(offset: number, first: number): number {
  const source = (offset - first) / 4 + 1
  return source >= 1 && source < SOURCES && offset % 4 === 0 ? source : 0
}

function bitOf(source: number): number {
  return source >= 1 && source < SOURCES ? 1 << source : 0
}
