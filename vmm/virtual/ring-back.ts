/**
 * A driver domain's doorbell page: it learns of guests and their events, and has what they granted mapped into its grant
 * window, or copied. Every operation is checked against the guest's grant table when it is done; what is unmapped is out of
 * the domain's reach, and of its devices', when the call is over. Whether a domain does its work is seen by what no guest
 * can pretend: that it acknowledges the VMM's own events, and gives back what it has mapped.
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { RING_ID, ringBack } from '../../hw/spec/devices/ring.ts'
import {
  grant,
  GRANT_DONE,
  GRANT_REFUSED,
  GRANT_USED,
  GRANT_WINDOW,
  grantOperation,
  GRANTS,
  MOST_OPERATIONS,
} from '../../hw/spec/layouts/grant.ts'
import { RING_PAGES } from '../../hw/spec/layouts/ring.ts'
import type { GuestMemory, VirtualChip, VirtualLine } from './chip.ts'
import type { RingFront } from './ring-front.ts'

const PAGE = 4096
const WINDOW_PAGES = GRANT_WINDOW.bytes / PAGE
/** Looks after which a domain is hung that has not begun to listen. */
const SILENT = 200
/** Of pages, ages that are told apart: a power of two, more than the longest patience. */
const AGES = 128
export const LONGEST_PATIENCE = 64

/** The domain's second stage, and its device's. */
export interface GrantWindow {
  /** False if there is no memory for a table. */
  map(port: HartPort, at: number, page: number, write: boolean): boolean
  unmap(port: HartPort, at: number): void
  /** Nobody reaches what was unmapped any more when this returns. */
  forget(port: HartPort): void
}

export class RingBack implements VirtualChip {
  readonly state: Readonly<Record<string, StateRecord>>
  readonly fronts: RingFront[] = []
  /** `looks`: how often anybody has looked; `deaf`: how often since the domain last did what it has to; `told`: events sent to guests. */
  readonly #record = { channel: 0, events: 0, operations: 0, raised: false, looks: 0, deaf: 0, told: 0 }
  /** By page of the grant window: which grant of which channel it shows, plus one; 0: none. */
  readonly #shown = new Int32Array(WINDOW_PAGES)
  /** By page: at which look it has come, modulo AGES; by that: how many there are, but for rings', which stay. */
  readonly #since = new Uint8Array(WINDOW_PAGES)
  readonly #held = new Int32Array(AGES)
  readonly #memory: GuestMemory
  readonly #line: VirtualLine
  readonly #window: GrantWindow

  constructor(name: string, memory: GuestMemory, line: VirtualLine, window: GrantWindow) {
    this.#memory = memory
    this.#line = line
    this.#window = window
    this.state = {
      [`${name} back`]: this.#record,
      [`${name} grants`]: this.#shown,
      [`${name} grants since`]: this.#since,
      [`${name} grants held`]: this.#held,
    }
  }

  read(_port: HartPort, offset: number, bytes: 1 | 2 | 4): number {
    if (bytes !== 4) return 0
    if (offset === ringBack.MagicValue.at) return ringBack.MagicValue.reset
    if (offset === ringBack.DeviceID.at) return RING_ID.backend
    if (offset === ringBack.Channels.at) return this.fronts.length
    const { channel } = this.#record
    if (channel >= this.fronts.length) return 0
    const front = this.fronts[channel]
    const { first, sectors, station, vlan } = front.facts
    if (offset === ringBack.Connected.at) return front.isConnected() ? 1 : 0
    if (offset === ringBack.First.at) return first >>> 0
    if (offset === ringBack.First.at + 4) return Math.floor(first / 2 ** 32)
    if (offset === ringBack.Sectors.at) return sectors >>> 0
    if (offset === ringBack.Sectors.at + 4) return Math.floor(sectors / 2 ** 32)
    if (offset === ringBack.Station.at) return station >>> 0
    if (offset === ringBack.Station.at + 4) return Math.floor(station / 2 ** 32)
    return offset === ringBack.Vlan.at ? vlan : 0
  }

  write(port: HartPort, offset: number, bytes: 1 | 2 | 4, value: number): void {
    const record = this.#record
    if (bytes !== 4) return
    if (offset === ringBack.Notify.at) {
      if (value >= this.fronts.length) return
      record.told++
      this.fronts[value].notify(port)
    } else if (offset === ringBack.Acknowledge.at) {
      record.raised = false
      record.deaf = 0
      this.#line.set(port, false)
    } else if (offset === ringBack.Map.at) this.#map(port, value)
    else if (offset === ringBack.Unmap.at) this.#unmap(port, value)
    else if (offset === ringBack.CopyIn.at) this.#copy(port, value, false)
    else if (offset === ringBack.CopyOut.at) this.#copy(port, value, true)
    else if (offset === ringBack.Channel.at) record.channel = value
    else if (offset === ringBack.Events.at) record.events = value
    else if (offset === ringBack.Events.at + 4) {
      record.events += value * 2 ** 32
      record.deaf = 0
      this.#tellAll(port)
    } else if (offset === ringBack.Operations.at) record.operations = value
    else if (offset === ringBack.Operations.at + 4) record.operations += value * 2 ** 32
  }

  /** A channel's guest has sent an event; behind the last channel, the VMM has. */
  event(port: HartPort, channel: number): void {
    const record = this.#record
    if (record.events === 0) return
    const word = this.#memory.reach(port, record.events + channel * 4, 4)
    if (word < 0) return
    port.store32(word, 1)
    this.#raise(port)
  }

  #raise(port: HartPort): void {
    const record = this.#record
    if (record.raised) return
    record.raised = true
    this.#line.set(port, true)
  }

  /**
   * Every now and then, while the domain has its turns: true if it is hung, which is when it has not acknowledged an event,
   * or given back a page, for so many looks. It is sent an event that is nobody's, for the next time.
   */
  look(port: HartPort, patience: number): boolean {
    const record = this.#record
    record.looks++
    record.deaf++
    if (record.deaf > (record.events === 0 ? SILENT : patience)) return true
    for (let age = patience; age <= LONGEST_PATIENCE; age++) {
      if (this.#held[(record.looks - age) & (AGES - 1)] > 0) return true
    }
    if (record.events !== 0) this.event(port, this.fronts.length)
    return false
  }

  /** The domain is dead, on no hart, and its device reaches nothing: its guests have back what they granted. `how`: RING_OPEN. */
  reset(port: HartPort, how: number): void {
    const record = this.#record
    for (let page = 0; page < WINDOW_PAGES; page++) if (this.#shown[page] !== 0) this.#hide(port, page)
    this.#window.forget(port)
    record.events = 0
    record.deaf = 0
    record.raised = false
    this.lose(port, how)
  }

  /** Tells its guests what has become of it: RING_OPEN. */
  lose(port: HartPort, how: number): void {
    for (let channel = 0; channel < this.fronts.length; channel++) this.fronts[channel].lose(port, how)
  }

  /** How often it has told its guests anything. */
  told(): number {
    return this.#record.told
  }

  /** The domain listens from now on: what came before is told. */
  #tellAll(port: HartPort): void {
    for (let channel = 0; channel < this.fronts.length; channel++) {
      if (this.fronts[channel].isConnected()) this.event(port, channel)
    }
  }

  /** Where a batch of operations lies; -1 if it is none. */
  #batch(port: HartPort, count: number): number {
    const { operations } = this.#record
    if (count < 1 || count > MOST_OPERATIONS || operations % 8 !== 0) return -1
    return this.#memory.reach(port, operations, count * grantOperation.size)
  }

  /** The page of the grant window that an operation is about, by number; -1 if it is none. */
  #pageOf(port: HartPort, operation: number): number {
    const at = port.load64(operation + grantOperation.at.at)
    const page = (at - GRANT_WINDOW.base) / PAGE
    return at % PAGE === 0 && page >= 0 && page < WINDOW_PAGES ? page : -1
  }

  #map(port: HartPort, count: number): void {
    let at = this.#batch(port, count)
    if (at < 0) return
    for (let left = count; left > 0; left--) {
      port.store32(at + grantOperation.status.at, this.#show(port, at) ? GRANT_DONE : GRANT_REFUSED)
      at += grantOperation.size
    }
  }

  #show(port: HartPort, operation: number): boolean {
    const channel = port.load32(operation + grantOperation.channel.at)
    const reference = port.load32(operation + grantOperation.grant.at)
    const write = port.load32(operation + grantOperation.write.at) === 1
    const page = this.#pageOf(port, operation)
    if (channel >= this.fronts.length || page < 0 || this.#shown[page] !== 0) return false
    const front = this.fronts[channel]
    const entry = front.entryOf(port, reference)
    if (entry < 0) return false
    const host = front.granted(port, entry, write)
    if (host < 0 || !this.#window.map(port, GRANT_WINDOW.base + page * PAGE, host, write)) return false
    port.store16(entry + grant.flags.at, port.load16(entry + grant.flags.at) | GRANT_USED)
    this.#shown[page] = channel * GRANTS + reference + 1
    if (reference < RING_PAGES) return true
    const now = this.#record.looks & (AGES - 1)
    this.#since[page] = now
    this.#held[now]++
    return true
  }

  #unmap(port: HartPort, count: number): void {
    let at = this.#batch(port, count)
    if (at < 0) return
    for (let left = count; left > 0; left--) {
      const page = this.#pageOf(port, at)
      const good = page >= 0 && this.#shown[page] !== 0
      if (good) this.#hide(port, page)
      port.store32(at + grantOperation.status.at, good ? GRANT_DONE : GRANT_REFUSED)
      at += grantOperation.size
    }
    this.#window.forget(port)
  }

  #hide(port: HartPort, page: number): void {
    const shown = this.#shown[page] - 1
    this.#shown[page] = 0
    if (shown % GRANTS >= RING_PAGES) this.#held[this.#since[page]]--
    this.#window.unmap(port, GRANT_WINDOW.base + page * PAGE)
    const entry = this.fronts[Math.floor(shown / GRANTS)].entryOf(port, shown % GRANTS)
    if (entry < 0) return
    port.store16(entry + grant.flags.at, port.load16(entry + grant.flags.at) & ~GRANT_USED)
  }

  #copy(port: HartPort, count: number, out: boolean): void {
    let at = this.#batch(port, count)
    if (at < 0) return
    for (let left = count; left > 0; left--) {
      port.store32(at + grantOperation.status.at, this.#copyOne(port, at, out) ? GRANT_DONE : GRANT_REFUSED)
      at += grantOperation.size
    }
  }

  #copyOne(port: HartPort, operation: number, out: boolean): boolean {
    const channel = port.load32(operation + grantOperation.channel.at)
    const offset = port.load32(operation + grantOperation.offset.at)
    const bytes = port.load32(operation + grantOperation.bytes.at)
    if (channel >= this.fronts.length || offset + bytes > PAGE) return false
    const front = this.fronts[channel]
    const entry = front.entryOf(port, port.load32(operation + grantOperation.grant.at))
    const own = this.#memory.reach(port, port.load64(operation + grantOperation.at.at), bytes)
    if (entry < 0 || own < 0) return false
    const page = front.granted(port, entry, out)
    if (page < 0) return false
    if (out) port.copy(page + offset, own, bytes)
    else port.copy(own, page + offset, bytes)
    return true
  }
}
