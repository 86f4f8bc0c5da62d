/**
 * A guest's G-stage tables, Sv39x4: a 16 KiB root of 2048 entries, 1 GiB each; 2 MiB and 4 KiB leaves below. Tables
 * lie in RAM and are read and written through the port, as the hart's own walker reads them.
 */
import type { HartPort } from '../../hw/port.ts'
import { PTE_A, PTE_D, PTE_R, PTE_U, PTE_V, PTE_W, PTE_X } from '../../hw/spec/layouts/pte.ts'

export const ROOT_BYTES = 0x4000
export const LARGE_PAGE = 0x20_0000
export const SMALL_PAGE = 0x1000
/** Sv39x4 translates 41 bits. */
export const GUEST_PHYSICAL_LIMIT = 2 ** 41
/** G-stage leaves are user pages; A and D are set beforehand, so that hardware that does not set them never traps. */
const LEAF = PTE_V | PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D

/** Gives a zeroed table page, or 0 if there is none left. */
export type TableAllocator = (port: HartPort) => number

/** Takes a table page that its owner does not use any more. */
export type TableTaker = (port: HartPort, owner: number, table: number) => void

/** Address of the entry for a guest physical address in a table of 2^`shift`-byte entries. */
function entryAt(table: number, address: number, shift: number, entries: number): number {
  return table + (Math.floor(address / 2 ** shift) % entries) * 8
}

/** The table that an entry points to, made if it is missing; 0 if there was no memory for it. */
function tableBelow(port: HartPort, entry: number, allocate: TableAllocator): number {
  const value = port.load64(entry)
  if (value !== 0) return Math.floor(value / 1024) * 4096
  const table = allocate(port)
  if (table !== 0) port.store64(entry, (table / 4096) * 1024 + PTE_V)
  return table
}

/** Maps one 2 MiB page. False if there was no memory for a table. The caller fences. */
export function mapLarge(port: HartPort, root: number, guest: number, host: number, allocate: TableAllocator): boolean {
  const middle = tableBelow(port, entryAt(root, guest, 30, 2048), allocate)
  if (middle === 0) return false
  port.store64(entryAt(middle, guest, 21, 512), (host / 4096) * 1024 + LEAF)
  return true
}

/** Maps one 4 KiB page, in a place where no large one is mapped. False if there was no memory for a table. The caller fences. */
export function mapSmall(port: HartPort, root: number, guest: number, host: number, allocate: TableAllocator): boolean {
  const middle = tableBelow(port, entryAt(root, guest, 30, 2048), allocate)
  if (middle === 0) return false
  const leaf = tableBelow(port, entryAt(middle, guest, 21, 512), allocate)
  if (leaf === 0) return false
  port.store64(entryAt(leaf, guest, 12, 512), (host / 4096) * 1024 + LEAF)
  return true
}

/** Takes 2 MiB out, whatever is mapped there, in tables that reach so far. The caller fences. */
export function unmapLarge(port: HartPort, root: number, guest: number): void {
  const top = port.load64(entryAt(root, guest, 30, 2048))
  if (top !== 0) port.store64(entryAt(Math.floor(top / 1024) * 4096, guest, 21, 512), 0)
}

/** Takes one 4 KiB page out, where such a one is mapped. The caller fences. */
export function unmapSmall(port: HartPort, root: number, guest: number): void {
  const top = port.load64(entryAt(root, guest, 30, 2048))
  if (top === 0) return
  const middle = port.load64(entryAt(Math.floor(top / 1024) * 4096, guest, 21, 512))
  if (middle % 16 === PTE_V) port.store64(entryAt(Math.floor(middle / 1024) * 4096, guest, 12, 512), 0)
}

/** Host physical address of a guest physical one, or -1 where nothing is mapped. */
export function translate(port: HartPort, root: number, guest: number): number {
  if (guest >= GUEST_PHYSICAL_LIMIT) return -1
  const top = port.load64(entryAt(root, guest, 30, 2048))
  if (top === 0) return -1
  const middle = port.load64(entryAt(Math.floor(top / 1024) * 4096, guest, 21, 512))
  if (middle === 0) return -1
  if (middle % 16 !== PTE_V) return Math.floor(middle / 1024) * 4096 + (guest % LARGE_PAGE)
  const small = port.load64(entryAt(Math.floor(middle / 1024) * 4096, guest, 12, 512))
  return small === 0 ? -1 : Math.floor(small / 1024) * 4096 + (guest % SMALL_PAGE)
}

/** What was taken for tables below a root that nobody uses any more: each of them, those below others first. */
export function giveTables(port: HartPort, root: number, owner: number, give: TableTaker): void {
  for (let top = root; top < root + ROOT_BYTES; top += 8) {
    const value = port.load64(top)
    if (value === 0) continue
    const middle = Math.floor(value / 1024) * 4096
    for (let entry = middle; entry < middle + 4096; entry += 8) {
      const below = port.load64(entry)
      if (below !== 0 && below % 16 === PTE_V) give(port, owner, Math.floor(below / 1024) * 4096)
    }
    give(port, owner, middle)
  }
}

/** Takes the right to write from a 4 KiB page that has just been mapped. */
export function protectSmall(port: HartPort, root: number, guest: number): void {
  const middle = Math.floor(port.load64(entryAt(root, guest, 30, 2048)) / 1024) * 4096
  const leaf = Math.floor(port.load64(entryAt(middle, guest, 21, 512)) / 1024) * 4096
  const entry = entryAt(leaf, guest, 12, 512)
  port.store32(entry, port.load32(entry) & ~(PTE_W | PTE_D))
}
