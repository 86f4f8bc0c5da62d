/**
 * What a switch looks at in a frame (IEEE 802.3, 802.1Q). Guests send from their own address only, and no frame that is
 * tagged: on the cable VLAN 0 is untagged, others carry their tag.
 */
import type { HartPort } from '../../hw/port.ts'

/** Words of a station address in a table: its bytes 0 to 3, and 4 and 5. */
export const STATION_WORDS = 2
const SOURCE = 6
const TYPE = 12
const CUSTOMER_TAG = 0x0081
const SERVICE_TAG = 0xa888
const TAG_BYTES = 4
const VLAN = 0xfff

/** True for a group's address, whose first word this is. */
export function isGroup(low: number): boolean {
  return (low & 1) !== 0
}

/** True if the frame comes from the station with this number in the table. */
export function sourceIs(port: HartPort, frame: number, stations: Int32Array, station: number): boolean {
  const low = stations[station * STATION_WORDS]
  const high = stations[station * STATION_WORDS + 1]
  if (port.load16(frame + SOURCE) !== (low & 0xffff)) return false
  return port.load32(frame + SOURCE + 2) === ((low >>> 16) | (high << 16)) >>> 0
}

export function isTagged(port: HartPort, frame: number): boolean {
  const type = port.load16(frame + TYPE)
  return type === CUSTOMER_TAG || type === SERVICE_TAG
}

/** The VLAN of a frame from the cable: 0 if it has no tag. */
export function vlanOf(port: HartPort, frame: number): number {
  return port.load16(frame + TYPE) === CUSTOMER_TAG ? swapped(port.load16(frame + TYPE + 2)) & VLAN : 0
}

/** Gives a frame a tag, into the room before it; returns where it begins then. */
export function tagFrame(port: HartPort, frame: number, vlan: number): number {
  const from = frame - TAG_BYTES
  for (let offset = 0; offset < TYPE; offset += 4) port.store32(from + offset, port.load32(frame + offset))
  port.store16(from + TYPE, CUSTOMER_TAG)
  port.store16(from + TYPE + 2, swapped(vlan))
  return from
}

/** Takes the tag off; returns where the frame begins then. */
export function untagFrame(port: HartPort, frame: number): number {
  for (let offset = TYPE - 4; offset >= 0; offset -= 4)
    port.store32(frame + offset + TAG_BYTES, port.load32(frame + offset))
  return frame + TAG_BYTES
}

/** The bytes of a 16-bit word in the network's order. */
function swapped(word: number): number {
  return ((word & 0xff) << 8) | (word >>> 8)
}
