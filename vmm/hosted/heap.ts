/** A binary heap in RAM: whoever has the least key comes first; of equal ones, the one that came first need not. */
import type { HartPort } from '../../hw/port.ts'

/** The number of entries, then entries of a key (8 bytes) and a value (4). */
const ENTRY = 16
const VALUE = 8
const FIRST = 16

export const EMPTY = -1

/** Bytes of a heap with room for so many entries. */
export function heapBytes(entries: number): number {
  return FIRST + entries * ENTRY
}

export function clearHeap(port: HartPort, heap: number): void {
  port.store32(heap, 0)
}

export function heapCount(port: HartPort, heap: number): number {
  return port.load32(heap)
}

/** The least key's value, or EMPTY. */
export function heapFirst(port: HartPort, heap: number): number {
  return port.load32(heap) === 0 ? EMPTY : port.load32(heap + FIRST + VALUE)
}

export function heapFirstKey(port: HartPort, heap: number): number {
  return port.load64(heap + FIRST)
}

/** Puts a value in. Keys are whole numbers, not negative. */
export function heapPush(port: HartPort, heap: number, key: number, value: number): void {
  let index = port.load32(heap)
  port.store32(heap, index + 1)
  while (index > 0) {
    const above = (index - 1) >> 1
    const aboveAt = heap + FIRST + above * ENTRY
    const aboveKey = port.load64(aboveAt)
    if (aboveKey <= key) break
    const at = heap + FIRST + index * ENTRY
    port.store64(at, aboveKey)
    port.store32(at + VALUE, port.load32(aboveAt + VALUE))
    index = above
  }
  const at = heap + FIRST + index * ENTRY
  port.store64(at, key)
  port.store32(at + VALUE, value)
}

/** Takes the value with the least key out. EMPTY if there is none. */
export function heapPop(port: HartPort, heap: number): number {
  const count = port.load32(heap)
  if (count === 0) return EMPTY
  const first = port.load32(heap + FIRST + VALUE)
  const left = count - 1
  port.store32(heap, left)
  const lastAt = heap + FIRST + left * ENTRY
  const key = port.load64(lastAt)
  const value = port.load32(lastAt + VALUE)
  let index = 0
  let below = 1
  while (below < left) {
    let belowAt = heap + FIRST + below * ENTRY
    let belowKey = port.load64(belowAt)
    if (below + 1 < left) {
      const otherKey = port.load64(belowAt + ENTRY)
      if (otherKey < belowKey) {
        below++
        belowAt += ENTRY
        belowKey = otherKey
      }
    }
    if (belowKey >= key) break
    const at = heap + FIRST + index * ENTRY
    port.store64(at, belowKey)
    port.store32(at + VALUE, port.load32(belowAt + VALUE))
    index = below
    below = 2 * index + 1
  }
  const at = heap + FIRST + index * ENTRY
  port.store64(at, key)
  port.store32(at + VALUE, value)
  return first
}
