/** The device's side of a virtqueue: takes a chain, sums its buffers, gives it back. */
import type { HartPort } from '../../../hw/port.ts'

export interface Queue {
  readonly size: number
  readonly descriptors: number
  readonly avail: number
  readonly used: number
  lastAvail: number
  usedIndex: number
}

export interface Chain {
  head: number
  readable: number
  writable: number
}

const NEXT = 1
const WRITE = 2

/** True if there was a chain, and it made sense. */
export function takeChain(port: HartPort, queue: Queue, chain: Chain): boolean {
  const { size, avail, descriptors } = queue
  const last = queue.lastAvail
  if (port.load16(avail + 2) === last) return false
  port.fence()
  const head = port.load16(avail + 4 + (last & (size - 1)) * 2)
  queue.lastAvail = (last + 1) & 0xffff
  let readable = 0
  let writable = 0
  let index = head
  for (let seen = 0; seen < size; seen++) {
    if (index >= size) return false
    const at = descriptors + index * 16
    const length = port.load32(at + 8)
    const flags = port.load16(at + 12)
    if ((flags & WRITE) !== 0) writable += length
    else if (writable > 0) return false
    else readable += length
    if ((flags & NEXT) === 0) {
      chain.head = head
      chain.readable = readable
      chain.writable = writable
      return true
    }
    index = port.load16(at + 14)
  }
  return false
}

/** Gives a chain back; true if the driver wants to hear of it. */
export function giveBack(port: HartPort, queue: Queue, head: number, written: number): boolean {
  const { used, avail, size } = queue
  const index = queue.usedIndex
  const at = used + 4 + (index & (size - 1)) * 8
  port.store32(at, head)
  port.store32(at + 4, written)
  port.fence()
  queue.usedIndex = (index + 1) & 0xffff
  port.store16(used + 2, queue.usedIndex)
  return (port.load16(avail) & 1) === 0
}
