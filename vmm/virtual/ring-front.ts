/** A guest's doorbell page: it makes its ring and its grant table known, and sends events to the domain behind them. */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import { ringFront } from '../../hw/spec/devices/ring.ts'
import { grant, GRANT_PERMIT, GRANT_READ_ONLY, GRANTS } from '../../hw/spec/layouts/grant.ts'
import { ring, RING_OPEN } from '../../hw/spec/layouts/ring.ts'
import type { GuestMemory, VirtualChip, VirtualLine } from './chip.ts'

const PAGE = 4096

/** What the domain is told of the guest. */
export interface RingFacts {
  /** RING_ID. */
  readonly id: number
  readonly first: number
  readonly sectors: number
  /** A station address, the first byte lowest, and a VLAN. */
  readonly station: number
  readonly vlan: number
}

export class RingFront implements VirtualChip {
  readonly state: Readonly<Record<string, StateRecord>>
  readonly facts: RingFacts
  readonly #record = { table: 0, ring: 0, connected: false, raised: false, gone: false }
  readonly #memory: GuestMemory
  readonly #line: VirtualLine
  readonly #event: (port: HartPort) => void

  /** `event`: the domain is to look at this guest's ring. */
  constructor(name: string, memory: GuestMemory, line: VirtualLine, facts: RingFacts, event: (port: HartPort) => void) {
    this.facts = facts
    this.#memory = memory
    this.#line = line
    this.#event = event
    this.state = { [`${name} ring`]: this.#record }
  }

  isConnected(): boolean {
    return this.#record.connected
  }

  read(_port: HartPort, offset: number, bytes: 1 | 2 | 4): number {
    const { facts } = this
    if (bytes !== 4) return 0
    if (offset === ringFront.MagicValue.at) return ringFront.MagicValue.reset
    if (offset === ringFront.DeviceID.at) return facts.id
    if (offset === ringFront.Capacity.at) return facts.sectors >>> 0
    if (offset === ringFront.Capacity.at + 4) return Math.floor(facts.sectors / 2 ** 32)
    if (offset === ringFront.Station.at) return facts.station >>> 0
    if (offset === ringFront.Station.at + 4) return Math.floor(facts.station / 2 ** 32)
    return 0
  }

  write(port: HartPort, offset: number, bytes: 1 | 2 | 4, value: number): void {
    const record = this.#record
    if (bytes !== 4) return
    if (offset === ringFront.Notify.at) {
      if (record.connected) this.#event(port)
    } else if (offset === ringFront.Acknowledge.at) {
      record.raised = false
      this.#line.set(port, false)
    } else if (offset === ringFront.GrantTable.at) record.table = value
    else if (offset === ringFront.GrantTable.at + 4) record.table += value * 2 ** 32
    else if (offset === ringFront.Ring.at) record.ring = value
    else if (offset === ringFront.Ring.at + 4) record.ring += value * 2 ** 32
    else if (offset === ringFront.Connect.at) {
      record.connected = value === 1
      if (record.gone) this.lose(port, RING_OPEN.GONE)
      else this.#event(port)
    }
  }

  /** An event from the domain. */
  notify(port: HartPort): void {
    const record = this.#record
    if (record.raised) return
    record.raised = true
    this.#line.set(port, true)
  }

  /** The domain is dead, and nothing is mapped any more: the ring is not known until the guest has made it anew. `how`: RING_OPEN. */
  lose(port: HartPort, how: number): void {
    const record = this.#record
    record.gone = how === RING_OPEN.GONE
    if (!record.connected) return
    record.connected = false
    const at = record.ring % PAGE === 0 ? this.#memory.reach(port, record.ring, PAGE) : -1
    if (at >= 0) port.store32(at + ring.open.at, how)
    this.notify(port)
  }

  /** Where the entry of a grant lies in the machine's memory, or -1. */
  entryOf(port: HartPort, reference: number): number {
    const { connected, table } = this.#record
    if (!connected || reference >= GRANTS || table % PAGE !== 0) return -1
    return this.#memory.reach(port, table + reference * grant.size, grant.size)
  }

  /** The page of the machine's that an entry grants, to be written to or not; -1 if it does not. Read once. */
  granted(port: HartPort, entry: number, write: boolean): number {
    const flags = port.load16(entry + grant.flags.at)
    if ((flags & GRANT_PERMIT) === 0 || (write && (flags & GRANT_READ_ONLY) !== 0)) return -1
    return this.#memory.reach(port, port.load32(entry + grant.page.at) * PAGE, PAGE)
  }
}
