/** A whole machine as data: what `Machine.save` gives and `restore` takes. Plain but for typed arrays; structured clone and JSON (with base64) both carry it. */
import type { Plain } from './bus/chip.ts'
import type { HartState } from './hart/hart.ts'
import type { HierarchyState } from './memory/hierarchy.ts'
import type { Memory } from './memory/memory.ts'
import { PAGE_BYTES } from './spec/address.ts'
import type { Event } from './time/events.ts'

export interface MachineState {
  readonly board: string
  readonly time: number
  readonly harts: readonly HartState[]
  /** Pages that are not all zero, by physical page number, in order. */
  readonly pages: readonly (readonly [page: number, bytes: Uint8Array])[]
  readonly events: { readonly sequence: number; readonly events: readonly Event[] }
  readonly chips: readonly (readonly [name: string, state: Plain])[]
  readonly software: Plain
  /** In the cached model. */
  readonly caches?: HierarchyState
  readonly hash: readonly [number, number]
}

/** Every page of memory that is not all zero. */
export function savePages(memory: Memory): readonly (readonly [number, Uint8Array])[] {
  const pages: [number, Uint8Array][] = []
  const { doubles, touched, words } = memory
  for (const { base, bytes, host } of memory.regions) {
    for (let offset = 0; offset < bytes; offset += PAGE_BYTES) {
      const from = host + offset
      if (touched[from / PAGE_BYTES] === 0 || isZero(doubles, words, from)) continue
      pages.push([(base + offset) / PAGE_BYTES, memory.bytes.slice(from, from + PAGE_BYTES)])
    }
  }
  return pages
}

/** Puts saved pages back, and zero everywhere else. */
export function restorePages(memory: Memory, pages: MachineState['pages']): void {
  for (const { bytes, host } of memory.regions) {
    for (let offset = 0; offset < bytes; offset += PAGE_BYTES) memory.clearPage(host + offset)
  }
  for (const [page, bytes] of pages) memory.write(page * PAGE_BYTES, bytes)
}

function isZero(doubles: Float64Array, words: Int32Array, host: number): boolean {
  // As doubles it goes twice as fast; -0 is the one other pattern that equals zero.
  const from = host >> 3
  for (let at = from; at < from + PAGE_BYTES / 8; at++) if (doubles[at] !== 0) return false
  for (let at = (host >> 2) + 1; at < (host + PAGE_BYTES) >> 2; at += 2) if (words[at] !== 0) return false
  return true
}
