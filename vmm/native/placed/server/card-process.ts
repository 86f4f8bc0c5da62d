/** The network card's server: frames and buffers by message, what has become of them by answer. */
import { type NicConfig, nicDriver } from '../../../../drivers/nic.ts'
import type { PortEnvironment } from '../../../../drivers/port-environment.ts'
import type { HartPort } from '../../../../hw/port.ts'
import type { ServerWork } from './process.ts'
import {
  answer,
  FLAG_FAILED,
  FLAG_READY,
  message,
  PROVIDE,
  REFUSED,
  TAG_MASK,
  TAG_SHIFT,
  TRANSMIT,
} from './vmm-side-messages.ts'

const MAC_BYTES = 6
/** Frames that the VMM takes in one entry: each may be copied to every guest. */
const FRAMES_AT_A_TIME = 8

export function cardWork(environment: PortEnvironment, config: NicConfig): ServerWork {
  const driver = nicDriver(environment, config)
  /** What is to be answered, in order: a ring. A buffer each way is answered once. */
  const most = 2 * driver.depth
  const state = { first: 0, count: 0, known: false, station: 0 }
  const words = new Int32Array(most)
  const lengths = new Int32Array(most)

  function say(what: number, bytes: number): void {
    const place = (state.first + state.count) % most
    words[place] = what
    lengths[place] = bytes
    state.count++
  }

  function take(port: HartPort, at: number): void {
    const what = port.load32(at + message.what.at)
    const tag = what & TAG_MASK
    const address = port.load64(at + message.address.at)
    const bytes = port.load32(at + message.count.at)
    const isFrame = what >>> TAG_SHIFT === TRANSMIT
    const taken = isFrame ? driver.transmit(tag, address, bytes) : driver.provide(tag, address, bytes)
    if (!taken) say(what | (REFUSED << TAG_SHIFT), 0)
  }

  function answered(port: HartPort, at: number, limit: number): number {
    const room = limit < FRAMES_AT_A_TIME ? limit : FRAMES_AT_A_TIME
    const count = state.count < room ? state.count : room
    let to = at
    for (let left = count; left > 0; left--) {
      port.store32(to + answer.what.at, words[state.first])
      port.store32(to + answer.bytes.at, lengths[state.first])
      state.first = state.first + 1 === most ? 0 : state.first + 1
      to += answer.size
    }
    state.count -= count
    return count
  }

  function flags(): number {
    if (driver.ready()) return FLAG_READY
    return driver.failure() === '' ? 0 : FLAG_FAILED
  }

  /** Its station address as a number, the first byte the highest. */
  function knows(): number {
    if (!state.known && driver.ready()) {
      const bytes = driver.mac()
      state.station = 0
      for (let index = 0; index < MAC_BYTES; index++) state.station = state.station * 256 + bytes[index]
      state.known = true
    }
    return state.station
  }

  function transmitted(tag: number): void {
    say(tag | (TRANSMIT << TAG_SHIFT), 0)
  }

  function received(tag: number, bytes: number): void {
    say(tag | (PROVIDE << TAG_SHIFT), bytes)
  }

  driver.onTransmitted(transmitted)
  driver.onReceived(received)
  return {
    start: driver.start,
    take,
    poll: driver.poll,
    answer: answered,
    isBehind: () => state.count > 0,
    flags,
    knows,
    state: { 'to be answered': state, answers: words, lengths },
  }
}
