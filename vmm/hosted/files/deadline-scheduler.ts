/**
 * Which request goes to the disk next, in the manner of Linux's mq-deadline: reads before writes, each kind in the order of
 * sectors from where the last one ended, some at a time; but who has waited too long goes first, and writes are passed
 * over no more than twice.
 */
import type { HartPort, StateRecord } from '../../../hw/port.ts'
import { time } from '../../../hw/spec/csrs/counters.ts'
import { clearHeap, heapBytes, heapFirst, heapFirstKey, heapPop, heapPush, heapRemove } from '../heap.ts'
import type { FreeMemory } from '../../core/free-memory.ts'
import { MOST_REQUESTS, NO_REQUEST, request, requestAt } from './requests.ts'

/** Policy, Linux's: reads wait 0.5 s at most, writes 5 s (ticks); 16 of a kind together; writes are passed over twice. */
const PATIENCE = [5_000_000, 50_000_000] as const
const BATCH = 16
const STARVED = 2
/** Requests behind the position belong to the next sweep over the disk. */
const SWEEP = 2 ** 40

const PAGE = 4096

const READS = 0
const WRITES = 1

/** Requests of a kind: in a heap by sector, and in a list by age. */
class Kind {
  /** First and last of the list, plus one; the sweep that is going on, and where it is; where the heap lies. */
  readonly record = { first: 0, last: 0, sweep: 0, position: 0, heap: 0 }

  add(port: HartPort, number: number, due: number): void {
    const { record } = this
    const at = requestAt(number)
    const sector = port.load64(at + request.sector.at)
    const sweep = sector >= record.position ? record.sweep : record.sweep + 1
    heapPush(port, record.heap, sweep * SWEEP + sector, number)
    port.store64(at + request.due.at, due)
    port.store32(at + request.next.at, 0)
    port.store32(at + request.previous.at, record.last)
    if (record.last === 0) record.first = number + 1
    else port.store32(requestAt(record.last - 1) + request.next.at, number + 1)
    record.last = number + 1
  }

  /** The oldest, if it has waited too long; else the next on the way. NO_REQUEST if there is none. */
  choose(port: HartPort): number {
    const { record } = this
    const oldest = record.first - 1
    if (oldest === NO_REQUEST) return NO_REQUEST
    if (port.load64(requestAt(oldest) + request.due.at) > port.read(time)) return heapFirst(port, record.heap)
    return oldest
  }

  take(port: HartPort, number: number): void {
    const { record } = this
    const { heap } = record
    const at = requestAt(number)
    if (heapFirst(port, heap) === number) {
      record.sweep = Math.floor(heapFirstKey(port, heap) / SWEEP)
      heapPop(port, heap)
    } else heapRemove(port, heap, number)
    record.position = port.load64(at + request.sector.at) + port.load32(at + request.sectors.at)
    const next = port.load32(at + request.next.at)
    const previous = port.load32(at + request.previous.at)
    if (next === 0) record.last = previous
    else port.store32(requestAt(next - 1) + request.previous.at, previous)
    if (previous === 0) record.first = next
    else port.store32(requestAt(previous - 1) + request.next.at, next)
  }
}

export class DeadlineScheduler {
  readonly state: Record<string, StateRecord>
  /** The kind that goes now, how many of it are left in its batch, and how often writes have been passed over. */
  readonly #record = { kind: READS, left: 0, starved: 0 }
  readonly #kinds: readonly [Kind, Kind]

  constructor() {
    const reads = new Kind()
    const writes = new Kind()
    this.#kinds = [reads, writes]
    this.state = { deadline: this.#record, 'deadline reads': reads.record, 'deadline writes': writes.record }
  }

  /** Takes memory for both heaps: pages that lie together. */
  create(port: HartPort, free: FreeMemory): void {
    for (let kind = READS; kind <= WRITES; kind++) {
      const heap = free.takeTable(port)
      for (let bytes = PAGE; bytes < heapBytes(MOST_REQUESTS); bytes += PAGE) free.takeTable(port)
      clearHeap(port, heap)
      this.#kinds[kind].record.heap = heap
    }
  }

  add(port: HartPort, number: number, isWrite: boolean): void {
    const kind = isWrite ? WRITES : READS
    this.#kinds[kind].add(port, number, port.read(time) + PATIENCE[kind])
  }

  /** The request that should go next, or NO_REQUEST; it stays until `take`. */
  choose(port: HartPort): number {
    const record = this.#record
    const reads = this.#kinds[READS]
    const writes = this.#kinds[WRITES]
    const isEmpty = this.#kinds[record.kind].record.first === 0
    if (record.left > 0 && !isEmpty) return this.#kinds[record.kind].choose(port)
    const hasReads = reads.record.first !== 0
    const hasWrites = writes.record.first !== 0
    if (!hasReads && !hasWrites) return NO_REQUEST
    if (hasReads && (!hasWrites || record.starved < STARVED)) {
      record.kind = READS
      if (hasWrites) record.starved++
    } else {
      record.kind = WRITES
      record.starved = 0
    }
    record.left = BATCH
    return this.#kinds[record.kind].choose(port)
  }

  /** The request that was chosen goes. */
  take(port: HartPort, number: number): void {
    const record = this.#record
    this.#kinds[record.kind].take(port, number)
    record.left--
  }
}
