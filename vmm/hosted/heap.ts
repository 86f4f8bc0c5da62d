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
  const count = port.load32(heap)
  port.store32(heap, count + 1)
  settle(port, heap, count, key, value)
}

/** Takes the value with the least key out. EMPTY if there is none. */
export function heapPop(port: HartPort, heap: number): number {
  const first = heapFirst(port, heap)
  if (first !== EMPTY) removeAt(port, heap, 0)
  return first
}

/** Takes a value out, wherever it is. */
export function heapRemove(port: HartPort, heap: number, value: number): void {
  const count = port.load32(heap)
  for (let index = 0; index < count; index++) {
    if (port.load32(heap + FIRST + index * ENTRY + VALUE) === value) return removeAt(port, heap, index)
  }
}

/** The value of an entry, for those who look at all of them. */
export function heapValue(port: HartPort, heap: number, index: number): number {
  return port.load32(heap + FIRST + index * ENTRY + VALUE)
}

/** The last entry takes the place of the one that goes, and moves to where it belongs. */
function removeAt(port: HartPort, heap: number, at: number): void {
  const left = port.load32(heap) - 1
  port.store32(heap, left)
  if (at === left) return
  const lastAt = heap + FIRST + left * ENTRY
  const key = port.load64(lastAt)
  const value = port.load32(lastAt + VALUE)
  let index = at
  let below = 2 * at + 1
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
    const to = heap + FIRST + index * ENTRY
    port.store64(to, belowKey)
    port.store32(to + VALUE, port.load32(belowAt + VALUE))
    index = below
    below = 2 * index + 1
  }
  settle(port, heap, index, key, value)
}

/** Puts an entry at a free place, or as far above it as it belongs. */
function settle(port: HartPort, heap: number, from: number, key: number, value: number): void {
  let index = from
  while (index > 0) {
    const above = (index - 1) >> 1
    const aboveAt = heap + FIRST + above * ENTRY
    const aboveKey = port.load64(aboveAt)
    if (aboveKey <= key) break
    const to = heap + FIRST + index * ENTRY
    port.store64(to, aboveKey)
    port.store32(to + VALUE, port.load32(aboveAt + VALUE))
    index = above
  }
  const to = heap + FIRST + index * ENTRY
  port.store64(to, key)
  port.store32(to + VALUE, value)
}
