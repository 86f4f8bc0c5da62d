/**
 * A small server, which mixes what the others keep apart: the station sends requests, several at a time; for each the
 * guest reads a block of 4 KiB from the disk, sums it up, and answers with the sum and the block's first KiB. Which block
 * it is follows from the request's number; it holds stamps, which are verified.
 */
import type { BlockDevice, Completion, NetworkDevice } from '../../drivers/environment.ts'
import { nicDriver } from '../../drivers/nic.ts'
import { nvmeDriver } from '../../drivers/nvme.ts'
import { virtioBlk } from '../../drivers/virtio-blk.ts'
import { virtioNet } from '../../drivers/virtio-net.ts'
import type { HartPort } from '../../hw/port.ts'
import { CREDIT, LOAD, STATION_PORT } from '../../hw/spec/devices/station.ts'
import { VIRTIO_ID } from '../../hw/spec/devices/virtio-mmio.ts'
import { get32, isIpv4, PAYLOAD, put32 } from '../scripted/frames.ts'
import {
  AGAIN,
  BEGIN,
  DONE,
  FAILED,
  type Hardware,
  RETRY,
  type Task,
  type TaskGround,
  twoDeviceGuest,
  WAIT,
} from '../scripted/guest.ts'
import { scriptedImage } from '../scripted/image.ts'
import { NETWORK_FUNCTION } from '../scripted/network-function.ts'
import { linkBytes, NOT_YET, READY, stationLink } from '../scripted/station-link.ts'
import type { Workload } from '../workload.ts'
import { BLOCK_BYTES, fillWithStamps, SECTORS, stamp } from './disk-stamps.ts'

const REQUESTS = 500
/** Requests at a time; each has a slot, a block's buffer and a frame for the answer, until the card has sent that. */
const CLIENTS = 8
const SLOTS = 2 * CLIENTS
const REQUEST_BYTES = 64
const ANSWER_BYTES = 1024
/** In an answer: the credit for the next request, the number answered, the sum, and a part of the block. */
const NUMBER = PAYLOAD + 8
const SUM = PAYLOAD + 12
const PART = PAYLOAD + 16
const FRAME_BYTES = PART + ANSWER_BYTES
/** Blocks of the disk, a power of two, and an odd number that leads from one to the next. */
const BLOCKS = 4096
const STRIDE = 1597
const VERSION = 1

const NOBODY = -1

const FREE = 0
const READING = 1
const READ = 2
const ANSWERING = 3

const STARTING = 0
const SERVING = 1

const disk: Hardware<BlockDevice> = {
  pcieClass: 0x01_0802,
  virtioId: VIRTIO_ID.block,
  queueDepth: SLOTS,
  physical: nvmeDriver,
  virtual: virtioBlk,
}
const card: Hardware<NetworkDevice> = {
  pcieClass: 0x02_0000,
  virtioId: VIRTIO_ID.network,
  queueDepth: SLOTS,
  physical: nicDriver,
  virtual: virtioNet,
  functional: NETWORK_FUNCTION,
}
const DATA_BYTES = SLOTS * BLOCK_BYTES + linkBytes(SLOTS)

function serverTask(block: TaskGround<BlockDevice>, network: TaskGround<NetworkDevice>): Task {
  const { data } = block
  const state = { phase: STARTING, begun: 0, answered: 0, held: NOBODY, bad: 0 }
  const link = stationLink(network, SLOTS, data + SLOTS * BLOCK_BYTES)
  /** By slot: how far its request is, and the request's number. */
  const stages = new Int32Array(SLOTS)
  const numbers = new Int32Array(SLOTS)

  function step(port: HartPort): number {
    const medium = block.device()
    const wire = network.device()
    if (!medium.ready()) return medium.failure() === '' ? WAIT : FAILED
    if (!wire.ready()) return wire.failure() === '' ? WAIT : FAILED
    const how = link.attend(port)
    if (how !== READY) return how === NOT_YET ? WAIT : RETRY
    if (state.phase === STARTING) {
      state.phase = SERVING
      return BEGIN
    }
    if (state.begun === 0 && !invite(port)) return RETRY
    let read = NOBODY
    for (let slot = 0; slot < SLOTS; slot++) {
      if (stages[slot] === ANSWERING && !link.sending(slot)) stages[slot] = FREE
      else if (stages[slot] === READ) read = slot
    }
    accept(port, medium)
    if (state.bad !== 0) return FAILED
    if (read === NOBODY) return state.answered === REQUESTS ? DONE : WAIT
    // One answer an entry, for it takes a while.
    return answer(port, read) ? AGAIN : RETRY
  }

  /** Asks the station for requests. */
  function invite(port: HartPort): boolean {
    if (link.sending(0)) return false
    const payload = link.outgoing(0) + PAYLOAD
    link.address(port, 0, REQUEST_BYTES, STATION_PORT.load)
    put32(port, payload, LOAD)
    put32(port, payload + 4, REQUEST_BYTES - PAYLOAD)
    put32(port, payload + 8, REQUESTS)
    put32(port, payload + 12, CLIENTS)
    if (!link.send(0, REQUEST_BYTES)) return false
    state.begun = 1
    stages[0] = ANSWERING
    return true
  }

  /** Begins to read for each request that has come. One for which there is no room now is held. */
  function accept(port: HartPort, medium: BlockDevice): void {
    let tag = state.held === NOBODY ? link.next() : state.held
    while (tag >= 0 && begin(port, tag, medium)) tag = link.next()
    state.held = tag
  }

  function begin(port: HartPort, tag: number, medium: BlockDevice): boolean {
    const frame = link.incoming(tag)
    if (isIpv4(port, frame)) {
      const number = get32(port, frame + PAYLOAD)
      let slot = 0
      while (slot < SLOTS && stages[slot] !== FREE) slot++
      if (slot === SLOTS) return false
      if (!medium.submit(slot, 'read', blockOf(number) * SECTORS, SECTORS, data + slot * BLOCK_BYTES, false))
        return false
      stages[slot] = READING
      numbers[slot] = number
    }
    link.release(tag)
    return true
  }

  /** Sums the block up, as a checksum or a hash would be made, and answers. */
  function answer(port: HartPort, slot: number): boolean {
    const buffer = data + slot * BLOCK_BYTES
    const frame = link.outgoing(slot)
    const number = numbers[slot]
    let sum = 0
    for (let at = 0; at < BLOCK_BYTES; at += 4) {
      sum = (sum + port.load32(buffer + at)) >>> 0
      sum = ((sum << 5) | (sum >>> 27)) >>> 0
    }
    if (port.load32(buffer) !== stamp(blockOf(number), VERSION, 0)) state.bad++
    link.address(port, slot, FRAME_BYTES, STATION_PORT.load)
    put32(port, frame + PAYLOAD, CREDIT)
    put32(port, frame + PAYLOAD + 4, 1)
    put32(port, frame + NUMBER, number)
    put32(port, frame + SUM, sum)
    port.copy(frame + PART, buffer, ANSWER_BYTES)
    if (!link.send(slot, FRAME_BYTES)) return false
    stages[slot] = ANSWERING
    state.answered++
    return true
  }

  function completed(tag: number, how: Completion): void {
    if (how !== 'ok') state.bad++
    stages[tag] = READ
  }

  for (const driver of block.drivers) driver.onCompleted(completed)
  return { step, state: { run: state, stages, numbers, ...link.state } }
}

function blockOf(number: number): number {
  return (number * STRIDE) & (BLOCKS - 1)
}

export const server: Workload = {
  name: 'server',
  does: `${REQUESTS} requests from a station, ${CLIENTS} at a time: read 4 KiB from the disk, sum it up, answer with 1 KiB`,
  disk: true,
  network: true,
  operations: REQUESTS,
  unit: 'cycles per request',
  diskContent: bytes => fillWithStamps(bytes, VERSION),
  image: () => scriptedImage(DATA_BYTES, 2),
  software: () => twoDeviceGuest('server', scriptedImage(DATA_BYTES, 2), [disk, card], serverTask),
}
