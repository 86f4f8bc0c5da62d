/**
 * A driver domain for the network card: a guest that has the card and switches frames between it and other guests' rings.
 * A frame that a guest sends is copied to memory of the domain's first, and looked at there; from there it goes to each
 * receiver, and out. Copying is the domain's own work, through pages that are mapped for it, or the VMM's.
 */
import type { NetworkDevice } from '../../drivers/environment.ts'
import { type NicConfig, nicDriver } from '../../drivers/nic.ts'
import { nicConfigOf } from '../../drivers/placement-config.ts'
import type { RingBackend } from '../../drivers/ring-backend.ts'
import type { HartPort, Software } from '../../hw/port.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import { type DriverPlacement, isPolled } from '../../hw/spec/layouts/placement.ts'
import { RING_OPERATION, RING_STATUS, ringRequest } from '../../hw/spec/layouts/ring.ts'
import type { Hardware, TaskGround } from '../scripted/device.ts'
import { AGAIN, FAILED, type Task, twoDeviceGuest, WAIT } from '../scripted/guest.ts'
import { scriptedImage } from '../scripted/image.ts'
import {
  backendHardware,
  DATA_WINDOW,
  hasRequest,
  MOST_CHANNELS,
  NO_DEVICE,
  openRingOf,
  PAGE,
  putAnswer,
  requestAt,
} from './channels.ts'
import { isAsked, stayAwake } from './polled-rings.ts'
import { isGroup, isTagged, sourceIs, STATION_WORDS, tagFrame, untagFrame, vlanOf } from './frame-rules.ts'

const DEPTH = 64
const FRAME_BYTES = 2048
/** Before a frame: room for its tag. */
const HEADROOM = 8
const LEAST_FRAME = 14
const MAXIMUM_FRAME = 1518
/** A buffer lies in two pages at the most. */
const PAGES = 2
/** Frames looked at in one entry. */
const BUDGET = 8
/** Bytes of frames to be sent, of the frames that have come, and for one that finds no room. */
const INCOMING = DEPTH * FRAME_BYTES
const SPARE = 2 * DEPTH * FRAME_BYTES
const DATA_BYTES = SPARE + FRAME_BYTES

type Options = Pick<DriverPlacement, 'transfer' | 'queues' | 'service' | 'coalescing'>

export function networkDomainImage(): Program {
  return scriptedImage(DATA_BYTES, 2)
}

export function networkDomain(options: Options): Software {
  const card: Hardware<NetworkDevice> & NicConfig = {
    ...nicConfigOf(options, DEPTH),
    pcieClass: 0x02_0000,
    virtioId: NO_DEVICE,
    promiscuous: true,
    physical: nicDriver,
    virtual: nicDriver,
  }
  return twoDeviceGuest('network domain', networkDomainImage(), [card, backendHardware], taskOf(options))
}

function taskOf({
  transfer,
  service,
}: Options): (first: TaskGround<NetworkDevice>, second: TaskGround<RingBackend>) => Task {
  function networkDomainTask(
    { device, drivers, data }: TaskGround<NetworkDevice>,
    { device: backendOf, drivers: backends }: TaskGround<RingBackend>,
  ): Task {
    const copies = transfer === 'copy'
    const polls = isPolled({ service })
    /** `first`, `count`: of what has come from outside, a ring of tags. `next`: the sending buffer whose turn it is. */
    const state = { begun: false, channels: 0, events: true, first: 0, count: 0, next: 0 }
    const facts = { connected: false, first: 0, sectors: 0, low: 0, high: 0, vlan: 0 }
    const open = new Int32Array(MOST_CHANNELS)
    const stations = new Int32Array(MOST_CHANNELS * STATION_WORDS)
    const vlans = new Int32Array(MOST_CHANNELS)
    const taken = new Float64Array(MOST_CHANNELS)
    const answers = new Float64Array(MOST_CHANNELS)
    const owed = new Int32Array(MOST_CHANNELS)
    const left = new Int32Array(MOST_CHANNELS)
    /** By channel: its buffers for frames, a ring; by buffer: its number, where it begins in its first page, its grants. */
    const firstBuffers = new Int32Array(MOST_CHANNELS)
    const bufferCounts = new Int32Array(MOST_CHANNELS)
    const numbers = new Int32Array(MOST_CHANNELS * DEPTH)
    const offsets = new Int32Array(MOST_CHANNELS * DEPTH)
    const grants = new Int32Array(MOST_CHANNELS * DEPTH * PAGES)
    /** By tag: 1 while the card has the frame; bytes of what has come. */
    const sending = new Int32Array(DEPTH)
    const lengths = new Int32Array(DEPTH)
    const arrived = new Int32Array(DEPTH)

    function step(port: HartPort): number {
      port.account('driver domain', 'rings', 'computing')
      const card = device()
      const backend = backendOf()
      if (!card.ready()) return card.failure() === '' ? WAIT : FAILED
      if (!backend.ready()) return backend.failure() === '' ? WAIT : FAILED
      if (!state.begun) {
        state.begun = true
        state.channels = backend.channels()
        for (let tag = 0; tag < DEPTH; tag++) card.provide(tag, data + INCOMING + tag * FRAME_BYTES, FRAME_BYTES)
      }
      let budget = BUDGET
      while (budget > 0 && state.count > 0) {
        fromOutside(port, backend, card)
        budget--
      }
      let more = state.count > 0
      if (polls) backend.poll(1)
      if (state.events) {
        state.events = false
        for (let channel = 0; channel < state.channels; channel++) {
          if (!backend.hasEvent(channel)) continue
          if (open[channel] === 0) openChannel(port, backend, channel)
          left[channel] = open[channel]!
        }
      }
      for (let channel = 0; channel < state.channels; channel++) {
        if (left[channel] === 1 && serve(port, backend, card, channel)) more = true
      }
      for (let channel = 0; channel < state.channels; channel++) {
        if (owed[channel] === 0) continue
        owed[channel] = 0
        backend.notify(channel)
      }
      return more ? AGAIN : WAIT
    }

    function openChannel(port: HartPort, backend: RingBackend, channel: number): void {
      backend.describe(channel, facts)
      if (!facts.connected || !openRingOf(port, backend, channel)) return
      open[channel] = 1
      if (polls) {
        stayAwake(port, channel)
        left[channel] = 1
      }
      stations[channel * STATION_WORDS] = facts.low
      stations[channel * STATION_WORDS + 1] = facts.high
      vlans[channel] = facts.vlan
      owed[channel] = 1
    }

    /** Takes what is in a channel's ring. True if there may be more. */
    function serve(port: HartPort, backend: RingBackend, card: NetworkDevice, channel: number): boolean {
      for (let budget = BUDGET; budget > 0; budget--) {
        if (!(polls ? isAsked : hasRequest)(port, channel, taken[channel])) {
          if (!polls) left[channel] = 0
          return false
        }
        const at = requestAt(channel, taken[channel])
        taken[channel] = (taken[channel] + 1) >>> 0
        if (port.load8(at + ringRequest.operation.at) === RING_OPERATION.PROVIDE) keep(port, at, channel)
        else send(port, backend, card, at, channel)
      }
      return true
    }

    /** A buffer that a guest offers, and keeps for itself if it has offered enough. */
    function keep(port: HartPort, at: number, channel: number): void {
      const number = port.load16(at + ringRequest.tag.at)
      const count = bufferCounts[channel]
      if (count === DEPTH) return answer(port, channel, number, RING_OPERATION.PROVIDE, 0)
      const place = channel * DEPTH + ((firstBuffers[channel] + count) % DEPTH)
      numbers[place] = number
      offsets[place] = port.load32(at + ringRequest.offset.at)
      for (let page = 0; page < PAGES; page++)
        grants[place * PAGES + page] = port.load32(at + ringRequest.grant.at + page * 4)
      bufferCounts[channel] = count + 1
    }

    function answer(port: HartPort, channel: number, number: number, operation: number, bytes: number): void {
      answers[channel] = putAnswer(port, channel, answers[channel], number, operation, RING_STATUS.OK, bytes)
      owed[channel] = 1
    }

    /** A frame that a guest sends: copied, answered, looked at, and passed on. */
    function send(port: HartPort, backend: RingBackend, card: NetworkDevice, at: number, channel: number): void {
      const number = port.load16(at + ringRequest.tag.at)
      const offset = port.load32(at + ringRequest.offset.at)
      const bytes = port.load32(at + ringRequest.bytes.at)
      const frame = data + (sending[state.next] === 0 ? state.next * FRAME_BYTES : SPARE) + HEADROOM
      // A guest says what it likes.
      const good =
        bytes >= LEAST_FRAME &&
        bytes <= MAXIMUM_FRAME &&
        offset < PAGE &&
        move(
          port,
          backend,
          channel,
          port.load32(at + ringRequest.grant.at),
          port.load32(at + ringRequest.grant.at + 4),
          offset,
          frame,
          bytes,
          false,
        )
      answer(port, channel, number, RING_OPERATION.TRANSMIT, 0)
      if (!good || !sourceIs(port, frame, stations, channel) || isTagged(port, frame)) return
      if (spread(port, backend, channel, vlans[channel], frame, bytes))
        sendOut(port, card, vlans[channel], frame, bytes)
    }

    /** Gives a frame to the guests of its VLAN that it is for. True if it is for others as well. */
    function spread(
      port: HartPort,
      backend: RingBackend,
      from: number,
      vlan: number,
      frame: number,
      bytes: number,
    ): boolean {
      const low = port.load32(frame) | 0
      const high = port.load16(frame + 4)
      const group = isGroup(low)
      for (let channel = 0; channel < state.channels; channel++) {
        if (open[channel] === 0 || vlans[channel] !== vlan) continue
        const meant = stations[channel * STATION_WORDS] === low && stations[channel * STATION_WORDS + 1] === high
        if (!meant && !group) continue
        if (channel !== from) deliver(port, backend, channel, frame, bytes)
        if (meant) return false
      }
      return true
    }

    /** To the first buffer that the guest has offered; without one it is lost. */
    function deliver(port: HartPort, backend: RingBackend, channel: number, frame: number, bytes: number): void {
      if (bufferCounts[channel] === 0) return
      const first = firstBuffers[channel]
      const place = channel * DEPTH + first
      firstBuffers[channel] = first + 1 === DEPTH ? 0 : first + 1
      bufferCounts[channel]--
      const one = grants[place * PAGES]
      const two = grants[place * PAGES + 1]
      const good = offsets[place] < PAGE && move(port, backend, channel, one, two, offsets[place], frame, bytes, true)
      answer(port, channel, numbers[place], RING_OPERATION.PROVIDE, good ? bytes : 0)
    }

    /** Copies a frame from a guest's pages, or to them (`out`). */
    function move(
      port: HartPort,
      backend: RingBackend,
      channel: number,
      one: number,
      two: number,
      offset: number,
      frame: number,
      bytes: number,
      out: boolean,
    ): boolean {
      const head = bytes < PAGE - offset ? bytes : PAGE - offset
      if (copies) {
        backend.add(channel, one, frame, out, offset, head)
        if (head < bytes) backend.add(channel, two, frame + head, out, 0, bytes - head)
        return out ? backend.copyOut() : backend.copyIn()
      }
      backend.add(channel, one, DATA_WINDOW, out, 0, 0)
      if (head < bytes) backend.add(channel, two, DATA_WINDOW + PAGE, out, 0, 0)
      const good = backend.map()
      if (good && out) port.copy(DATA_WINDOW + offset, frame, bytes)
      else if (good) port.copy(frame, DATA_WINDOW + offset, bytes)
      backend.add(channel, one, DATA_WINDOW, false, 0, 0)
      if (head < bytes) backend.add(channel, two, DATA_WINDOW + PAGE, false, 0, 0)
      backend.unmap()
      return good
    }

    function sendOut(port: HartPort, card: NetworkDevice, vlan: number, frame: number, bytes: number): void {
      const tag = state.next
      if (frame !== data + tag * FRAME_BYTES + HEADROOM) return
      const from = vlan === 0 ? frame : tagFrame(port, frame, vlan)
      if (!card.transmit(tag, from, bytes + frame - from)) return
      sending[tag] = 1
      state.next = tag + 1 === DEPTH ? 0 : tag + 1
    }

    function fromOutside(port: HartPort, backend: RingBackend, card: NetworkDevice): void {
      const tag = arrived[state.first]
      state.first = state.first + 1 === DEPTH ? 0 : state.first + 1
      state.count--
      const at = data + INCOMING + tag * FRAME_BYTES
      if (lengths[tag] >= LEAST_FRAME && !isForged(port, at)) {
        const vlan = vlanOf(port, at)
        const frame = vlan === 0 ? at : untagFrame(port, at)
        spread(port, backend, -1, vlan, frame, lengths[tag] + at - frame)
      }
      card.provide(tag, at, FRAME_BYTES)
    }

    /** A frame from outside with a guest's own address as its source. */
    function isForged(port: HartPort, frame: number): boolean {
      for (let channel = 0; channel < state.channels; channel++) {
        if (open[channel] === 1 && sourceIs(port, frame, stations, channel)) return true
      }
      return false
    }

    function onTransmitted(tag: number): void {
      sending[tag] = 0
    }

    function onReceived(tag: number, bytes: number): void {
      lengths[tag] = bytes
      arrived[(state.first + state.count) % DEPTH] = tag
      state.count++
    }

    function onEvent(): void {
      state.events = true
    }

    for (const driver of drivers) {
      driver.onTransmitted(onTransmitted)
      driver.onReceived(onReceived)
    }
    for (const backend of backends) backend.onEvent(onEvent)
    return {
      step,
      state: {
        domain: state,
        facts,
        open,
        stations,
        vlans,
        taken,
        answers,
        owed,
        left,
        firstBuffers,
        bufferCounts,
        numbers,
        offsets,
        grants,
        sending,
        lengths,
        arrived,
      },
    }
  }

  return networkDomainTask
}
