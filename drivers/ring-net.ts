/**
 * A network card whose driver is in another guest: frames and buffers go into a ring that both share, and their pages are
 * granted until they come back (hw/spec/layouts/ring.ts). If the domain is replaced, what it has not answered is asked again: a
 * frame may be sent twice.
 */
import type { Environment, NetworkDevice } from './environment.ts'
import { openRing, type RingEnd, ringEnd } from './ring-end.ts'
import { RING_ID, ringFront } from '../hw/spec/devices/ring.ts'
import { RING_OPEN, RING_OPERATION, RING_SLOTS } from '../hw/spec/layouts/ring.ts'

const MAC_BYTES = 6
/** A frame may lie in two pages. */
const PAGES = 2
const MAXIMUM_FRAME = 1518
const BUFFER_BYTES = 2048
const BUDGET = 64

const CREATED = 0
const CONNECTING = 1
const RUNNING = 2
const FAILED = 3
const STOPPED = 4

export interface RingNetConfig {
  readonly queueDepth: number
}

export function ringNet(env: Environment, config: RingNetConfig): NetworkDevice {
  const { device, interrupts, time } = env
  const depth = config.queueDepth < RING_SLOTS / 2 ? config.queueDepth : RING_SLOTS / 2
  /** Frames to be sent have the numbers of their tags, buffers those behind. */
  const end: RingEnd = ringEnd(env, 2 * depth, PAGES)
  const state = env.state('ring network', { phase: CREATED, low: 0, high: 0 })
  const busy = env.state('busy', new Int32Array(2 * depth))
  const unheardTransmitted: (tag: number) => void = () => {}
  const unheardReceived: (tag: number, bytes: number) => void = () => {}
  let transmitted = unheardTransmitted
  let received = unheardReceived

  function start(): void {
    if (state.phase !== CREATED) return
    if (device.read(ringFront.DeviceID) !== RING_ID.network) {
      state.phase = FAILED
      return
    }
    state.low = device.read(ringFront.Station)
    state.high = device.readHigh(ringFront.Station)
    state.phase = CONNECTING
    openRing(env, end)
    interrupts[0].unmask()
  }

  function ask(number: number, operation: number, address: number, bytes: number, readOnly: boolean): void {
    end.put(number, operation, 0, address, bytes, readOnly)
    busy[number] = 1
    end.tell()
  }

  function transmit(tag: number, address: number, bytes: number): boolean {
    if (state.phase !== RUNNING || tag < 0 || tag >= depth || busy[tag] !== 0 || bytes < 1 || bytes > MAXIMUM_FRAME)
      return false
    ask(tag, RING_OPERATION.TRANSMIT, address, bytes, true)
    return true
  }

  function provide(tag: number, address: number, bytes: number): boolean {
    if (state.phase !== RUNNING || tag < 0 || tag >= depth || busy[depth + tag] !== 0 || bytes < BUFFER_BYTES)
      return false
    ask(depth + tag, RING_OPERATION.PROVIDE, address, BUFFER_BYTES, false)
    return true
  }

  function poll(budget: number): number {
    let done = 0
    while (done < budget && end.take()) {
      const { tag, bytes } = end.state
      if (tag >= 2 * depth || busy[tag] === 0) continue
      end.release(tag)
      busy[tag] = 0
      done++
      if (tag < depth) transmitted(tag)
      else received(tag - depth, bytes > BUFFER_BYTES ? 0 : bytes)
    }
    return done
  }

  function onInterrupt(): void {
    device.write(ringFront.Acknowledge, 1)
    drain()
  }

  function drain(): void {
    const how = end.how()
    if (how === RING_OPEN.SERVED && state.phase === CONNECTING) state.phase = RUNNING
    const isWhole = poll(BUDGET) < BUDGET
    if (!isWhole) time.defer(drain)
    else if (how === RING_OPEN.REPLACED) end.renew()
    else if (how === RING_OPEN.GONE) giveUp(FAILED)
  }

  function mac(): readonly number[] {
    const bytes: number[] = []
    for (let index = 0; index < MAC_BYTES; index++) {
      const word = index < 4 ? state.low : state.high
      bytes.push((word >>> ((index & 3) * 8)) & 0xff)
    }
    return bytes
  }

  function stop(): void {
    if (state.phase === STOPPED) return
    interrupts[0].mask()
    device.write(ringFront.Connect, 0)
    giveUp(STOPPED)
  }

  /** Nobody will answer what is outstanding. */
  function giveUp(phase: number): void {
    state.phase = phase
    for (let number = 0; number < 2 * depth; number++) {
      if (busy[number] !== 0) end.release(number)
      busy[number] = 0
    }
  }

  time.entry('drain', drain)
  interrupts[0].subscribe(onInterrupt)

  return {
    depth,
    start,
    ready: () => state.phase === RUNNING,
    failure: () => (state.phase === FAILED ? 'no domain for the network card' : ''),
    stop,
    stopped: () => state.phase === STOPPED,
    mac,
    linkUp: () => state.phase === RUNNING,
    transmit,
    provide,
    poll,
    onTransmitted(heard) {
      transmitted = heard
    },
    onReceived(heard) {
      received = heard
    },
  }
}
