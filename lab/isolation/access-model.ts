/** Which accesses outside a guest's RAM a device answers, and what may come of them. */
import { GUEST_MAP } from '../../hw/spec/guest-map.ts'
import type { Arena } from './arena.ts'
import type { Snapshot } from './exit-model.ts'

export interface Access {
  readonly write: boolean
  readonly register: number
  readonly length: number
  /** Whether this can have been loaded: extended as the instruction says. */
  fits(low: number, high: number): boolean
}

const LOAD = 0x03
const STORE = 0x23

/** The access that a device of the guest's answers; undefined: none does, and the guest takes an access fault. */
export function accessOf(arena: Arena, { address, exit, instruction }: Snapshot): Access | undefined {
  const opcode = (instruction & 0x7f) | 2
  const width = (instruction >>> 12) & 7
  const load = opcode === LOAD && width !== 7
  const store = opcode === STORE && width < 4
  if (!load && !store) return undefined
  const bytes = 1 << (width & 3)
  const { disk, network } = arena.topology.guests[exit.guest]
  const { finisher, plic, uart, console } = GUEST_MAP
  const windows = [
    finisher,
    plic,
    uart,
    console,
    ...(disk ? [GUEST_MAP.disk] : []),
    ...(network ? [GUEST_MAP.network] : []),
  ]
  const inside = windows.some(window => address >= window.base && address + bytes <= window.base + window.bytes)
  if (!inside || address % bytes !== 0) return undefined
  const signed = load && width < 4
  const unused = 32 - bytes * 8
  return {
    write: store,
    register: load ? (instruction >>> 7) & 31 : 0,
    length: (instruction & 2) === 0 ? 2 : 4,
    fits: (low, high) => {
      if (bytes === 8) return true
      const extended = unused > 0 ? (signed ? (low << unused) >> unused : (low << unused) >>> unused) : low
      return (extended | 0) === low && high === (signed && low < 0 ? -1 : 0)
    },
  }
}
