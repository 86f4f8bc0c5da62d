/** Frames that guests send and that come in from the wire: the programs that send them, and who gets them by the rules of docs/native.md. */
import { VIRTIO_NET_RECEIVEQ, VIRTIO_NET_TRANSMITQ, virtioNetHdr } from '../../hw/spec/layouts/virtio-net.ts'
import {
  acknowledge,
  bringUp,
  type Descriptor,
  offer,
  post,
  put,
  ringAt,
  setRegister,
  tableOf,
} from './generators/virtio-steps.ts'
import { virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import { DATA } from './guest-runtime.ts'
import type { Step, Value } from './scenario.ts'

/** A station: a guest, the group of all, some group, or somebody outside. */
export type Station = number | 'all' | 'group' | 'outside'

export interface Frame {
  readonly to: Station
  /** Whom it says that it is from: itself (undefined), another guest, or an address whose first two bytes are a guest's. */
  readonly from: number | 'alike' | undefined
  /** A tag that stands in it already: its type, and its VLAN. */
  readonly tag: { readonly type: number; readonly vlan: number } | undefined
  readonly bytes: number
  /** Bytes of the first descriptor, which has the header; the rest has another. */
  readonly first: number
  readonly content: number
  /** So often, one behind the other: more than there is room for, perhaps. */
  readonly times: number
}

/** One that comes in, so many cycles after guests began. */
export interface Arrival {
  readonly at: number
  readonly to: Station
  readonly from: number | 'outside'
  readonly vlan: number
  readonly bytes: number
  readonly content: number
}

const HEADER = virtioNetHdr.size
const BASE = DATA + 0xa_0000
const RECEIVER = ringAt(BASE, 16)
const SENDER = ringAt(BASE + 0x2000, 128)
export const RECEIVE_BUFFERS = 16
const RECEIVED = BASE + 0x1_0000
const RECEIVE_BYTES = 2048
const SENT = BASE + 0x2_0000
const SEND_BYTES = 0x1000
const LEAST = 14
const MOST = 1514
const SHORTEST_ON_WIRE = 60
const TAG_BYTES = 4
const CUSTOMER = 0x8100
const SERVICE = 0x88a8
const ADDRESSES = 12
/** Bytes that are not zero, at most: of longer frames the rest is. */
const FILLED = 96
/** Ticks until everybody listens, and until all has been handed out. */
const SETTLED = 3000
const DONE = 6000
/** Cycles after which everybody listens. */
export const LISTENING = 400_000

export const macOf = (guest: number): readonly number[] => [0x02, 0x62, 0x68, 0, 0, guest + 1]
const OUTSIDE = [0x02, 0x99, 0, 0, 0, 9]
const ALIKE = [0x02, 0x62, 0x11, 0x22, 0x33, 0x44]

function stationAddress(station: Station): readonly number[] {
  if (station === 'all') return [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
  if (station === 'group') return [0x01, 0, 0x5e, 0, 0, 7]
  return station === 'outside' ? OUTSIDE : macOf(station)
}

function bytesOf(
  addresses: readonly number[],
  tag: { readonly type: number; readonly vlan: number } | undefined,
  bytes: number,
  content: number,
): Uint8Array {
  const frame = new Uint8Array(bytes)
  const head = [
    ...addresses,
    ...(tag ? [tag.type >> 8, tag.type & 0xff, tag.vlan >> 8, tag.vlan & 0xff] : []),
    0x08,
    0x06,
  ]
  for (let at = 0; at < Math.min(bytes, FILLED); at++) frame[at] = head[at] ?? ((content + at * 7) & 0xff) | 1
  return frame
}

function sentBy(guest: number, { to, from, tag, bytes, content }: Frame): Uint8Array {
  const source = from === undefined ? macOf(guest) : from === 'alike' ? ALIKE : macOf(from)
  return bytesOf([...stationAddress(to), ...source], tag, bytes, content)
}

/** As it comes in over the wire. */
export function arrivalBytes({ to, from, vlan, bytes, content }: Arrival): Uint8Array {
  const source = from === 'outside' ? OUTSIDE : macOf(from)
  const tag = vlan === 0 ? undefined : { type: CUSTOMER, vlan }
  return bytesOf([...stationAddress(to), ...source], tag, Math.max(bytes, SHORTEST_ON_WIRE), content)
}

/** Listens, sends when everybody does, and waits for what comes. */
export function networkProgram(guest: number, frames: readonly Frame[]): readonly Step[] {
  const receive = Array.from({ length: RECEIVE_BUFFERS }, (_, index): readonly Descriptor[] => [
    { address: RECEIVED + index * RECEIVE_BYTES, bytes: RECEIVE_BYTES, write: true },
  ])
  const chains = frames.map((frame, index): readonly Descriptor[] => {
    const at = SENT + index * SEND_BYTES
    const all = frame.bytes + HEADER
    const first = Math.min(all, frame.first)
    const one = { address: at, bytes: first, write: false }
    return first === all ? [one] : [one, { address: at + first, bytes: all - first, write: false }]
  })
  const { words, heads } = tableOf(chains)
  return [
    ...bringUp('network', [RECEIVER, SENDER]),
    ...post('network', VIRTIO_NET_RECEIVEQ, RECEIVER, receive).steps,
    { op: 'wait', ticks: SETTLED },
    ...frames.flatMap((frame, index) => put(SENT + index * SEND_BYTES, wordsOf(sentBy(guest, frame)))),
    ...put(SENDER.descriptors, words),
    ...offer(
      SENDER,
      frames.flatMap(({ times }, index) => Array.from({ length: times }, () => heads[index])).slice(0, SENDER.size),
    ),
    setRegister('network', virtioMmio.QueueNotify, VIRTIO_NET_TRANSMITQ),
    { op: 'wait', ticks: DONE },
    ...acknowledge('network'),
  ]
}

/** A header of zeros and the frame, as words: as many as are not zero. */
function wordsOf(frame: Uint8Array): readonly Value[] {
  const bytes = new Uint8Array(HEADER + FILLED + 4)
  bytes.set(frame.subarray(0, FILLED), HEADER)
  const words = new BigUint64Array(bytes.buffer.slice(0, bytes.length - (bytes.length % 8)))
  return [...words].map(word => `0x${word.toString(16)}`)
}

/** Who is to get what: by guest, and on the wire; frames as text, sorted. */
export interface Deliveries {
  readonly guests: readonly (readonly string[])[]
  readonly wire: readonly string[]
}

export const textOf = (frame: Uint8Array): string => Buffer.from(frame).toString('hex')

export function deliveries(
  sent: readonly (readonly Frame[])[],
  arrivals: readonly Arrival[],
  vlans: readonly number[],
  isByVlan: boolean,
): Deliveries {
  const guests = vlans.map((): string[] => [])
  const wire: string[] = []
  const spread = (from: number, to: Station, vlan: number, frame: Uint8Array): boolean => {
    const others = vlans.flatMap((own, guest) => (own === vlan && guest !== from ? [guest] : []))
    if (to === 'outside') return true
    if (typeof to === 'number') {
      if (others.includes(to)) guests[to].push(textOf(frame))
      return vlans[to] !== vlan
    }
    for (const guest of others) guests[guest].push(textOf(frame))
    return true
  }
  sent.forEach((frames, guest) => {
    for (const frame of frames) {
      if (frame.bytes < LEAST || frame.bytes > MOST || frame.from !== undefined) continue
      if (frame.tag && (frame.tag.type === CUSTOMER || frame.tag.type === SERVICE)) continue
      const bytes = sentBy(guest, frame)
      for (let time = 0; time < frame.times; time++) {
        const leaves = spread(guest, frame.to, vlans[guest], bytes)
        if (leaves) wire.push(textOf(onWire(bytes, vlans[guest])))
      }
    }
  })
  for (const arrival of arrivals) {
    // An address belongs to a guest everywhere; or, on a host's bridge, in its VLAN.
    if (arrival.from !== 'outside' && !(isByVlan && vlans[arrival.from] !== arrival.vlan)) continue
    const bytes = arrivalBytes(arrival)
    const untagged = arrival.vlan === 0 ? bytes : without(bytes)
    spread(-1, arrival.to, arrival.vlan, untagged)
  }
  return { guests: guests.map(frames => frames.toSorted()), wire: wire.toSorted() }
}

function onWire(frame: Uint8Array, vlan: number): Uint8Array {
  const tag = vlan === 0 ? [] : [CUSTOMER >> 8, CUSTOMER & 0xff, vlan >> 8, vlan & 0xff]
  const bytes = new Uint8Array(Math.max(SHORTEST_ON_WIRE, frame.length + tag.length))
  bytes.set(frame.subarray(0, ADDRESSES))
  bytes.set(tag, ADDRESSES)
  bytes.set(frame.subarray(ADDRESSES), ADDRESSES + tag.length)
  return bytes
}

function without(frame: Uint8Array): Uint8Array {
  return Uint8Array.of(...frame.subarray(0, ADDRESSES), ...frame.subarray(ADDRESSES + TAG_BYTES))
}

/** What a guest's memory says that it has received; `load` reads it. A line, instead, if the device has not kept to the rules. */
export function receivedBy(load: (address: number) => number): readonly string[] | string {
  const half = (address: number) => load(address) + load(address + 1) * 256
  const word = (address: number) => half(address) + half(address + 2) * 65_536
  const count = half(RECEIVER.used + 2)
  if (count > RECEIVE_BUFFERS) return `${count} buffers used, of ${RECEIVE_BUFFERS}`
  const seen: string[] = []
  for (let index = 0; index < count; index++) {
    const buffer = word(RECEIVER.used + 4 + index * 8)
    const bytes = word(RECEIVER.used + 8 + index * 8)
    if (buffer >= RECEIVE_BUFFERS || bytes < HEADER || bytes > RECEIVE_BYTES)
      return `buffer ${buffer} used with ${bytes} bytes`
    const at = RECEIVED + buffer * RECEIVE_BYTES
    seen.push(textOf(Uint8Array.from({ length: bytes - HEADER }, (_, byte) => load(at + HEADER + byte))))
    for (let byte = bytes; byte < RECEIVE_BYTES; byte++)
      if (load(at + byte) !== 0) return `something was written behind the frame in buffer ${buffer}`
  }
  return seen.toSorted()
}
