/** What the host takes of the machine when nobody asks it for anything: memory that no guest can have, and cycles a second. */
import { virt } from '../../hw/boards/virt.ts'
import { createHostedVmm, HOSTED_PARTIES, hostedImage } from '../../vmm/hosted/index.ts'
import { buildMachine } from '../machine.ts'

const MIB = 2 ** 20
const CYCLES_A_SECOND = 1_000_000_000
/** Until the host has come up and its threads have run for the first time. */
const SETTLE_SECONDS = 2

export interface ResourcesLost {
  readonly ramBytes: number
  /** Where the memory goes; the rest is free for guests. */
  readonly memory: readonly { readonly what: string; readonly bytes: number }[]
  readonly bytes: number
  /** Of all harts, when no guest and no program runs. */
  readonly cyclesPerSecond: number
  readonly rows: readonly { readonly party: string; readonly cause: string; readonly cyclesPerSecond: number }[]
}

export interface LostOptions {
  readonly harts?: number
  readonly ramBytes?: number
  /** Over how long it is measured: the rarest work of the kernel's own comes every 30 seconds. */
  readonly seconds?: number
}

/** Measures the hosted configuration's host without guests. */
export function resourcesLost({ harts = 1, ramBytes = 256 * MIB, seconds = 60 }: LostOptions = {}): ResourcesLost {
  const board = virt({ harts, ramBytes, kernel: hostedImage(0) })
  const machine = buildMachine(board, { parties: HOSTED_PARTIES })
  const { images, memory } = createHostedVmm(board.deviceTree())
  for (const { software, program } of images) machine.software.install(software, program)
  machine.run({ untilCycle: SETTLE_SECONDS * CYCLES_A_SECOND })
  const before = busyRows(machine.harts.flatMap(({ id }) => machine.ledger(id)))
  machine.run({ untilCycle: (SETTLE_SECONDS + seconds) * CYCLES_A_SECOND })
  const after = busyRows(machine.harts.flatMap(({ id }) => machine.ledger(id)))
  const rows = [...after].flatMap(([key, row]) => {
    const cycles = row.cycles - (before.get(key)?.cycles ?? 0)
    return cycles === 0 ? [] : [{ party: row.party, cause: row.cause, cyclesPerSecond: cycles / seconds }]
  })
  return {
    ramBytes,
    memory,
    bytes: memory.reduce((sum, { bytes }) => sum + bytes, 0),
    cyclesPerSecond: rows.reduce((sum, row) => sum + row.cyclesPerSecond, 0),
    rows: rows.toSorted((a, b) => b.cyclesPerSecond - a.cyclesPerSecond),
  }
}

interface LedgerRow {
  readonly party: string
  readonly cause: string
  readonly cycles: number
}

function busyRows(rows: readonly LedgerRow[]): ReadonlyMap<string, LedgerRow> {
  const sums = new Map<string, LedgerRow>()
  for (const { party, cause, cycles } of rows) {
    if (party === 'idle') continue
    const key = `${party}/${cause}`
    sums.set(key, { party, cause, cycles: cycles + (sums.get(key)?.cycles ?? 0) })
  }
  return sums
}
