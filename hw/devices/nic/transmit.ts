/** The transmit side: rings, descriptors, packets to frames. 82576 7.2. One frame is on the wire at a time. */
import type { Dma, Plain, Saved } from '../../bus/chip.ts'
import { restoreWords, savedWords } from '../../bus/saved-words.ts'
import { NIC_POOLS, NIC_QUEUES, nic } from '../../spec/devices/nic.ts'
import { TRANSMIT_TYPE, transmitContext, transmitData, transmitLegacy } from '../../spec/layouts/nic-descriptors.ts'
import { fieldOf } from '../../spec/registers.ts'
import { add16, fold16, put16 } from './checksum.ts'
import { insertChecksums, segment, tagged } from './offloads.ts'
import type { Offload } from './offloads.ts'
import { isPooled } from './pools.ts'
import type { RegisterFile } from './register-file.ts'

const DESCRIPTOR = 16
const CONTEXTS = 2
const CONTEXT_WORDS = 4
const SHORTEST_FRAME = 60
/** What one packet may hold (PAYLEN has 18 bits), and one frame. Longer ones are not sent. */
const LONGEST_PACKET = 0x4_0000
const LONGEST_FRAME = 9728
/** VMVIR.VLANA, and in place of a VLAN tag. */
const ALWAYS = 1
const NEVER = 2
const NO_TAG = -1
const D = transmitData
const L = transmitLegacy

/** A packet fetched from a ring: its frames, and the descriptors to hand back once they are sent. */
export interface Packet {
  readonly queue: number
  readonly frames: readonly Uint8Array[]
  /** Ring index behind its last descriptor. */
  readonly next: number
  /** Indexes whose descriptors asked for a report (RS). */
  readonly reports: readonly number[]
  /** Nanoseconds that translation took on the way. */
  readonly waited: number
}

export class Transmitter implements Saved {
  readonly #registers: RegisterFile
  readonly #memory: (queue: number) => Dma
  /** Context descriptors, two a queue. */
  readonly #contexts = new Uint32Array(NIC_QUEUES * CONTEXTS * CONTEXT_WORDS)
  #turn = 0

  /** `memory` is what a queue's descriptors and buffers are in. */
  constructor(registers: RegisterFile, memory: (queue: number) => Dma) {
    this.#registers = registers
    this.#memory = memory
  }

  reset(): void {
    this.#contexts.fill(0)
    this.#turn = 0
  }

  /** The next whole packet, the queues taking turns; nothing if none is there. */
  fetch(): Packet | undefined {
    if (!this.#registers.field(nic.TCTL, nic.TCTL.fields.EN)) return undefined
    const pooled = isPooled(this.#registers)
    for (let step = 1; step <= NIC_QUEUES; step++) {
      const queue = (this.#turn + step) % NIC_QUEUES
      if (!this.#registers.field(nic.TXDCTL, nic.TXDCTL.fields.ENABLE, queue)) continue
      if (pooled && !((this.#registers.field(nic.VFTE, nic.VFTE.fields.VF) >>> (queue % NIC_POOLS)) & 1)) continue
      const packet = this.#take(queue)
      if (!packet) continue
      this.#turn = queue
      return packet
    }
    return undefined
  }

  /** Writes back what the packet's descriptors asked for; true if an interrupt cause follows. */
  report(packet: Packet): boolean {
    const { queue, next, reports } = packet
    this.#registers.set(nic.TDH, next, queue)
    if (reports.length === 0) return false
    const base = this.#base(queue)
    const dma = this.#memory(queue)
    const writeBack = this.#registers.get(nic.TDWBAL, queue)
    if (fieldOf(nic.TDWBAL.fields.HEAD_WB_EN, writeBack)) {
      const head = new Uint8Array(4)
      new DataView(head.buffer).setUint32(0, next, true)
      dma.write(this.#registers.get(nic.TDWBAH, queue) * 2 ** 32 + ((writeBack & ~3) >>> 0), head)
      return true
    }
    for (const index of reports) dma.write(base + index * DESCRIPTOR + D.OPTIONS.at, new Uint8Array([1]))
    return true
  }

  #base(queue: number): number {
    return this.#registers.get(nic.TDBAH, queue) * 2 ** 32 + ((this.#registers.get(nic.TDBAL, queue) & ~0x7f) >>> 0)
  }

  #take(queue: number): Packet | undefined {
    const size = (this.#registers.get(nic.TDLEN, queue) & 0xf_ff80) / DESCRIPTOR
    const tail = this.#registers.get(nic.TDT, queue)
    if (size === 0 || tail >= size) return undefined
    const base = this.#base(queue)
    const dma = this.#memory(queue)
    // nobody waits for what was posted before
    dma.waited?.()
    const parts: Uint8Array[] = []
    let bytes = 0
    const reports: number[] = []
    let first: DataView | undefined
    let index = this.#registers.get(nic.TDH, queue)
    while (index !== tail) {
      const descriptor = new Uint8Array(DESCRIPTOR)
      if (!dma.read(base + index * DESCRIPTOR, descriptor)) return undefined
      const view = new DataView(descriptor.buffer)
      const command = view.getUint32(D.COMMAND.at, true)
      const extended = fieldOf(D.COMMAND.fields.DEXT, command) === 1
      if (fieldOf(D.COMMAND.fields.RS, command)) reports.push(index)
      index = (index + 1) % size
      if (extended && fieldOf(D.COMMAND.fields.DTYP, command) === TRANSMIT_TYPE.CONTEXT) {
        this.#remember(queue, view)
        // the last thing in the ring: done with, though no packet follows
        if (!first && index === tail) return { queue, frames: [], next: index, reports, waited: 0 }
        continue
      }
      first ??= view
      const length = fieldOf(extended ? D.COMMAND.fields.DTALEN : L.COMMAND.fields.LENGTH, command)
      bytes += length
      if (bytes <= LONGEST_PACKET) {
        const data = new Uint8Array(length)
        // what cannot be read is sent as zeros: the bus has reported it, the ring goes on
        dma.read(view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true), data)
        parts.push(data)
      }
      if (!fieldOf(D.COMMAND.fields.EOP, command)) continue
      const frames = bytes <= LONGEST_PACKET ? this.#frames(queue, first, view, join(parts)) : []
      return {
        queue,
        frames: frames.filter(frame => frame.length > 0 && frame.length <= LONGEST_FRAME),
        next: index,
        reports,
        waited: dma.waited?.() ?? 0,
      }
    }
    return undefined
  }

  #remember(queue: number, view: DataView): void {
    const index =
      fieldOf(transmitContext.SEGMENT.fields.IDX, view.getUint32(transmitContext.SEGMENT.at, true)) % CONTEXTS
    const at = (queue * CONTEXTS + index) * CONTEXT_WORDS
    for (let i = 0; i < CONTEXT_WORDS; i++) this.#contexts[at + i] = view.getUint32(i * 4, true)
  }

  #frames(queue: number, first: DataView, last: DataView, packet: Uint8Array): Uint8Array[] {
    const command = first.getUint32(D.COMMAND.at, true)
    if (!fieldOf(D.COMMAND.fields.DEXT, command)) return [this.#padded(legacy(last, packet))]
    const options = first.getUint32(D.OPTIONS.at, true)
    const at = (queue * CONTEXTS + (fieldOf(D.OPTIONS.fields.IDX, options) % CONTEXTS)) * CONTEXT_WORDS
    const [lengths, , types, sizes] = this.#contexts.subarray(at, at + CONTEXT_WORDS) as unknown as readonly [
      number,
      number,
      number,
      number,
    ]
    const { LENGTHS, COMMAND, SEGMENT } = transmitContext
    const offload: Offload = {
      macLength: fieldOf(LENGTHS.fields.MACLEN, lengths),
      ipLength: fieldOf(LENGTHS.fields.IPLEN, lengths),
      l4Length: fieldOf(SEGMENT.fields.L4LEN, sizes),
      ipv4: fieldOf(COMMAND.fields.IPV4, types) === 1,
      l4: fieldOf(COMMAND.fields.L4T, types),
      insertIpSum: fieldOf(D.OPTIONS.fields.IXSM, options) === 1,
      insertL4Sum: fieldOf(D.OPTIONS.fields.TXSM, options) === 1,
    }
    let frames: Uint8Array[]
    if (fieldOf(D.COMMAND.fields.TSE, command)) {
      this.#registers.count(nic.TSCTC)
      frames = segment(packet, offload, fieldOf(SEGMENT.fields.MSS, sizes))
    } else {
      insertChecksums(packet, offload)
      frames = [packet]
    }
    const tag = this.#tag(
      queue,
      fieldOf(D.COMMAND.fields.VLE, command) ? fieldOf(LENGTHS.fields.VLAN, lengths) : NO_TAG,
    )
    if (tag !== NO_TAG) frames = frames.map(frame => tagged(frame, tag))
    return frames.map(frame => this.#padded(frame))
  }

  /** The VLAN tag to insert: the descriptor's, unless the pool always has its own or never has one. */
  #tag(queue: number, asked: number): number {
    if (!isPooled(this.#registers)) return asked
    const { VLANA, PORT_VLAN } = nic.VMVIR.fields
    const how = this.#registers.field(nic.VMVIR, VLANA, queue % NIC_POOLS)
    if (how === ALWAYS) return this.#registers.field(nic.VMVIR, PORT_VLAN, queue % NIC_POOLS)
    return how === NEVER ? NO_TAG : asked
  }

  #padded(frame: Uint8Array): Uint8Array {
    if (frame.length >= SHORTEST_FRAME || !this.#registers.field(nic.TCTL, nic.TCTL.fields.PSP)) return frame
    const longer = new Uint8Array(SHORTEST_FRAME)
    longer.set(frame)
    return longer
  }

  save(): Plain {
    return { contexts: savedWords(this.#contexts), turn: this.#turn }
  }

  restore(state: Plain): void {
    const saved = state as { contexts: Uint8Array; turn: number }
    restoreWords(this.#contexts, saved.contexts)
    this.#turn = saved.turn
  }
}

/** Legacy descriptors insert one checksum, from CSS to the end, at CSO (7.2.2.1). */
function legacy(last: DataView, packet: Uint8Array): Uint8Array {
  const command = last.getUint32(L.COMMAND.at, true)
  const status = last.getUint32(L.STATUS.at, true)
  const at = fieldOf(L.COMMAND.fields.CSO, command)
  const start = fieldOf(L.STATUS.fields.CSS, status)
  if (fieldOf(L.COMMAND.fields.IC, command) && at + 2 <= packet.length && start < packet.length) {
    put16(packet, at, ~fold16(add16(packet, start, packet.length)) & 0xffff)
  }
  return fieldOf(L.COMMAND.fields.VLE, command) ? tagged(packet, fieldOf(L.STATUS.fields.VLAN, status)) : packet
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
