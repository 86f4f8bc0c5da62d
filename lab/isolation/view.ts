/** All that a guest has seen of a run: what its steps came to, its memory, how it ended. */
import type { Arena } from './arena.ts'
import { areaOf, LOG, LOG_BYTES, LOG_ENTRY, STATE, STATE_PAGE } from './guest-runtime.ts'

export interface VcpuView {
  /** It has come to its program's end. */
  readonly done: boolean
}

export interface GuestView {
  readonly vcpus: readonly VcpuView[]
  /** Pages that have changed, by guest page number. */
  readonly memory: ReadonlyMap<number, number>
  readonly ended: boolean
  readonly crashed: boolean
  readonly exitCode: number
}

export function viewOf(arena: Arena, guest: number): GuestView {
  const { record, vcpus } = arena.guests[guest]
  const { ended, crashed, exitCode } = record
  return {
    vcpus: Array.from({ length: vcpus }, (_, vcpu) => ({ done: arena.isDone(guest, vcpu) })),
    memory: arena.pages[guest].changed(),
    ended,
    crashed,
    exitCode,
  }
}

/** The log of a vCPU as it stands in memory, for people. */
export function logOf(arena: Arena, guest: number, vcpu: number): readonly string[] {
  const { memory } = arena.machine
  const pages = arena.pages[guest]
  const area = areaOf(vcpu)
  const next = memory.words[(pages.hostOf(area + STATE_PAGE) + STATE.next) >> 2] & (LOG_BYTES - 1)
  return Array.from({ length: next / LOG_ENTRY }, (_, entry) => {
    const host = pages.hostOf(area + LOG + entry * LOG_ENTRY)
    return Array.from(
      { length: 4 },
      (_, word) => `0x${BigInt.asUintN(64, memory.longs[(host >> 3) + word]).toString(16)}`,
    ).join(' ')
  })
}

/** Where two views of a guest differ, in a line; undefined if nowhere. */
export function difference(a: GuestView, b: GuestView): string | undefined {
  if (a.ended !== b.ended || a.crashed !== b.crashed || a.exitCode !== b.exitCode) {
    const how = ({ ended, crashed, exitCode }: GuestView) =>
      ended ? `${crashed ? 'crashed' : 'ended'} with ${exitCode}` : 'goes on'
    return `it ${how(a)}, and otherwise it ${how(b)}`
  }
  for (const [index, vcpu] of a.vcpus.entries()) {
    if (vcpu.done !== b.vcpus[index].done) return `vCPU ${index} ${vcpu.done ? 'comes' : 'does not come'} to its end`
  }
  for (const [page, hash] of a.memory)
    if (b.memory.get(page) !== hash) return `memory at 0x${(page * 4096).toString(16)}`
  for (const page of b.memory.keys()) if (!a.memory.has(page)) return `memory at 0x${(page * 4096).toString(16)}`
  return undefined
}
