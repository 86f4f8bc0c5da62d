/** A guest's end of a ring, with its grant table: what disks and network cards have in common. */
import type { DmaBuffer, Environment } from './environment.ts'
import { ringFront } from '../hw/spec/devices/ring.ts'
import { grant, GRANT_PERMIT, GRANT_READ_ONLY, GRANT_TABLE_PAGES } from '../hw/spec/layouts/grant.ts'
import {
  ring,
  RING_ANSWERS,
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
  isOpen(): boolean
}

/** `numbers`: how many requests at a time, each about `pages` pages at the most. Each has grants of its own, behind the ring's. */
export function ringEnd(env: Environment, numbers: number, pages: number): RingEnd {
  const { device, dma } = env
  const table = dma.allocate(GRANT_TABLE_PAGES * PAGE)
  const memory = dma.allocate(RING_PAGES * PAGE)
  const counts = env.state('ring counts', { put: 0, taken: 0 })
  const state = env.state('ring answer', { tag: 0, operation: 0, status: 0, bytes: 0 })
  /** By number: grants in use. */
  const granted = env.state('granted', new Int32Array(numbers))

  function put(
    number: number,
    operation: number,
    sector: number,
    address: number,
    bytes: number,
    readOnly: boolean,
  ): void {
    const at = RING_REQUESTS + (counts.put % RING_SLOTS) * ringRequest.size
    const offset = address % PAGE
    const flags = readOnly ? GRANT_PERMIT | GRANT_READ_ONLY : GRANT_PERMIT
    let reference = RING_PAGES + number * pages
    let page = (address - offset) / PAGE
    let count = 0
    for (let left = bytes === 0 ? 0 : offset + bytes; left > 0; left -= PAGE) {
      table.write32(reference * grant.size + grant.page.at, page)
      table.write16(reference * grant.size + grant.flags.at, flags)
      memory.write32(at + ringRequest.grant.at + count * 4, reference)
      reference++
      page++
      count++
    }
    granted[number] = count
    memory.write16(at + ringRequest.tag.at, number)
    memory.write8(at + ringRequest.operation.at, operation)
    memory.write8(at + ringRequest.grants.at, count)
    memory.write32(at + ringRequest.offset.at, offset)
    memory.write64(at + ringRequest.sector.at, sector)
    memory.write32(at + ringRequest.bytes.at, bytes)
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
  }

  return { table, memory, state, put, tell, take, release, isOpen: () => memory.read32(ring.open.at) === 1 }
}

/** Makes the ring known. */
export function openRing(env: Environment, { table, memory }: RingEnd): void {
  const { device, dma } = env
  for (let page = 0; page < RING_PAGES; page++) {
    table.write32(page * grant.size + grant.page.at, memory.device / PAGE + page)
    table.write16(page * grant.size + grant.flags.at, GRANT_PERMIT)
  }
  dma.fence()
  device.write(ringFront.GrantTable, table.device)
  device.write(ringFront.Ring, memory.device)
  device.write(ringFront.Connect, 1)
}
