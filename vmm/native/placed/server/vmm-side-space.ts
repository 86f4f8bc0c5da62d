/** A server's address space: Sv39, 4 KiB pages. What is not put into it the server cannot reach. */
import type { HartPort } from '../../../../hw/port.ts'
import { PTE_A, PTE_D, PTE_R, PTE_U, PTE_V, PTE_W, PTE_X, SV39 } from '../../../../hw/spec/layouts/pte.ts'
import { SMALL_PAGE, type TableAllocator } from '../../../core/g-stage.ts'

const GIB = 2 ** 30
const MIDDLE = 2 ** 21
const ENTRIES = 512
export const USER_CODE = PTE_V | PTE_R | PTE_X | PTE_U | PTE_A
export const USER_DATA = PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D
/** Of the VMM's own, out of the server's reach. */
export const GATE_CODE = PTE_V | PTE_R | PTE_X | PTE_A
export const GATE_DATA = PTE_V | PTE_R | PTE_W | PTE_A | PTE_D

function entryAt(table: number, address: number, span: number): number {
  return table + (Math.floor(address / span) % ENTRIES) * 8
}

function below(port: HartPort, entry: number, takeTable: TableAllocator): number {
  const value = port.load64(entry)
  if (value !== 0) return Math.floor(value / 1024) * SMALL_PAGE
  const table = takeTable(port)
  port.store64(entry, (table / SMALL_PAGE) * 1024 + PTE_V)
  return table
}

/** Maps `bytes` at `address` to the machine's memory at `physical`; `root` is the table's page. */
export function mapServer(
  port: HartPort,
  root: number,
  address: number,
  physical: number,
  bytes: number,
  flags: number,
  takeTable: TableAllocator,
): void {
  for (let offset = 0; offset < bytes; offset += SMALL_PAGE) {
    const middle = below(port, entryAt(root, address + offset, GIB), takeTable)
    const leaf = below(port, entryAt(middle, address + offset, MIDDLE), takeTable)
    port.store64(entryAt(leaf, address + offset, SMALL_PAGE), ((physical + offset) / SMALL_PAGE) * 1024 + flags)
  }
}

/** Puts the value of satp for a root at `at`. */
export function storeSatp(port: HartPort, at: number, root: number, asid: number): void {
  port.store32(at, root / SMALL_PAGE)
  port.store32(at + 4, ((SV39 << 28) | (asid << 12)) >>> 0)
}
