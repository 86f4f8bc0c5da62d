/**
 * A guest's way to the station at the other end of its cable: it asks by ARP who that is, keeps buffers ready for what
 * comes, and knows which frames are on their way out. The task says what is in the frames.
 */
import type { NetworkDevice } from '../../drivers/environment.ts'
import type { HartPort, SoftwareState } from '../../hw/port.ts'
import type { TaskGround } from './device.ts'
import { ARP_BYTES, MAC_BYTES, putArpRequest, putUdp, readArpReply } from './frames.ts'

export const BUFFER_BYTES = 2048

/** What `attend` says: there is a link and the station has answered; not yet; ask again. */
export const READY = 0
export const NOT_YET = 1
export const BUSY = 2

export interface StationLink {
  /** To be called first in each step: keeps buffers with the card, and finds the station. */
  attend(port: HartPort): number
  /** The buffer of the next frame that has come, in the order in which they came; -1: none. */
  next(): number
  /** Bytes of the frame in buffer `tag`. */
  bytes(tag: number): number
  incoming(tag: number): number
  /** Done with buffer `tag`: the card has it again. */
  release(tag: number): void
  /** True while the card has frame `tag`. */
  sending(tag: number): boolean
  outgoing(tag: number): number
  /** Makes frame `tag` a datagram of so many bytes, frame included, to a port of the station. */
  address(port: HartPort, tag: number, bytes: number, toPort: number): void
  /** Sends frame `tag`. False if the card does not take it now. */
  send(tag: number, bytes: number): boolean
  readonly state: SoftwareState
}

const STARTING = 0
const RESOLVING = 1
const RESOLVED = 2

/** Bytes of data that a link with so many buffers each way takes. */
export function linkBytes(depth: number): number {
  return 2 * depth * BUFFER_BYTES
}

/** `data` is where its buffers lie. */
export function stationLink({ device, drivers }: TaskGround<NetworkDevice>, depth: number, data: number): StationLink {
  const run = { phase: STARTING, first: 0, arrived: 0, missing: depth }
  const mac = new Int32Array(MAC_BYTES)
  const station = new Int32Array(MAC_BYTES)
  /** By tag: bytes received into it, and whether the card has it. */
  const received = new Int32Array(depth)
  const provided = new Int32Array(depth)
  /** Tags of what has arrived, in order: a ring. */
  const order = new Int32Array(depth)
  /** By tag: 1 while the card has the frame to be sent. */
  const sent = new Int32Array(depth)

  function attend(port: HartPort): number {
    if (run.missing > 0 && !provide()) return BUSY
    if (run.phase === RESOLVED) return READY
    if (run.phase === STARTING) return begin(port) ? NOT_YET : BUSY
    for (let tag = next(); tag >= 0; tag = next()) {
      if (readArpReply(port, incoming(tag), station)) run.phase = RESOLVED
      release(tag)
    }
    return run.phase === RESOLVED ? READY : NOT_YET
  }

  /** Asks who the station is, once there is a link. */
  function begin(port: HartPort): boolean {
    const card = device()
    if (!card.linkUp()) return false
    const address = card.mac()
    for (let index = 0; index < MAC_BYTES; index++) mac[index] = address[index]!
    putArpRequest(port, outgoing(0), mac)
    if (!send(0, ARP_BYTES)) return false
    run.phase = RESOLVING
    return true
  }

  /** Gives the card the buffers that it did not take before. */
  function provide(): boolean {
    for (let tag = 0; tag < depth; tag++) {
      if (provided[tag] === 0 && received[tag] === 0 && !offer(tag)) return false
    }
    return true
  }

  function offer(tag: number): boolean {
    if (!device().provide(tag, incoming(tag), BUFFER_BYTES)) return false
    provided[tag] = 1
    run.missing--
    return true
  }

  function next(): number {
    if (run.arrived === 0) return -1
    const tag = order[run.first]
    run.first = run.first + 1 === depth ? 0 : run.first + 1
    run.arrived--
    return tag
  }

  function bytes(tag: number): number {
    return received[tag]
  }

  function incoming(tag: number): number {
    return data + tag * BUFFER_BYTES
  }

  function release(tag: number): void {
    received[tag] = 0
    offer(tag)
  }

  function sending(tag: number): boolean {
    return sent[tag] !== 0
  }

  function outgoing(tag: number): number {
    return data + (depth + tag) * BUFFER_BYTES
  }

  function address(port: HartPort, tag: number, bytes: number, toPort: number): void {
    putUdp(port, outgoing(tag), mac, station, bytes, toPort)
  }

  function send(tag: number, bytes: number): boolean {
    // Set first: a card may say that it has sent the frame before it says that it has taken it.
    sent[tag] = 1
    if (device().transmit(tag, outgoing(tag), bytes)) return true
    sent[tag] = 0
    return false
  }

  function onTransmitted(tag: number): void {
    sent[tag] = 0
  }

  function onReceived(tag: number, bytes: number): void {
    received[tag] = bytes
    provided[tag] = 0
    run.missing++
    const place = run.first + run.arrived
    order[place < depth ? place : place - depth] = tag
    run.arrived++
  }

  for (const driver of drivers) {
    driver.onTransmitted(onTransmitted)
    driver.onReceived(onReceived)
  }
  const state = { link: run, mac, station, received, provided, order, sent }
  return { attend, next, bytes, incoming, release, sending, outgoing, address, send, state }
}
