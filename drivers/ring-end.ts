/**
 * A guest's end of a ring, with its grant table: what disks and network cards have in common. What has not been answered
 * is remembered: if the domain is replaced, it is asked again, in its order.
 */
import type { DmaBuffer, Environment } from './environment.ts'
import { ringFront } from '../hw/spec/devices/ring.ts'
import { grant, GRANT_PERMIT, GRANT_READ_ONLY, GRANT_TABLE_PAGES } from '../hw/spec/layouts/grant.ts'
import {
  ring,
  RING_ANSWERS,
  RING_OPEN,
  RING_PAGES,
  RING_REQUESTS,
  RING_SLOTS,
  ringAnswer,
  ringRequest,
} from '../hw/spec/layouts/ring.ts'

const PAGE = 4096

export interface RingEnd {
  readonly table: DmaBuffer
  readonly memory: DmaBuffer
  /** The answer taken last. */
  readonly state: { tag: number; operation: number; status: number; bytes: number }
  /** Puts a request in, with the pages that it is about granted; the domain does not write to them if `readOnly`. */
  put(number: number, operation: number, sector: number, address: number, bytes: number, readOnly: boolean): void
  /** Tells the domain of what has been put in, unless it looks anyway. */
  tell(): void
  /** Takes an answer, if there is one. */
  take(): boolean
  /** The pages of a request are granted no more. */
  release(number: number): void
  /** RING_OPEN. */
  how(): number
  /** Makes the ring anew, with all that has not been released, in its order, and makes it known. */
  renew(): void
}

/** `numbers`: how many requests at a time, each about `pages` pages at the most. Each has grants of its own, behind the ring's. */
export function ringEnd(env: Environment, numbers: number, pages: number): RingEnd {
  const { device, dma } = env
  const table = dma.allocate(GRANT_TABLE_PAGES * PAGE)
  const memory = dma.allocate(RING_PAGES * PAGE)
  const counts = env.state('ring counts', { put: 0, taken: 0, turn: 0 })
  const state = env.state('ring answer', { tag: 0, operation: 0, status: 0, bytes: 0 })
  /** By number: grants in use. */
  const granted = env.state('granted', new Int32Array(numbers))
  /** By number: when it was put in, from 1; 0: not outstanding. And what it asks. */
  const turns = env.state('turns', new Float64Array(numbers))
  const operations = env.state('operations', new Int32Array(numbers))
  const offsets = env.state('offsets', new Int32Array(numbers))
  const sectors = env.state('sectors', new Float64Array(numbers))
  const lengths = env.state('lengths', new Int32Array(numbers))

  function put(
    number: number,
    operation: number,
    sector: number,
    address: number,
    bytes: number,
    readOnly: boolean,
  ): void {
    const offset = address % PAGE
    const flags = readOnly ? GRANT_PERMIT | GRANT_READ_ONLY : GRANT_PERMIT
    let reference = RING_PAGES + number * pages
    let page = (address - offset) / PAGE
    let count = 0
    for (let left = bytes === 0 ? 0 : offset + bytes; left > 0; left -= PAGE) {
      table.write32(reference * grant.size + grant.page.at, page)
      table.write16(reference * grant.size + grant.flags.at, flags)
      reference++
      page++
      count++
    }
    granted[number] = count
    operations[number] = operation
    offsets[number] = offset
    sectors[number] = sector
    lengths[number] = bytes
    counts.turn++
    turns[number] = counts.turn
    write(number)
  }

  /** Puts a request that is remembered into the ring. */
  function write(number: number): void {
    const at = RING_REQUESTS + (counts.put % RING_SLOTS) * ringRequest.size
    const count = granted[number]
    const reference = RING_PAGES + number * pages
    for (let page = 0; page < count; page++) memory.write32(at + ringRequest.grant.at + page * 4, reference + page)
    memory.write16(at + ringRequest.tag.at, number)
    memory.write8(at + ringRequest.operation.at, operations[number])
    memory.write8(at + ringRequest.grants.at, count)
    memory.write32(at + ringRequest.offset.at, offsets[number])
    memory.write64(at + ringRequest.sector.at, sectors[number])
    memory.write32(at + ringRequest.bytes.at, lengths[number])
    counts.put = (counts.put + 1) >>> 0
    dma.fence()
    memory.write32(ring.requests.at, counts.put)
  }

  function tell(): void {
    dma.fence()
    if (memory.read32(ring.awake.at) === 0) device.write(ringFront.Notify, 1)
  }

  function take(): boolean {
    if (memory.read32(ring.answers.at) === counts.taken) return false
    dma.fence()
    const at = RING_ANSWERS + (counts.taken % RING_SLOTS) * ringAnswer.size
    state.tag = memory.read16(at + ringAnswer.tag.at)
    state.operation = memory.read8(at + ringAnswer.operation.at)
    state.status = memory.read8(at + ringAnswer.status.at)
    state.bytes = memory.read32(at + ringAnswer.bytes.at)
    counts.taken = (counts.taken + 1) >>> 0
    return true
  }

  function release(number: number): void {
    let at = (RING_PAGES + number * pages) * grant.size + grant.flags.at
    for (let left = granted[number]; left > 0; left--) {
      table.write16(at, 0)
      at += grant.size
    }
    granted[number] = 0
    turns[number] = 0
  }

  function renew(): void {
    counts.put = 0
    counts.taken = 0
    for (let at = 0; at < ring.size; at += 4) memory.write32(at, 0)
    let next = nextAfter(0)
    while (next >= 0) {
      write(next)
      next = nextAfter(turns[next])
    }
    dma.fence()
    device.write(ringFront.Connect, 1)
  }

  /** Of what is outstanding, the one that was put in first after `turn`; -1 if there is none. */
  function nextAfter(turn: number): number {
    let best = -1
    for (let number = 0; number < numbers; number++) {
      if (turns[number] > turn && (best < 0 || turns[number] < turns[best])) best = number
    }
    return best
  }

  return { table, memory, state, put, tell, take, release, how: () => memory.read32(ring.open.at), renew }
}

/** Makes the ring known. */
export function openRing(env: Environment, { table, memory }: RingEnd): void {
  const { device, dma } = env
  memory.write32(ring.open.at, RING_OPEN.NOT_YET)
  for (let page = 0; page < RING_PAGES; page++) {
    table.write32(page * grant.size + grant.page.at, memory.device / PAGE + page)
    table.write16(page * grant.size + grant.flags.at, GRANT_PERMIT)
  }
  dma.fence()
  device.write(ringFront.GrantTable, table.device)
  device.write(ringFront.Ring, memory.device)
  device.write(ringFront.Connect, 1)
}
