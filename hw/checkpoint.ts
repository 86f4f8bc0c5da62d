/**
 * A machine's state that it goes back to again and again: pages that were written since are put back, all others are as
 * they were. Which those are, the memory knows (`touched`).
 */
import type { MachineState } from './machine-state.ts'
import { type Memory, TOUCHED, TOUCHED_LATELY } from './memory/memory.ts'
import { PAGE_BYTES, PAGE_SHIFT } from './spec/address.ts'

export interface Checkpoint extends Omit<MachineState, 'pages'> {
  /** Pages that had been touched, by host offset / 4096; all others were zero. */
  readonly noted: ReadonlyMap<number, Uint8Array>
}

/** Copies what is not zero, and begins to note what is written. No executor may have a fast way to write left. */
export function notePages(memory: Memory): Checkpoint['noted'] {
  const noted = new Map<number, Uint8Array>()
  const { bytes, touched } = memory
  for (const region of memory.regions) {
    const end = (region.host + region.bytes) >>> PAGE_SHIFT
    for (let page = region.host >>> PAGE_SHIFT; page < end; page++) {
      if (touched[page] === 0) continue
      noted.set(page, bytes.slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES))
      touched[page] = TOUCHED
    }
  }
  return noted
}

/** Puts back the pages that were written since they were noted. Executors have to forget their fast ways to write. */
export function putBackPages(memory: Memory, noted: Checkpoint['noted']): void {
  const { bytes, touched } = memory
  for (const region of memory.regions) {
    const end = (region.host + region.bytes) >>> PAGE_SHIFT
    for (let page = region.host >>> PAGE_SHIFT; page < end; page++) {
      if ((touched[page] & TOUCHED_LATELY) === 0) continue
      const host = page * PAGE_BYTES
      const copy = noted.get(page)
      if (copy) bytes.set(copy, host)
      else bytes.fill(0, host, host + PAGE_BYTES)
      memory.written(host, PAGE_BYTES)
      touched[page] = TOUCHED
    }
  }
}
