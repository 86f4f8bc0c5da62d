/**
 * The virtual switch: guests' cards, and perhaps the machine's own as the way out. A port belongs to one VLAN and has
 * one station address, both given by who describes the machine, so there is nothing to learn: no table that a guest
 * could fill or poison.
 *
 * - A frame goes where its destination address is, within its VLAN; to a group, everywhere in the VLAN and out; to an
 *   address that no guest of the VLAN has, out.
 * - A guest sends from its own address only, and no frame that is tagged already: it is in its port's VLAN, whatever it
 *   writes. Frames from outside with a guest's address as their source are forged.
 * - Outside, frames of VLAN 0 are untagged, others carry their tag.
 *
 * Frames are looked at and copied in the VMM's memory; the guest that sent them cannot change them any more.
 */
import type { HartPort, StateRecord } from '../../hw/port.ts'
import type { NetworkBackend } from '../virtual/chip.ts'

/** The way out, and the memory in which frames are on their way. */
export interface Uplink {
  /** Where the next frame is put: MAXIMUM_FRAME bytes aligned to 8, with 4 bytes of room before them. 0: nowhere. */
  buffer(port: HartPort): number
  /** Sends the frame that lies at the address that `buffer` gave; tagged if `vlan` is not 0. */
  send(port: HartPort, address: number, bytes: number, vlan: number): void
}

interface Member {
  readonly vlan: number
  /** The station address, as the words in which a frame holds it: bytes 0 to 3, and 4 and 5. */
  readonly low: number
  readonly high: number
  deliver: (port: HartPort, address: number, bytes: number) => boolean
}

/** Offsets in a frame (IEEE 802.3): the addresses' words, and the type. */
const DESTINATION_HIGH = 4
const SOURCE = 6
const TYPE = 12
const GROUP = 1
/** Types of tagged frames (IEEE 802.1Q), as little-endian words. */
const CUSTOMER_TAG = 0x0081
const SERVICE_TAG = 0xa888

export class VirtualSwitch {
  /** Registered with the VMM's state: frames by what became of them. */
  readonly record = { forwarded: 0, refused: 0, forged: 0 }
  readonly state: Record<string, StateRecord> = { switch: this.record }
  readonly #members: Member[] = []
  #uplink: Uplink = { buffer: () => 0, send: () => {} }

  /** Connects the way out, without which no frame finds a place. Set-up. */
  connect(uplink: Uplink): void {
    this.#uplink = uplink
  }

  /** A port for a guest's card. Set-up. */
  plug(mac: readonly number[], vlan: number): NetworkBackend {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac
    const member: Member = {
      vlan,
      low: ((d << 24) | (c << 16) | (b << 8) | a) >>> 0,
      high: (f << 8) | e,
      deliver: () => false,
    }
    this.#members.push(member)
    return {
      buffer: port => this.#uplink.buffer(port),
      transmit: (port, address, bytes) => this.#transmit(port, member, address, bytes),
      attach: deliver => {
        member.deliver = deliver
      },
    }
  }

  #transmit(port: HartPort, from: Member, address: number, bytes: number): void {
    const { record } = this
    const type = port.load16(address + TYPE)
    if (
      port.load16(address + SOURCE) !== (from.low & 0xffff) ||
      port.load32(address + SOURCE + 2) !== sourceRest(from)
    ) {
      record.forged++
      return
    }
    if (type === CUSTOMER_TAG || type === SERVICE_TAG) {
      record.refused++
      return
    }
    if (this.#spread(port, from, from.vlan, address, bytes)) this.#uplink.send(port, address, bytes, from.vlan)
  }

  /** A frame from outside, untagged: of VLAN `vlan`. */
  receive(port: HartPort, address: number, bytes: number, vlan: number): void {
    const high = port.load16(address + SOURCE)
    const rest = port.load32(address + SOURCE + 2)
    for (let index = 0; index < this.#members.length; index++) {
      const member = this.#members[index]
      if ((member.low & 0xffff) === high && sourceRest(member) === rest) {
        this.record.forged++
        return
      }
    }
    this.#spread(port, undefined, vlan, address, bytes)
  }

  /** Gives a frame to the guests of its VLAN that it is for. True if it is for others as well. */
  #spread(port: HartPort, from: Member | undefined, vlan: number, address: number, bytes: number): boolean {
    const low = port.load32(address)
    const high = port.load16(address + DESTINATION_HIGH)
    const isGroup = (low & GROUP) !== 0
    for (let index = 0; index < this.#members.length; index++) {
      const member = this.#members[index]
      if (member.vlan !== vlan) continue
      const isMeant = member.low === low && member.high === high
      if (!isMeant && !isGroup) continue
      // What a card sends to itself does not come back.
      if (member !== from && member.deliver(port, address, bytes)) this.record.forwarded++
      if (isMeant) return false
    }
    return true
  }
}

/** A station address's bytes 2 to 5, as the word in which a source address holds them. */
function sourceRest(member: Member): number {
  return ((member.low >>> 16) | (member.high << 16)) >>> 0
}
