/**
 * What lies in RAM that nobody has filled when the machine is switched on: a previous owner's data, made so that whoever
 * takes it for his own does harm. Every word looks like a page-table entry that leads somewhere in RAM.
 */
import type { Memory } from '../../hw/memory/memory.ts'
import { PAGE_BYTES } from '../../hw/spec/address.ts'
import { PTE_A, PTE_D, PTE_R, PTE_U, PTE_V, PTE_W, PTE_X } from '../../hw/spec/layouts/pte.ts'
import { randomWords } from '../../hw/spec/random.ts'

const LEAF = PTE_V | PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D
const LARGE_PAGE = 0x20_0000

/** Fills all pages from `base` on that hold nothing. */
export function poison(memory: Memory, base: number, bytes: number, seed: number): void {
  const random = randomWords(seed)
  for (let page = base; page < base + bytes; page += PAGE_BYTES) {
    const host = memory.toHost(page)
    const words = memory.words.subarray(host >> 2, (host + PAGE_BYTES) >> 2)
    if (words.some(word => word !== 0)) continue
    for (let at = 0; at < words.length; at += 2) {
      // Now and then one that would do for a gigabyte.
      const target = random() % 4 === 0 ? base : base + (random() % (bytes / LARGE_PAGE)) * LARGE_PAGE
      words[at] = (target / PAGE_BYTES) * 1024 + LEAF
    }
    memory.written(host, PAGE_BYTES)
  }
}
