/** The doorbell page of a driver domain: which guests there are, what they have granted, and events both ways. */
import type { DmaBuffer, Environment, Lifecycle } from './environment.ts'
import { RING_ID, ringBack } from '../hw/spec/devices/ring.ts'
import { GRANT_DONE, grantOperation, MOST_OPERATIONS } from '../hw/spec/layouts/grant.ts'

const PAGE = 4096
const EVENT_BYTES = 4

/** What the VMM says of a guest. */
export interface ChannelFacts {
  connected: boolean
  first: number
  sectors: number
  /** Its station address, as the words in which a frame holds it, and its VLAN. */
  low: number
  high: number
  vlan: number
}

export interface RingBackend extends Lifecycle {
  channels(): number
  /** Asks the VMM about a channel. */
  describe(channel: number, facts: ChannelFacts): void
  /** True if the channel's guest has sent an event since the last call. */
  hasEvent(channel: number): boolean
  /** Adds a grant operation to those that are to be done: a page of a guest's, and where it is to appear, or what is to be copied. */
  add(channel: number, grant: number, at: number, write: boolean, offset: number, bytes: number): void
  /** How many have been added. */
  added(): number
  /** Does those that have been added; true if none was refused. */
  map(): boolean
  unmap(): boolean
  copyIn(): boolean
  copyOut(): boolean
  notify(channel: number): void
  /** Looks for events without an interrupt; returns how many channels, of so many at the most, have one. */
  poll(budget: number): number
  onEvent(heard: () => void): void
}

export function ringBackend(env: Environment): RingBackend {
  const { device, dma, interrupts } = env
  const events = dma.allocate(PAGE)
  const operations: DmaBuffer = dma.allocate(MOST_OPERATIONS * grantOperation.size)
  const state = env.state('ring backend', { ready: 0, failed: 0, channels: 0, added: 0 })
  let heard: () => void = () => {}

  function start(): void {
    if (device.read(ringBack.DeviceID) !== RING_ID.backend) {
      state.failed = 1
      return
    }
    state.channels = device.read(ringBack.Channels)
    device.write(ringBack.Events, events.device)
    device.write(ringBack.Operations, operations.device)
    interrupts[0].unmask()
    state.ready = 1
  }

  function describe(channel: number, facts: ChannelFacts): void {
    device.write(ringBack.Channel, channel)
    facts.connected = device.read(ringBack.Connected) === 1
    facts.first = device.read(ringBack.First) + device.readHigh(ringBack.First) * 4294967296
    facts.sectors = device.read(ringBack.Sectors) + device.readHigh(ringBack.Sectors) * 4294967296
    facts.low = device.read(ringBack.Station)
    facts.high = device.readHigh(ringBack.Station)
    facts.vlan = device.read(ringBack.Vlan)
  }

  function hasEvent(channel: number): boolean {
    const at = channel * EVENT_BYTES
    if (events.read32(at) === 0) return false
    // First, so that what comes meanwhile is seen the next time.
    events.write32(at, 0)
    dma.fence()
    return true
  }

  function add(channel: number, grant: number, at: number, write: boolean, offset: number, bytes: number): void {
    const to = state.added * grantOperation.size
    operations.write32(to + grantOperation.channel.at, channel)
    operations.write32(to + grantOperation.grant.at, grant)
    operations.write64(to + grantOperation.at.at, at)
    operations.write32(to + grantOperation.write.at, write ? 1 : 0)
    operations.write32(to + grantOperation.offset.at, offset)
    operations.write32(to + grantOperation.bytes.at, bytes)
    state.added++
  }

  function went(): boolean {
    let good = true
    for (let index = 0; index < state.added; index++) {
      if (operations.read32(index * grantOperation.size + grantOperation.status.at) !== GRANT_DONE) good = false
    }
    state.added = 0
    return good
  }

  function map(): boolean {
    dma.fence()
    device.write(ringBack.Map, state.added)
    return went()
  }

  function unmap(): boolean {
    dma.fence()
    device.write(ringBack.Unmap, state.added)
    return went()
  }

  function copyIn(): boolean {
    dma.fence()
    device.write(ringBack.CopyIn, state.added)
    return went()
  }

  function copyOut(): boolean {
    dma.fence()
    device.write(ringBack.CopyOut, state.added)
    return went()
  }

  function poll(budget: number): number {
    let found = 0
    for (let channel = 0; channel <= state.channels && found < budget; channel++) {
      if (events.read32(channel * EVENT_BYTES) !== 0) found++
    }
    if (found > 0) onInterrupt()
    return found
  }

  function onInterrupt(): void {
    // The VMM's own event asks for nothing but this.
    events.write32(state.channels * EVENT_BYTES, 0)
    device.write(ringBack.Acknowledge, 1)
    heard()
  }

  interrupts[0].subscribe(onInterrupt)
  return {
    start,
    ready: () => state.ready === 1,
    failure: () => (state.failed === 1 ? 'no doorbell page of a driver domain' : ''),
    stop: () => interrupts[0].mask(),
    stopped: () => true,
    channels: () => state.channels,
    describe,
    hasEvent,
    add,
    added: () => state.added,
    map,
    unmap,
    copyIn,
    copyOut,
    notify: channel => device.write(ringBack.Notify, channel),
    poll,
    onEvent(listener) {
      heard = listener
    },
  }
}
