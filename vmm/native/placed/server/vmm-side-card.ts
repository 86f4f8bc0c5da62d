/**
 * A network card whose driver is in a server, as the VMM uses it: the same interface as the driver's. Frames lie where the
 * device reaches them, out of the server's reach, or are copied by way of the server's memory. Frames that a dead server
 * had are lost, as on a cable; its buffers are given to the next.
 */
import type { NetworkDevice } from '../../../../drivers/environment.ts'
import type { HartPort, StateRecord } from '../../../../hw/port.ts'
import { ServedLife, type ServedDevice } from './vmm-side-device.ts'
import { FREE, SAID, ServerQueue } from './vmm-side-queue.ts'
import { message, MOST_MESSAGES, PROVIDE, REFUSED, TAG_MASK, TAG_SHIFT, TRANSMIT } from './vmm-side-messages.ts'

export const FRAME_BYTES = 2048
const MAC_BYTES = 6

export interface ServedCard extends NetworkDevice {
  readonly life: ServedLife
  readonly state: Readonly<Record<string, StateRecord>>
}

export interface ServedCardParts extends ServedDevice {
  readonly depth: number
  /** Where frames are copied, those to be sent first, FRAME_BYTES each; 0: the device reaches them where they are. */
  readonly copies: number
}

export function servedCard(parts: ServedCardParts): ServedCard {
  const { depth, copies, thread } = parts
  const life = new ServedLife(parts)
  /** Frames to be sent, then buffers. */
  const queue = new ServerQueue('served card', 2 * depth)
  const state = { known: false, station: 0, stopped: false }
  const lengths = new Int32Array(2 * depth)
  const addresses = new Float64Array(2 * depth)
  const unheardTransmitted: (tag: number) => void = () => {}
  const unheardReceived: (tag: number, bytes: number) => void = () => {}
  let transmitted = unheardTransmitted
  let received = unheardReceived

  function ask(number: number, address: number, bytes: number): boolean {
    if (life.record.lost || state.stopped || queue.stages[number] !== FREE) return false
    addresses[number] = address
    lengths[number] = bytes
    queue.ask(number)
    parts.wake()
    return true
  }

  function transmit(tag: number, address: number, bytes: number): boolean {
    return life.isReady() && ask(tag, address, bytes)
  }

  function provide(tag: number, address: number, bytes: number): boolean {
    return ask(depth + tag, address, bytes)
  }

  function compose(port: HartPort, to: number): number {
    life.tell()
    let at = to
    let count = 0
    while (count < MOST_MESSAGES && life.isReady() && queue.waiting() > 0) {
      describe(port, at, queue.say())
      at += message.size
      count++
    }
    return count
  }

  function describe(port: HartPort, at: number, number: number): void {
    const isFrame = number < depth
    const what = isFrame ? number | (TRANSMIT << TAG_SHIFT) : (number - depth) | (PROVIDE << TAG_SHIFT)
    let address = addresses[number]
    if (copies !== 0) {
      address = copies + number * FRAME_BYTES
      if (isFrame) port.copy(address, addresses[number], lengths[number])
    }
    port.store32(at + message.what.at, what)
    port.store32(at + message.count.at, lengths[number])
    port.store64(at + message.address.at, address)
  }

  function answered(port: HartPort, what: number, bytes: number): void {
    const tag = what & TAG_MASK
    const result = what >>> TAG_SHIFT
    const isFrame = (result & PROVIDE) === 0
    const number = isFrame ? tag : depth + tag
    // A server says what it likes.
    if (tag >= depth || queue.stages[number] !== SAID) return
    if (result >= REFUSED) {
      queue.ask(number)
      return
    }
    life.lived()
    queue.stages[number] = FREE
    if (isFrame) transmitted(tag)
    else {
      const length = bytes > lengths[number] ? 0 : bytes
      if (copies !== 0) port.copy(addresses[number], copies + number * FRAME_BYTES, length)
      received(tag, length)
    }
  }

  function heard(_port: HartPort, flags: number, knows: number): void {
    if (life.heard(flags)) {
      state.known = true
      state.station = knows
    }
  }

  function lost(): boolean {
    const again = life.died()
    if (!again) giveUp()
    for (let tag = 0; tag < depth; tag++) {
      if (queue.stages[tag] !== SAID) continue
      queue.stages[tag] = FREE
      transmitted(tag)
    }
    queue.repeat()
    return again
  }

  function giveUp(): void {
    for (let number = 0; number < 2 * depth; number++) {
      if (queue.stages[number] === FREE) continue
      queue.stages[number] = FREE
      if (number < depth) transmitted(number)
    }
    queue.repeat()
  }

  function stop(): void {
    state.stopped = true
    life.record.lost = true
    giveUp()
    const slot = parts.find()
    if (slot >= 0) parts.bus.disable(slot)
  }

  function mac(): readonly number[] {
    const bytes: number[] = []
    for (let index = MAC_BYTES - 1; index >= 0; index--) bytes.push(Math.floor(state.station / 2 ** (8 * index)) % 256)
    return bytes
  }

  thread.client = {
    isWaiting: () => life.isReady() && queue.waiting() > 0,
    compose,
    heard,
    answered,
    // A buffer waits for a frame, however long that takes.
    oldest: () => queue.oldest(depth),
    lost,
    revived: () => life.revived(),
  }
  return {
    life,
    depth,
    start: () => life.start(),
    ready: () => state.known && !life.record.lost,
    failure: () => (life.record.lost ? 'device lost' : ''),
    stop,
    stopped: () => state.stopped,
    mac,
    linkUp: () => life.isReady(),
    transmit,
    provide,
    poll: () => 0,
    onTransmitted(listener) {
      transmitted = listener
    },
    onReceived(listener) {
      received = listener
    },
    state: {
      'served card life': life.record,
      'served card': state,
      'served card lengths': lengths,
      'served card addresses': addresses,
      ...queue.state,
    },
  }
}
