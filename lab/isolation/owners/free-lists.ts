/** What a VMM takes to be nobody's: no guest has it, no table lies there, and it is in one list once. */
import type { Machine } from '../../../hw/index.ts'
import { hartMemory, hartMemoryAt } from '../../../vmm/hosted/memory/hart-memory.ts'
import type { Arena } from '../arena.ts'
import { FIRST_GUEST, hex, type PageMap, type See, TABLE, UNKNOWN } from './page-map.ts'

const MOST = 100_000

/** Holds the lists of large pages, which are a VMM's own, and of small ones, which the hosted kernel has in those pages themselves; of those only what `isSettled`, for others look in the midst of its work. */
export function holdFree({ system, topology, machine }: Arena, map: PageMap, isSettled: boolean, see: See): void {
  if (topology.vmm === 'bare') return
  const seen = new Set<number>()
  const hold = (page: number, owner: number | undefined, what: string): void => {
    if (seen.has(page)) see(`the page at ${hex(page)} is free twice`)
    seen.add(page)
    if (owner === UNKNOWN) return
    const whose = owner === TABLE ? 'tables lie there' : `it is guest ${(owner ?? 0) - FIRST_GUEST}'s`
    see(`the page at ${hex(page)} is ${what} for the VMM, but ${whose}`)
  }
  for (const { state } of system.software) {
    const { free, clean, dirty } = state as {
      readonly free?: { readonly clean: number; readonly dirty: number }
      readonly clean?: Float64Array
      readonly dirty?: Float64Array
    }
    if (!free || !clean || !dirty) continue
    for (let index = 0; index < free.clean; index++) hold(clean[index], map.ownerIn(clean[index]), 'free')
    for (let index = 0; index < free.dirty; index++) hold(dirty[index], map.ownerIn(dirty[index]), 'to be scrubbed')
  }
  if (topology.vmm !== 'hosted' || !isSettled) return
  for (let hart = 0; hart < topology.harts; hart++) {
    let left = wordAt(machine, hartMemoryAt(hart) + hartMemory.free.at)
    let page = addressAt(machine, hartMemoryAt(hart) + hartMemory.first.at)
    for (; left > 0 && left < MOST; left--) {
      if (map.ownerAt(page) === undefined) return see(`hart ${hart}'s list of free pages leads to ${hex(page)}`)
      hold(page, map.ownerAt(page), 'free')
      page = addressAt(machine, page)
    }
  }
}

function wordAt({ memory }: Machine, address: number): number {
  return memory.words[memory.toHost(address) >> 2] >>> 0
}

function addressAt(machine: Machine, address: number): number {
  return wordAt(machine, address + 4) * 2 ** 32 + wordAt(machine, address)
}
