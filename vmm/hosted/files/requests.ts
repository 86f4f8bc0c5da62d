/** Requests to the disk, in RAM: records of a slab, and queues of them. */
import type { HartPort } from '../../../hw/port.ts'
import { layout } from '../../../hw/spec/layout.ts'
import { TABLES } from '../layout.ts'
import { NO_RECORD, REQUEST_CACHE, SlabCache } from '../memory/slab-cache.ts'

/** `kind` and `cookie` say who hears of its end; `next` is the number of the next request of its queue, plus one. */
export const request = layout(0x40, 'our own', {
  next: { at: 0x00, bytes: 4 },
  operation: { at: 0x04, bytes: 4 },
  sector: { at: 0x08, bytes: 8 },
  address: { at: 0x10, bytes: 8 },
  sectors: { at: 0x18, bytes: 4 },
  kind: { at: 0x1c, bytes: 4 },
  cookie: { at: 0x20, bytes: 4 },
  failed: { at: 0x24, bytes: 4 },
  /** While the scheduler has it: the one before it in age, plus one, and when it has waited too long (ticks). */
  previous: { at: 0x28, bytes: 4 },
  due: { at: 0x30, bytes: 8 },
  /** When the disk got it (ticks). */
  begun: { at: 0x38, bytes: 8 },
})

/** Every page of the cache may be in a request of its own, some more go past the cache, and harts keep some. */
export const MOST_REQUESTS = 2816
export const NO_REQUEST = -1

export function requestAt(number: number): number {
  return TABLES.requests + number * request.size
}

/** A queue: its first and last request, plus one, in registered state. */
export class RequestQueue {
  readonly record = { first: 0, last: 0 }

  add(port: HartPort, number: number): void {
    const { record } = this
    port.store32(requestAt(number) + request.next.at, 0)
    if (record.last === 0) record.first = number + 1
    else port.store32(requestAt(record.last - 1) + request.next.at, number + 1)
    record.last = number + 1
  }

  /** The first request, or NO_REQUEST. */
  first(): number {
    return this.record.first - 1
  }

  last(): number {
    return this.record.last - 1
  }

  /** Takes the first request out. */
  take(port: HartPort): number {
    const { record } = this
    const number = record.first - 1
    if (number === NO_REQUEST) return NO_REQUEST
    record.first = port.load32(requestAt(number) + request.next.at)
    if (record.first === 0) record.last = 0
    return number
  }

  /** Puts all of another queue behind. */
  join(port: HartPort, other: RequestQueue): void {
    const { record } = this
    const { first, last } = other.record
    if (first === 0) return
    if (record.last === 0) record.first = first
    else port.store32(requestAt(record.last - 1) + request.next.at, first)
    record.last = last
    other.record.first = 0
    other.record.last = 0
  }
}

/** The requests that nobody has. */
export class RequestSlab {
  readonly #cache = new SlabCache(REQUEST_CACHE, TABLES.requests, request.size, MOST_REQUESTS)

  create(port: HartPort): void {
    this.#cache.create(port)
  }

  /** Every page of the cache may be in a request: there is always one. */
  take(
    port: HartPort,
    operation: number,
    sector: number,
    sectors: number,
    address: number,
    kind: number,
    cookie: number,
  ): number {
    const number = this.#cache.take(port)
    if (number === NO_RECORD) throw new Error(`the host's block layer has no request left of ${MOST_REQUESTS}`)
    const at = requestAt(number)
    port.store32(at + request.operation.at, operation)
    port.store64(at + request.sector.at, sector)
    port.store64(at + request.address.at, address)
    port.store32(at + request.sectors.at, sectors)
    port.store32(at + request.kind.at, kind)
    port.store32(at + request.cookie.at, cookie)
    port.store32(at + request.failed.at, 0)
    return number
  }

  give(port: HartPort, number: number): void {
    this.#cache.give(port, number)
  }
}
