/**
 * From the rings to the wire, one frame at a time; and to pools of the same card, which the wire never sees:
 *
 *   TDT ──fetch──▶ packet ──frames──▶ wire or switch ──'sent'──▶ write-back, TXDW
 */
import type { Plain, Saved } from '../../bus/chip.ts'
import { NIC_POOLS, nic } from '../../spec/devices/nic.ts'
import { nicFunction } from '../../spec/devices/nic-function.ts'
import type { NicPrices } from '../../time/prices-devices.ts'
import { isBroadcast, isMulticast } from './filter.ts'
import { CAUSE } from './interrupts.ts'
import type { Interrupts } from './interrupts.ts'
import { isPooled, spoofs, switched } from './pools.ts'
import type { RegisterFile } from './register-file.ts'
import { countSent } from './statistics.ts'
import type { Packet, Transmitter } from './transmit.ts'
import type { VirtualFunctions } from './virtual-functions.ts'

/** In place of an event's number. */
const NONE = -1
const CHECK = 4

/** What is on the wire: the packet, and how many of its frames have been sent. */
type Sending = { readonly packet: Packet; readonly sent: number }

export interface SenderParts {
  readonly registers: RegisterFile
  readonly transmitter: Transmitter
  readonly interrupts: Interrupts
  readonly prices: NicPrices
  readonly virtual: VirtualFunctions | undefined
  /** Calls the port with this event after so many nanoseconds. */
  later(nanoseconds: number, kind: string, payload: Plain): number
  cancel(event: number): void
  /** Puts a frame on the cable: an event 'sent' follows. Undefined if there is no link: the frame is lost then. */
  wire(frame: Uint8Array): number | undefined
  /** True while all that is sent comes back. */
  loops(): boolean
  /** The frame as the port itself receives it. */
  receive(frame: Uint8Array): void
}

export class Sender implements Saved {
  readonly #parts: SenderParts
  #sending: Sending | undefined
  #fetchEvent = NONE
  #sentEvent = NONE

  constructor(parts: SenderParts) {
    this.#parts = parts
  }

  reset(): void {
    for (const event of [this.#fetchEvent, this.#sentEvent]) if (event !== NONE) this.#parts.cancel(event)
    this.#fetchEvent = NONE
    this.#sentEvent = NONE
    this.#sending = undefined
  }

  /** A pool's queues have been reset: nothing is written back to them any more. */
  forget(pool: number): void {
    const sending = this.#sending
    if (!sending || sending.packet.queue % NIC_POOLS !== pool) return
    this.#sending = { packet: { ...sending.packet, next: 0, reports: [] }, sent: sending.sent }
  }

  /** There may be something in a ring. */
  fetchSoon(): void {
    const { later, prices } = this.#parts
    if (this.#fetchEvent === NONE && !this.#sending) this.#fetchEvent = later(prices.fetch, 'fetch', null)
  }

  /** Event 'fetch'. */
  fetch(): void {
    this.#fetchEvent = NONE
    if (!this.#sending) this.#sendNext()
  }

  #sendNext(): void {
    const { transmitter, interrupts } = this.#parts
    for (;;) {
      const packet = transmitter.fetch()
      if (!packet) return
      if (packet.frames.length > 0) {
        this.#sending = { packet, sent: 0 }
        if (packet.waited === 0) return this.translated()
        this.#sentEvent = this.#parts.later(packet.waited, 'translated', null)
        return
      }
      if (transmitter.report(packet)) interrupts.transmitted(packet.queue)
    }
  }

  /** Event 'translated', or there was nothing to wait for: the packet is in the card. */
  translated(): void {
    const { packet } = this.#sending!
    this.#sendFrame(packet.frames[0], packet.queue)
  }

  /** Without a link frames are taken from the rings all the same, and lost. */
  #sendFrame(frame: Uint8Array, queue: number): void {
    const { loops, receive, later, prices, wire } = this.#parts
    if (loops()) {
      receive(frame.slice())
      this.#sentEvent = later((frame.length * 8e9) / prices.lineRate, 'sent', null)
      return
    }
    const local = this.#switch(frame, queue)
    this.#sentEvent = (local.wire ? wire(frame) : undefined) ?? later(local.nanoseconds, 'sent', null)
  }

  /** Hands the frame to pools of this card that are to have it; the time is the switch's, if it was busy with it. */
  #switch(frame: Uint8Array, queue: number): { readonly wire: boolean; readonly nanoseconds: number } {
    const { registers, virtual, prices, later, interrupts } = this.#parts
    if (!virtual || !isPooled(registers)) return { wire: true, nanoseconds: 0 }
    const pool = queue % NIC_POOLS
    if (spoofs(registers, frame, pool)) {
      registers.set(nic.WVBR, registers.get(nic.WVBR) | (1 << queue))
      if (registers.field(nic.DTXCTL, nic.DTXCTL.fields.SPOOF_INT)) interrupts.other(CAUSE.DOUTSYNC)
      return { wire: false, nanoseconds: 0 }
    }
    virtual.count(queue, nicFunction.VFGPTC)
    virtual.count(queue, nicFunction.VFGOTC, frame.length + CHECK)
    const { pools, wire } = switched(registers, frame, pool)
    if (pools === 0) return { wire, nanoseconds: 0 }
    virtual.count(queue, nicFunction.VFGPTLBC)
    virtual.count(queue, nicFunction.VFGOTLBC, frame.length + CHECK)
    const nanoseconds = (frame.length * 8e9) / prices.switchRate
    later(nanoseconds, 'switched', { frame: frame.slice(), pools })
    return { wire, nanoseconds }
  }

  /** Event 'sent'. */
  sent(): void {
    this.#sentEvent = NONE
    const { registers, transmitter, interrupts } = this.#parts
    const { packet, sent } = this.#sending!
    const frame = packet.frames[sent]
    countSent(registers, frame.length + CHECK, isBroadcast(frame), isMulticast(frame))
    const next = packet.frames[sent + 1]
    if (next) {
      this.#sending = { packet, sent: sent + 1 }
      return this.#sendFrame(next, packet.queue)
    }
    this.#sending = undefined
    if (transmitter.report(packet)) interrupts.transmitted(packet.queue)
    this.#sendNext()
  }

  save(): Plain {
    const sending = this.#sending
    return {
      sending: sending
        ? {
            packet: { ...sending.packet, frames: [...sending.packet.frames], reports: [...sending.packet.reports] },
            sent: sending.sent,
          }
        : null,
      events: [this.#fetchEvent, this.#sentEvent],
    }
  }

  restore(state: Plain): void {
    const saved = state as { sending: Sending | null; events: readonly [number, number] }
    this.#sending = saved.sending ?? undefined
    ;[this.#fetchEvent, this.#sentEvent] = saved.events
  }
}
