/** Where a command's data lie in memory, as its PRP entries say: NVMe 1.4 4.3. */
import type { Dma } from '../../bus/chip.ts'
import { STATUS } from '../../spec/devices/nvme.ts'

export interface Segment {
  readonly address: number
  readonly bytes: number
}

export const PAGE = 4096
const ENTRY = 8

/** Follows PRP1 and PRP2 over `bytes` of data; a status if the entries are wrong or unreachable. */
export function segments(dma: Dma, prp1: number, prp2: number, bytes: number): Segment[] | number {
  if (prp1 % 4 !== 0) return STATUS.INVALID_PRP_OFFSET
  const first = Math.min(bytes, PAGE - (prp1 % PAGE))
  const found: Segment[] = [{ address: prp1, bytes: first }]
  let left = bytes - first
  if (left === 0) return found
  if (left <= PAGE) {
    if (prp2 % PAGE !== 0) return STATUS.INVALID_PRP_OFFSET
    found.push({ address: prp2, bytes: left })
    return found
  }
  if (prp2 % ENTRY !== 0) return STATUS.INVALID_PRP_OFFSET
  let list = prp2
  while (left > 0) {
    const room = (PAGE - (list % PAGE)) / ENTRY
    const wanted = Math.ceil(left / PAGE)
    // when the list does not fit, the page's last entry points to the next list
    const chained = wanted > room
    const page = new Uint8Array(Math.min(wanted, room) * ENTRY)
    if (!dma.read(list, page)) return STATUS.DATA_TRANSFER_ERROR
    const view = new DataView(page.buffer)
    const entries = chained ? room - 1 : wanted
    for (let i = 0; i < entries; i++) {
      const address = entryAt(view, i)
      if (address % PAGE !== 0) return STATUS.INVALID_PRP_OFFSET
      const now = Math.min(left, PAGE)
      found.push({ address, bytes: now })
      left -= now
    }
    if (chained) {
      list = entryAt(view, room - 1)
      if (list % PAGE !== 0) return STATUS.INVALID_PRP_OFFSET
    }
  }
  return found
}

function entryAt(view: DataView, index: number): number {
  return view.getUint32(index * ENTRY + 4, true) * 2 ** 32 + view.getUint32(index * ENTRY, true)
}

/** Copies data out to the segments; false if memory did not take it all. */
export function scatter(dma: Dma, to: readonly Segment[], data: Uint8Array): boolean {
  let done = 0
  for (const { address, bytes } of to) {
    if (!dma.write(address, data.subarray(done, done + bytes))) return false
    done += bytes
  }
  return true
}

/** Fills `data` from the segments. */
export function gather(dma: Dma, from: readonly Segment[], data: Uint8Array): boolean {
  let done = 0
  for (const { address, bytes } of from) {
    if (!dma.read(address, data.subarray(done, done + bytes))) return false
    done += bytes
  }
  return true
}
