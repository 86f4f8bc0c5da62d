/** Who owns a network card in the tests: buffers by tag, and its books in the environment's state. */
import type { Environment, NetworkDevice } from '../../drivers/environment.ts'
import type { BenchMemory } from '../hw/devices/bench.ts'
import type { FakeEnvironment } from './fake-environment.ts'

const SLOT = 2048

export interface NetworkOwner {
  readonly env: FakeEnvironment
  readonly card: () => NetworkDevice
  /** Makes the driver again, from its saved state. */
  remake(): void
  start(): boolean
  stop(): boolean
  /** Sends a frame from the tag's own buffer. */
  send(tag: number, frame: Uint8Array): boolean
  /** Offers the tag's receive buffer; when a frame has come, it is offered again by itself if `again`. */
  offer(tag: number, again?: boolean): boolean
  readonly sent: () => number
  /** Frames received since it was last asked, in their order. */
  takeReceived(): Uint8Array[]
  runUntil(until: () => boolean): boolean
  lent(address: number, bytes: number): boolean
}

const LOG = 4096

export function networkOwner(
  env: FakeEnvironment,
  memory: BenchMemory,
  make: (env: Environment) => NetworkDevice,
  { data = 0x8_0000, polled = false }: { data?: number; polled?: boolean } = {},
): NetworkOwner {
  let card: NetworkDevice
  let sending: Int32Array
  let offered: Int32Array
  let counts: { sent: number; received: number; again: number }
  /** Of each frame received: its tag and its length. */
  let log: Int32Array
  /** What the buffers held when they came back, by number of the frame. */
  const frames: Uint8Array[] = []
  let taken = 0
  const receiveAt = (tag: number) => data + (card.depth + tag) * SLOT
  const remake = (): void => {
    env.construct(made => {
      card = make(made)
      sending = made.state('owner sending', new Int32Array(card.depth))
      offered = made.state('owner offered', new Int32Array(card.depth))
      counts = made.state<typeof counts>('owner counts', { sent: 0, received: 0, again: 0 })
      log = made.state('owner log', new Int32Array(LOG * 2))
      card.onTransmitted(tag => {
        if (sending[tag] !== 1) throw new Error(`frame ${tag} came back without having been sent`)
        sending[tag] = 0
        counts.sent += 1
      })
      card.onReceived((tag, bytes) => {
        if (offered[tag] !== 1) throw new Error(`buffer ${tag} came back without having been offered`)
        if (bytes < 0 || bytes > SLOT) throw new Error(`${bytes} bytes in a buffer of ${SLOT}`)
        offered[tag] = 0
        log[counts.received * 2] = tag
        log[counts.received * 2 + 1] = bytes
        frames[counts.received] = memory.bytes.slice(receiveAt(tag), receiveAt(tag) + bytes)
        counts.received += 1
        if (counts.again === 1 && card.provide(tag, receiveAt(tag), SLOT)) offered[tag] = 1
      })
    })
  }
  remake()
  const runUntil = (until: () => boolean): boolean => {
    for (let i = 0; i < 100_000; i++) {
      if (polled) env.enter(() => card.poll(3))
      if (until()) return true
      if (!polled) return env.run(until)
      env.pass(5)
    }
    return false
  }
  return {
    env,
    card: () => card,
    remake,
    runUntil,
    start() {
      env.enter(() => card.start())
      return runUntil(() => env.enter(() => card.ready() || card.failure() !== '')) && env.enter(() => card.ready())
    },
    stop() {
      env.enter(() => card.stop())
      return runUntil(() => env.enter(() => card.stopped()))
    },
    send(tag, frame) {
      if (sending[tag] === 0) memory.bytes.set(frame, data + tag * SLOT)
      return env.enter(() => {
        if (!card.transmit(tag, data + tag * SLOT, frame.length)) return false
        sending[tag] = 1
        return true
      })
    },
    offer(tag, again = false) {
      return env.enter(() => {
        counts.again = again ? 1 : 0
        if (!card.provide(tag, receiveAt(tag), SLOT)) return false
        offered[tag] = 1
        return true
      })
    },
    sent: () => counts.sent,
    takeReceived() {
      const received = frames.slice(taken, counts.received)
      taken = counts.received
      return received
    },
    lent: (address, bytes) => address >= data && address + bytes <= data + 2 * card.depth * SLOT,
  }
}
