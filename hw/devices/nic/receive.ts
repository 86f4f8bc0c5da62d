/** The receive side: packet buffer, rings, descriptors. 82576 7.1. */
import type { Dma, Plain, Saved } from '../../bus/chip.ts'
import { NIC_POOLS, nic } from '../../spec/devices/nic.ts'
import { nicFunction } from '../../spec/devices/nic-function.ts'
import { PACKET_TYPE, receiveLegacy, receiveWriteBack } from '../../spec/layouts/nic-descriptors.ts'
import { fieldOf } from '../../spec/registers.ts'
import { add16, fold16, frameCheck, get16 } from './checksum.ts'
import { isBroadcast, isMulticast, isVlan, oversized, passes } from './filter.ts'
import { parse } from './frame.ts'
import type { Frame } from './frame.ts'
import { CAUSE } from './interrupts.ts'
import type { Interrupts } from './interrupts.ts'
import { isPooled, poolsFor } from './pools.ts'
import type { RegisterFile } from './register-file.ts'
import { scale } from './rss.ts'
import type { Scaled } from './rss.ts'
import { countReceived } from './statistics.ts'
import type { VirtualFunctions } from './virtual-functions.ts'

const DESCRIPTOR = 16
const VLAN_TAG = 4
const KILOBYTE = 1024
const LEGACY = 0
/** Buffer bytes by RCTL.BSIZE, where SRRCTL has none. */
const SIZES = [2048, 1024, 512, 256] as const
const S = receiveWriteBack.STATUS.fields

export class Receiver implements Saved {
  readonly #registers: RegisterFile
  readonly #memory: (queue: number) => Dma
  readonly #interrupts: Interrupts
  readonly #virtual: VirtualFunctions | undefined
  readonly #arrived: Arrived
  /** Frames that passed the filters, in the card's packet buffer, each with the pools that are still to have it. */
  #buffered: Buffered[] = []
  #bufferedBytes = 0

  /** `memory` is what a queue's descriptors and buffers are in. */
  constructor(
    registers: RegisterFile,
    memory: (queue: number) => Dma,
    interrupts: Interrupts,
    arrived: Arrived,
    virtual?: VirtualFunctions,
  ) {
    this.#registers = registers
    this.#memory = memory
    this.#interrupts = interrupts
    this.#arrived = arrived
    this.#virtual = virtual
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
    if (!isPooled(registers))
      return passes(registers, frame) !== 'no' && this.#buffer({ frame, pools: 0, local: false })
    const pools = poolsFor(registers, frame)
    return pools !== 0 && this.#buffer({ frame, pools, local: false })
  }

  /** A frame from one of the card's own pools, for others: true if it went into the packet buffer. */
  admit(frame: Uint8Array, pools: number): boolean {
    if (!this.#registers.field(nic.RCTL, nic.RCTL.fields.RXEN)) return false
    return this.#buffer({ frame, pools, local: true })
  }

  #buffer(arrived: Buffered): boolean {
    const registers = this.#registers
    const { length } = arrived.frame
    if (this.#bufferedBytes + length > registers.field(nic.RXPBS, nic.RXPBS.fields.SIZE) * KILOBYTE) {
      registers.count(nic.MPC)
      this.#interrupts.other(CAUSE.RXMISS)
      return false
    }
    this.#buffered.push(arrived)
    this.#bufferedBytes += length
    return true
  }

  /** Moves what it can from the packet buffer to memory, in order. */
  deliver(): void {
    while (this.#buffered.length > 0) {
      const first = this.#buffered[0]
      if (!this.#deliverAll(first)) return
      this.#buffered.shift()
      this.#bufferedBytes -= first.frame.length
    }
  }

  /** False if a pool, or whoever it is for, has to wait for descriptors. */
  #deliverAll(first: Buffered): boolean {
    const parsed = parse(first.frame)
    const scaled = scale(this.#registers, first.frame, parsed)
    if (!isPooled(this.#registers)) return this.#deliverOne(first, parsed, scaled)
    for (let pool = 0; pool < NIC_POOLS; pool++) {
      if (!((first.pools >>> pool) & 1)) continue
      const isScaled = this.#registers.field(nic.VMOLR, nic.VMOLR.fields.RSSE, pool) === 1
      const own = isScaled ? { ...scaled, queue: pool + (scaled.queue & NIC_POOLS) } : { queue: pool, hash: 0, type: 0 }
      if (!this.#deliverOne(first, parsed, own)) return false
      first.pools &= ~(1 << pool)
    }
    return true
  }

  /** False if the frame has to wait for descriptors. */
  #deliverOne({ frame, local }: Buffered, parsed: Frame, scaled: Scaled): boolean {
    const registers = this.#registers
    const { queue } = scaled
    if (!registers.field(nic.RXDCTL, nic.RXDCTL.fields.ENABLE, queue)) return true
    const offloads = this.#offloads(frame, queue)
    const strip = isVlan(frame) && offloads.vlan
    const data = this.#stored(frame, strip, offloads.check)
    const size = (registers.get(nic.RDLEN, queue) & 0xf_ff80) / DESCRIPTOR
    const bufferBytes = this.#bufferBytes(queue)
    const needed = Math.ceil(data.length / bufferBytes)
    const head = registers.get(nic.RDH, queue)
    const free = size === 0 ? 0 : (registers.get(nic.RDT, queue) - head + size) % size
    if (needed > free) {
      const drops =
        registers.field(nic.SRRCTL, nic.SRRCTL.fields.DROP_EN, queue) === 1 ||
        ((registers.field(nic.QDE, nic.QDE.fields.QUEUE) >>> queue) & 1) === 1
      if (!drops) return needed > Math.max(size - 1, 0) && size > 0
      registers.count(nic.RQDPC, 1, queue)
      registers.count(nic.RNBC)
      return true
    }
    const dma = this.#memory(queue)
    dma.waited?.()
    for (let i = 0; i < needed; i++) {
      const part = data.subarray(i * bufferBytes, (i + 1) * bufferBytes)
      this.#fill(queue, (head + i) % size, part, i === needed - 1 ? { frame, parsed, scaled, strip } : undefined)
    }
    registers.set(nic.RDH, (head + needed) % size, queue)
    countReceived(registers, frame.length + 4, isBroadcast(frame), isMulticast(frame))
    this.#countPool(queue, frame, local)
    const threshold = registers.field(nic.SRRCTL, nic.SRRCTL.fields.RDMTS, queue) * 16
    const low = free - needed <= threshold && free > threshold
    this.#arrived(queue, low ? CAUSE.RXDMT0 : 0, dma.waited?.() ?? 0)
    return true
  }

  #countPool(queue: number, frame: Uint8Array, local: boolean): void {
    const virtual = this.#virtual
    if (!virtual) return
    virtual.count(queue, local ? nicFunction.VFGPRLBC : nicFunction.VFGPRC)
    virtual.count(queue, local ? nicFunction.VFGORLBC : nicFunction.VFGORC, frame.length + 4)
    if (isMulticast(frame)) virtual.count(queue, nicFunction.VFMPRC)
  }

  /** Whether the VLAN tag and the check sequence are taken off: each pool has its own say, and replicated frames theirs (7.10.3.8). */
  #offloads(frame: Uint8Array, queue: number): { readonly vlan: boolean; readonly check: boolean } {
    const registers = this.#registers
    const always = registers.field(nic.RCTL, nic.RCTL.fields.SECRC) === 1
    if (!isPooled(registers)) return { vlan: registers.field(nic.CTRL, nic.CTRL.fields.VME) === 1, check: always }
    const { STRVLAN, STRCRC } = nic.RPLOLR.fields
    const word = isMulticast(frame) ? registers.get(nic.RPLOLR) : registers.get(nic.VMOLR, queue % NIC_POOLS)
    return { vlan: fieldOf(STRVLAN, word) === 1, check: always || fieldOf(STRCRC, word) === 1 }
  }

  /** The bytes that go to memory: without the tag and the check sequence that are stripped. */
  #stored(frame: Uint8Array, strip: boolean, stripCheck: boolean): Uint8Array {
    const check = stripCheck ? 0 : 4
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
    const dma = this.#memory(queue)
    if (!dma.read(at, descriptor)) return
    const view = new DataView(descriptor.buffer)
    const address = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true)
    if (address !== 0) dma.write(address, part)
    if (registers.field(nic.SRRCTL, nic.SRRCTL.fields.DESCTYPE, queue) === LEGACY) this.#legacy(view, part.length, last)
    else this.#advanced(view, part.length, last)
    dma.write(at, descriptor)
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
    return this.#buffered.map(buffered => ({ ...buffered, frame: buffered.frame.slice() }))
  }

  restore(state: Plain): void {
    this.#buffered = (state as unknown as readonly Buffered[]).map(saved => ({ ...saved, frame: saved.frame.slice() }))
    this.#bufferedBytes = this.#buffered.reduce((sum, { frame }) => sum + frame.length, 0)
  }
}

/** A frame and its descriptor are in memory after so many nanoseconds: `causes` of ICR beside the queue's. */
export type Arrived = (queue: number, causes: number, nanoseconds: number) => void

interface Buffered {
  readonly frame: Uint8Array
  /** Pools that are still to have it, as a mask; none if the card does not sort by pool. */
  pools: number
  /** It came from another pool, not from the wire. */
  readonly local: boolean
}

interface Last {
  readonly frame: Uint8Array
  readonly parsed: Frame
  readonly scaled: Scaled
  readonly strip: boolean
}
