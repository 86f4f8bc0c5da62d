/**
 * A disk whose driver is in a server, as the VMM uses it: the same interface as the driver's. A request becomes a message;
 * its data lies where the device reaches it for as long as the request lasts, or is copied by way of the server's memory.
 * What a dead server has not answered is asked again, in its order: what the disk has done once more does no harm.
 */
import type { BlockDevice, Completion } from '../../../../drivers/environment.ts'
import type { CurrentPort } from '../../../../drivers/port-environment.ts'
import type { HartPort, StateRecord } from '../../../../hw/port.ts'
import type { Loans } from '../../loans.ts'
import { ServedLife, type ServedDevice } from './vmm-side-device.ts'
import { FREE, SAID, ServerQueue } from './vmm-side-queue.ts'
import {
  DONE,
  FLUSH,
  MAXIMUM_SHIFT,
  message,
  MOST_MESSAGES,
  READ,
  REFUSED,
  TAG_MASK,
  TAG_SHIFT,
  WRITE,
} from './vmm-side-messages.ts'

const SECTOR_BYTES = 512
/** Of each request's room in the server's memory, and so the most that is copied for one. */
export const COPIED_BYTES = 4096
/** Requests whose data is copied in one entry. */
const MOST_COPIED = 4

export interface ServedDisk extends BlockDevice {
  readonly life: ServedLife
  readonly state: Readonly<Record<string, StateRecord>>
}

export interface ServedDiskParts extends ServedDevice {
  readonly current: CurrentPort
  readonly depth: number
  /** How the device is given a request's data; undefined: it is copied to `copies`. */
  readonly loans: Loans | undefined
  readonly copies: number
}

export function servedDisk(parts: ServedDiskParts): ServedDisk {
  const { current, depth, loans, copies, thread } = parts
  const life = new ServedLife(parts)
  const queue = new ServerQueue('served disk', depth)
  const state = { sectors: 0, maximum: 0, stopped: false }
  const operations = new Int32Array(depth)
  const counts = new Int32Array(depth)
  const sectors = new Float64Array(depth)
  const addresses = new Float64Array(depth)
  const unheard: (tag: number, how: Completion) => void = () => {}
  let completed = unheard

  function submit(
    tag: number,
    operation: 'read' | 'write' | 'flush',
    sector: number,
    count: number,
    address: number,
  ): boolean {
    if (life.record.lost || state.stopped || queue.stages[tag] !== FREE) return false
    operations[tag] = operation === 'read' ? READ : operation === 'write' ? WRITE : FLUSH
    counts[tag] = count
    sectors[tag] = sector
    addresses[tag] = address
    queue.ask(tag)
    parts.wake()
    return true
  }

  function compose(port: HartPort, to: number): number {
    life.tell()
    let at = to
    let count = 0
    const most = loans === undefined ? MOST_COPIED : MOST_MESSAGES
    while (count < most && life.isReady() && queue.waiting() > 0) {
      describe(port, at, queue.say())
      at += message.size
      count++
    }
    return count
  }

  function describe(port: HartPort, at: number, tag: number): void {
    const operation = operations[tag]
    port.store32(at + message.what.at, tag | (operation << TAG_SHIFT))
    port.store32(at + message.count.at, counts[tag])
    port.store64(at + message.sector.at, sectors[tag])
    port.store64(at + message.address.at, operation === FLUSH ? 0 : place(port, tag))
  }

  /** Puts a request's data where the device can have it. */
  function place(port: HartPort, tag: number): number {
    const bytes = counts[tag] * SECTOR_BYTES
    if (loans !== undefined) return loans.lend(port, tag, addresses[tag], bytes)
    const room = copies + tag * COPIED_BYTES
    if (operations[tag] === WRITE) port.copy(room, addresses[tag], bytes)
    return room
  }

  function answered(port: HartPort, what: number): void {
    const tag = what & TAG_MASK
    const result = what >>> TAG_SHIFT
    // A server says what it likes.
    if (tag >= depth || queue.stages[tag] !== SAID) return
    if (operations[tag] !== FLUSH) giveBack(port, tag, result === DONE)
    if (result === REFUSED) {
      queue.ask(tag)
      return
    }
    life.lived()
    queue.stages[tag] = FREE
    completed(tag, result === DONE ? 'ok' : 'media error')
  }

  function giveBack(port: HartPort, tag: number, good: boolean): void {
    const bytes = counts[tag] * SECTOR_BYTES
    if (loans !== undefined) loans.takeBack(port, tag, addresses[tag], bytes)
    else if (good && operations[tag] === READ) port.copy(addresses[tag], copies + tag * COPIED_BYTES, bytes)
  }

  function heard(_port: HartPort, flags: number, knows: number): void {
    if (life.heard(flags)) {
      state.sectors = knows
      const maximum = flags >>> MAXIMUM_SHIFT
      state.maximum =
        loans === undefined && maximum > COPIED_BYTES / SECTOR_BYTES ? COPIED_BYTES / SECTOR_BYTES : maximum
    }
  }

  /** The server is dead, or of no use: the device reaches nothing that was lent for a request. */
  function lost(port: HartPort): boolean {
    const again = life.died()
    for (let tag = 0; tag < depth; tag++) {
      if (loans !== undefined && queue.stages[tag] === SAID && operations[tag] !== FLUSH)
        loans.takeBack(port, tag, addresses[tag], counts[tag] * SECTOR_BYTES)
    }
    if (again) queue.repeat()
    else giveUp(port)
    return again
  }

  function giveUp(port: HartPort): void {
    for (let tag = 0; tag < depth; tag++) {
      if (queue.stages[tag] === FREE) continue
      if (loans !== undefined && queue.stages[tag] === SAID && operations[tag] !== FLUSH)
        loans.takeBack(port, tag, addresses[tag], counts[tag] * SECTOR_BYTES)
      queue.stages[tag] = FREE
      completed(tag, 'device lost')
    }
    queue.repeat()
  }

  function isWaiting(): boolean {
    return life.isReady() && queue.waiting() > 0
  }

  function stop(): void {
    state.stopped = true
    life.record.lost = true
    giveUp(current.port)
    const slot = parts.find()
    if (slot >= 0) parts.bus.disable(slot)
  }

  thread.client = {
    isWaiting,
    compose,
    heard,
    answered,
    oldest: () => queue.oldest(depth),
    lost,
    revived: () => life.revived(),
  }
  return {
    life,
    depth,
    sectorBytes: SECTOR_BYTES,
    start: () => life.start(),
    ready: () => state.sectors > 0 && !life.record.lost,
    failure: () => (life.record.lost ? 'device lost' : ''),
    stop,
    stopped: () => state.stopped,
    sectors: () => state.sectors,
    maximumSectors: () => state.maximum,
    submit,
    poll: () => 0,
    onCompleted(listener) {
      completed = listener
    },
    state: {
      'served disk life': life.record,
      'served disk': state,
      'served disk operations': operations,
      'served disk counts': counts,
      'served disk sectors': sectors,
      'served disk addresses': addresses,
      ...queue.state,
    },
  }
}
