/** A bitmap of blocks: allocates runs, frees them, counts what is free. */
export interface Bitmap {
  readonly words: Int32Array
  readonly bits: number
  hint: number
  free: number
}

/** The first of `count` free blocks in a row, taken; -1 if there is no such run. */
export function allocateRun(map: Bitmap, count: number): number {
  const { words, bits } = map
  if (count > map.free) return -1
  let start = map.hint
  let run = 0
  for (let i = 0; i < bits; i++) {
    const bit = start + run
    if (bit >= bits) {
      start = 0
      run = 0
      continue
    }
    const word = words[bit >> 5]
    if ((word & (1 << (bit & 31))) !== 0) {
      start = bit + 1
      run = 0
      continue
    }
    run++
    if (run === count) {
      for (let taken = start; taken < start + count; taken++) words[taken >> 5] |= 1 << (taken & 31)
      map.hint = start + count
      map.free -= count
      return start
    }
  }
  return -1
}

export function freeRun(map: Bitmap, start: number, count: number): void {
  const { words } = map
  for (let bit = start; bit < start + count; bit++) words[bit >> 5] &= ~(1 << (bit & 31))
  map.free += count
  if (start < map.hint) map.hint = start
}
