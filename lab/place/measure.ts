/** One workload in one placement: what it did, how long its requests took, and who spent the cycles. */
import { setImmediate } from 'node:timers/promises'
import type { Machine } from '../../hw/index.ts'
import type { Party } from '../../hw/spec/ledger.ts'
import { modelName } from '../core-options.ts'
import { crashCause, endings } from '../endings.ts'
import type { ResultRow } from '../study/measure.ts'
import type { System } from '../system.ts'
import { type Latency, latencyOf, type Request, Stopwatch, typicalRequest } from './latency.ts'
import { type PlaceConditions, placedSystem } from './machine.ts'
import type { PlacementName } from './placements.ts'
import type { MarkedWorkload } from './workloads.ts'

/** Cycles of an operation, all harts together. */
export type PlaceRow = Omit<ResultRow, 'hart'>

export interface Sample {
  readonly placement: PlacementName
  readonly workload: string
  readonly guests: number
  readonly seed: number
  /** Operations a second, of all guests together. */
  readonly throughput: number
  /** Microseconds. */
  readonly latency: Latency
  /** That harts were busy, whoever they worked for, for each operation. */
  readonly cyclesPerOperation: number
  /** The same by row, and with what harts waited: the rows sum to the harts' whole time. */
  readonly ledger: readonly PlaceRow[]
  /** Of the harts' time, by party: they sum to 1. */
  readonly shares: Readonly<Partial<Record<Party, number>>>
  readonly operations: number
  /** The request of median latency, in cycles of the machine. */
  readonly typical: Request
  readonly cycles: number
  readonly core: string
  readonly model: string
  readonly configurationHash: string
  readonly traceHash: string
}

/** Cycles between two looks at the rest of the world. */
const TURN = 20_000_000
/** A workload that has not come to its next mark after so many cycles never will: of one guest, and what others add. */
const PATIENCE = 500_000_000
const PATIENCE_A_GUEST = 50_000_000

/** Runs until as many guests have come to a mark; throws one line if they do not. */
async function runToMarks(system: System, mark: 'start' | 'end', count: number): Promise<void> {
  const { machine } = system
  const patience = PATIENCE + PATIENCE_A_GUEST * Math.max(1, system.guests.length)
  const end = machine.now() + patience
  for (let seen = 0; seen < count; ) {
    const stop = machine.run({ marks: true, untilCycle: machine.now() + TURN })
    if (stop.kind === 'mark') {
      if (stop.mark === mark) seen++
      continue
    }
    const crashed = endings(system).find(ending => ending.crashed)
    if (crashed) throw new Error(`${crashed.guest} crashed: ${crashCause(system, crashed)}`)
    if (endings(system).some(({ ended, exitCode }) => ended && exitCode !== 0))
      throw new Error(`a guest gave up before its ${mark} mark`)
    if (stop.kind === 'stopped') throw new Error(`it ended before its ${mark} mark: ${stop.reason}, code ${stop.code}`)
    if (stop.kind !== 'cycle') throw new Error(`it waits forever before its ${mark} mark (${stop.kind})`)
    if (machine.now() >= end) throw new Error(`it has not come to its ${mark} mark in ${patience} cycles`)
    await setImmediate()
  }
}

type Rows = ReadonlyMap<string, PlaceRow>

function rowsOf(machine: Machine): Rows {
  const rows = new Map<string, PlaceRow>()
  for (const { id } of machine.harts) {
    for (const { party, cause, activity, cycles } of machine.ledger(id)) {
      const key = `${party}/${cause}/${activity}`
      rows.set(key, { party, cause, activity, cycles: cycles + (rows.get(key)?.cycles ?? 0) })
    }
  }
  return rows
}

function spent(before: Rows, after: Rows): readonly PlaceRow[] {
  return [...after]
    .flatMap(([key, row]) => {
      const cycles = row.cycles - (before.get(key)?.cycles ?? 0)
      return cycles === 0 ? [] : [{ ...row, cycles }]
    })
    .toSorted((a, b) => b.cycles - a.cycles)
}

/** Measures from where the last guest has begun to where the first has ended. */
export async function measurePlacement(
  workload: MarkedWorkload,
  placement: PlacementName,
  conditions: PlaceConditions,
): Promise<Sample> {
  const { system, prices, configurationHash } = placedSystem(workload, placement, conditions)
  const { machine } = system
  const watch = new Stopwatch(machine)
  await runToMarks(system, 'start', conditions.guests)
  const from = machine.now()
  const before = rowsOf(machine)
  await runToMarks(system, 'end', 1)
  const to = machine.now()
  const requests = watch.requests.filter(request => request.from >= from)
  if (requests.length === 0) throw new Error('no request began and ended while all guests were at work')
  const ledger = spent(before, rowsOf(machine))
  const operations = (requests.length * workload.operations) / workload.requests
  const sum = (rows: readonly PlaceRow[]) => rows.reduce((total, { cycles }) => total + cycles, 0)
  const total = sum(ledger)
  const { frequency } = machine.board
  const parties = [...new Set(ledger.map(({ party }) => party))]
  return {
    placement,
    workload: workload.name,
    guests: conditions.guests,
    seed: conditions.seed,
    throughput: (operations * frequency) / (to - from),
    latency: latencyOf(requests.map(request => ((request.to - request.from) * 1e6) / frequency)),
    cyclesPerOperation: sum(ledger.filter(({ party }) => party !== 'idle')) / operations,
    ledger: ledger.map(row => ({ ...row, cycles: row.cycles / operations })),
    shares: Object.fromEntries(parties.map(party => [party, sum(ledger.filter(row => row.party === party)) / total])),
    operations,
    typical: typicalRequest(requests),
    cycles: to - from,
    core: prices.core,
    model: modelName(prices),
    configurationHash,
    traceHash: machine.traceHash(),
  }
}
