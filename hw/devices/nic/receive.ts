/** The receive side: packet buffer, rings, descriptors. 82576 7.1. */
import type { Dma, Plain, Saved } from '../../bus/chip.ts'
import { nic } from '../../spec/devices/nic.ts'
import { PACKET_TYPE, receiveLegacy, receiveWriteBack } from '../../spec/layouts/nic-descriptors.ts'
import { add16, fold16, frameCheck, get16 } from './checksum.ts'
import { isBroadcast, isMulticast, isVlan, oversized, passes } from './filter.ts'
import { parse } from './frame.ts'
import type { Frame } from './frame.ts'
import { CAUSE } from './interrupts.ts'
import type { Interrupts } from './interrupts.ts'
import type { RegisterFile } from './register-file.ts'
import { scale } from './rss.ts'
import type { Scaled } from './rss.ts'
import { countReceived } from './statistics.ts'

const DESCRIPTOR = 16
const VLAN_TAG = 4
const KILOBYTE = 1024
const LEGACY = 0
/** Buffer bytes by RCTL.BSIZE, where SRRCTL has none. */
const SIZES = [2048, 1024, 512, 256] as const
const S = receiveWriteBack.STATUS.fields

export class Receiver implements Saved {
  readonly #registers: RegisterFile
  readonly #dma: Dma
  readonly #interrupts: Interrupts
  /** Frames that passed the filters, in the card's packet buffer. */
  #buffered: Uint8Array[] = []
  #bufferedBytes = 0

  constructor(registers: RegisterFile, dma: Dma, interrupts: Interrupts) {
    this.#registers = registers
    this.#dma = dma
    this.#interrupts = interrupts
  }

  reset(): void {
    this.#buffered = []
    this.#bufferedBytes = 0
  }

  /** A frame from the wire: true if it went into the packet buffer. */
  accept(frame: Uint8Array, intact: boolean): boolean {
    const registers = this.#registers
    if (!registers.field(nic.RCTL, nic.RCTL.fields.RXEN)) return false
    registers.count(nic.TPR)
    registers.countLong(nic.TORL, nic.TORH, frame.length + 4)
    if (!intact) {
      registers.count(nic.CRCERRS)
      return false
    }
    if (oversized(registers, frame)) {
      registers.count(nic.ROC)
      return false
    }
    if (passes(registers, frame) === 'no') return false
    if (this.#bufferedBytes + frame.length > registers.field(nic.RXPBS, nic.RXPBS.fields.SIZE) * KILOBYTE) {
      registers.count(nic.MPC)
      this.#interrupts.other(CAUSE.RXMISS)
      return false
    }
    this.#buffered.push(frame)
    this.#bufferedBytes += frame.length
    return true
  }

  /** Moves what it can from the packet buffer to memory, in order. */
  deliver(): void {
    while (this.#buffered.length > 0) {
      const frame = this.#buffered[0]
      if (!this.#deliverOne(frame)) return
      this.#buffered.shift()
      this.#bufferedBytes -= frame.length
    }
  }

  /** False if the frame has to wait for descriptors. */
  #deliverOne(frame: Uint8Array): boolean {
    const registers = this.#registers
    const parsed = parse(frame)
    const scaled = scale(registers, frame, parsed)
    const { queue } = scaled
    if (!registers.field(nic.RXDCTL, nic.RXDCTL.fields.ENABLE, queue)) return true
    const strip = isVlan(frame) && registers.field(nic.CTRL, nic.CTRL.fields.VME) === 1
    const data = this.#stored(frame, strip)
    const size = (registers.get(nic.RDLEN, queue) & 0xf_ff80) / DESCRIPTOR
    const bufferBytes = this.#bufferBytes(queue)
    const needed = Math.ceil(data.length / bufferBytes)
    const head = registers.get(nic.RDH, queue)
    const free = size === 0 ? 0 : (registers.get(nic.RDT, queue) - head + size) % size
    if (needed > free) {
      if (!registers.field(nic.SRRCTL, nic.SRRCTL.fields.DROP_EN, queue))
        return needed > Math.max(size - 1, 0) && size > 0
      registers.count(nic.RQDPC, 1, queue)
      registers.count(nic.RNBC)
      return true
    }
    for (let i = 0; i < needed; i++) {
      const part = data.subarray(i * bufferBytes, (i + 1) * bufferBytes)
      this.#fill(queue, (head + i) % size, part, i === needed - 1 ? { frame, parsed, scaled, strip } : undefined)
    }
    registers.set(nic.RDH, (head + needed) % size, queue)
    countReceived(registers, frame.length + 4, isBroadcast(frame), isMulticast(frame))
    const threshold = registers.field(nic.SRRCTL, nic.SRRCTL.fields.RDMTS, queue) * 16
    const low = free - needed <= threshold && free > threshold
    this.#interrupts.received(queue, low ? CAUSE.RXDMT0 : 0)
    return true
  }

  /** The bytes that go to memory: without the tag that is stripped, with the check sequence unless RCTL strips it. */
  #stored(frame: Uint8Array, strip: boolean): Uint8Array {
    const check = this.#registers.field(nic.RCTL, nic.RCTL.fields.SECRC) ? 0 : 4
    const cut = strip ? VLAN_TAG : 0
    const data = new Uint8Array(frame.length - cut + check)
    data.set(frame.subarray(0, 12))
    data.set(frame.subarray(12 + cut), 12)
    if (check) new DataView(data.buffer).setUint32(data.length - check, frameCheck(frame), true)
    return data
  }

  #bufferBytes(queue: number): number {
    const kilobytes = this.#registers.field(nic.SRRCTL, nic.SRRCTL.fields.BSIZEPACKET, queue)
    return kilobytes > 0 ? kilobytes * KILOBYTE : SIZES[this.#registers.field(nic.RCTL, nic.RCTL.fields.BSIZE)]
  }

  #fill(queue: number, index: number, part: Uint8Array, last: Last | undefined): void {
    const registers = this.#registers
    const base = registers.get(nic.RDBAH, queue) * 2 ** 32 + ((registers.get(nic.RDBAL, queue) & ~0x7f) >>> 0)
    const at = base + index * DESCRIPTOR
    const descriptor = new Uint8Array(DESCRIPTOR)
    if (!this.#dma.read(at, descriptor)) return
    const view = new DataView(descriptor.buffer)
    const address = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true)
    if (address !== 0) this.#dma.write(address, part)
    if (registers.field(nic.SRRCTL, nic.SRRCTL.fields.DESCTYPE, queue) === LEGACY) this.#legacy(view, part.length, last)
    else this.#advanced(view, part.length, last)
    this.#dma.write(at, descriptor)
  }

  #advanced(view: DataView, length: number, last: Last | undefined): void {
    const W = receiveWriteBack
    for (let i = 0; i < DESCRIPTOR; i += 4) view.setUint32(i, 0, true)
    view.setUint16(W.LENGTH.at, length, true)
    if (last) {
      const { frame, parsed, scaled, strip } = last
      view.setUint32(W.INFO.at, scaled.type | (parsed.type << W.INFO.fields.PACKET_TYPE.low), true)
      if (this.#registers.field(nic.RXCSUM, nic.RXCSUM.fields.PCSD)) view.setUint32(W.HASH.at, scaled.hash, true)
      else {
        const isV4 = (parsed.type & PACKET_TYPE.IPV4) !== 0
        view.setUint32(W.HASH.at, (isV4 ? get16(frame, parsed.network + 4) : 0) | (this.#packetSum(frame) << 16), true)
      }
      if (strip) view.setUint16(W.VLAN.at, get16(frame, 14), true)
    }
    view.setUint32(W.STATUS.at, this.#status(last), true)
  }

  #legacy(view: DataView, length: number, last: Last | undefined): void {
    const status = this.#status(last)
    const W = receiveLegacy
    view.setUint16(W.LENGTH.at, length, true)
    view.setUint16(W.CHECKSUM.at, last ? this.#packetSum(last.frame) : 0, true)
    view.setUint8(W.STATUS.at, status & 0xff)
    view.setUint8(W.ERRORS.at, status >>> 24)
    view.setUint16(W.VLAN.at, last?.strip ? get16(last.frame, 14) : 0, true)
  }

  /** Status and errors as an advanced descriptor has them; the low byte and the high byte are the legacy ones. */
  #status(last: Last | undefined): number {
    const bit = (field: { readonly low: number }, set: boolean) => (set ? 2 ** field.low : 0)
    if (!last) return bit(S.DD, true)
    const { frame, parsed, strip } = last
    const registers = this.#registers
    const checkIp = registers.field(nic.RXCSUM, nic.RXCSUM.fields.IPOFLD) === 1 && parsed.networkSumHolds !== undefined
    const checkL4 =
      registers.field(nic.RXCSUM, nic.RXCSUM.fields.TUOFLD) === 1 && parsed.transportSumHolds !== undefined
    const udp = (parsed.type & PACKET_TYPE.UDP) !== 0
    return (
      bit(S.DD, true) +
      bit(S.EOP, true) +
      bit(S.VP, strip) +
      bit(S.UDPCS, checkL4 && udp) +
      bit(S.L4I, checkL4) +
      bit(S.IPCS, checkIp) +
      bit(S.PIF, passes(registers, frame) === 'inexact') +
      bit(S.L4E, checkL4 && !parsed.transportSumHolds) +
      bit(S.IPE, checkIp && !parsed.networkSumHolds)
    )
  }

  /** The sum over the frame from RXCSUM.PCSS on. */
  #packetSum(frame: Uint8Array): number {
    const start = this.#registers.field(nic.RXCSUM, nic.RXCSUM.fields.PCSS)
    return start < frame.length ? fold16(add16(frame, start, frame.length)) : 0
  }

  save(): Plain {
    return this.#buffered.map(frame => frame.slice())
  }

  restore(state: Plain): void {
    this.#buffered = (state as readonly Uint8Array[]).map(frame => frame.slice())
    this.#bufferedBytes = this.#buffered.reduce((sum, frame) => sum + frame.length, 0)
  }
}

interface Last {
  readonly frame: Uint8Array
  readonly parsed: Frame
  readonly scaled: Scaled
  readonly strip: boolean
}
