/** Maps a page in a three-level table of a guest, making tables where they lack; and looks one up. */
import type { HartPort } from '../../../hw/port.ts'

const VALID = 1
const LEAF = 0xe
const PAGE = 4096
const ENTRY_BYTES = 8
const TOP_SPAN = 2 ** 30
const MIDDLE_SPAN = 2 ** 21

export interface TablePool {
  next: number
  end: number
}

/** The table below an entry, made if there is none; -1 if that cannot be. */
function below(port: HartPort, pool: TablePool, at: number): number {
  const entry = port.load64(at)
  if ((entry & VALID) !== 0) return (entry & LEAF) !== 0 ? -1 : Math.floor(entry / 1024) * PAGE
  if (pool.next === pool.end) return -1
  const table = pool.next
  pool.next = table + PAGE
  port.store64(at, Math.floor(table / PAGE) * 1024 + VALID)
  return table
}

export function mapPage(
  port: HartPort,
  pool: TablePool,
  root: number,
  address: number,
  physical: number,
  flags: number,
): boolean {
  const middle = below(port, pool, root + (Math.floor(address / TOP_SPAN) & 511) * ENTRY_BYTES)
  if (middle < 0) return false
  const last = below(port, pool, middle + (Math.floor(address / MIDDLE_SPAN) & 511) * ENTRY_BYTES)
  if (last < 0) return false
  port.store64(last + (Math.floor(address / PAGE) & 511) * ENTRY_BYTES, Math.floor(physical / PAGE) * 1024 + flags)
  return true
}

export function lookUp(port: HartPort, root: number, address: number): number {
  let table = root
  let span = TOP_SPAN
  for (let level = 2; level >= 0; level--) {
    const entry = port.load64(table + (Math.floor(address / span) & 511) * ENTRY_BYTES)
    if ((entry & VALID) === 0) return -1
    const next = Math.floor(entry / 1024) * PAGE
    if ((entry & LEAF) !== 0) return next + (address & (span - 1))
    table = next
    span = span / 512
  }
  return -1
}
