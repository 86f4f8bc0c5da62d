/**
 * What each hart did, stretch by stretch, in a window behind the guest's start mark: from the ledgers as they are charged,
 * so the stretches of a row sum to what the row holds. As a timeline for Perfetto (ui.perfetto.dev) in Chrome's format.
 */
import { setImmediate } from 'node:timers/promises'
import type { LedgerKey } from '../../hw/time/ledger.ts'
import type { Workload } from '../../guests/workload.ts'
import { type Configuration, configurationNamed } from '../study/configurations.ts'
import { type Conditions, subject } from '../study/subject.ts'

export interface Stretch extends LedgerKey {
  readonly hart: number
  readonly from: number
  readonly to: number
}

export interface Recording {
  readonly workload: string
  readonly configuration: Configuration
  readonly seed: number
  /** Cycle of the start mark, and of the window's end. */
  readonly from: number
  readonly to: number
  /** Cycles a microsecond. */
  readonly cyclesPerMicrosecond: number
  readonly stretches: readonly Stretch[]
}

const TURN = 20_000_000
const PATIENCE = 2_000_000_000
/** More than a viewer shows smoothly. */
const MOST_STRETCHES = 100_000

/** Runs the workload to its start mark, and records up to so many cycles behind it. */
export async function record(
  workload: Workload,
  configuration: Configuration,
  conditions: Conditions,
  window: number,
): Promise<Recording> {
  const { system } = subject(workload, configuration, conditions)
  const { machine } = system
  for (;;) {
    const stop = machine.run({ marks: true, untilCycle: machine.now() + TURN })
    if (stop.kind === 'mark') break
    if (stop.kind !== 'cycle' || machine.now() > PATIENCE)
      throw new Error(`${workload.name} (${configuration}): no start mark to record from (${stop.kind})`)
    await setImmediate()
  }
  const from = machine.now()
  const stretches: Stretch[] = []
  for (const { id, ledger } of machine.harts) {
    ledger.observer = (row, begun, ended) => {
      const start = Math.max(begun, from)
      if (ended <= start || stretches.length >= MOST_STRETCHES) return
      stretches.push({ hart: id, ...ledger.key(row), from: start, to: ended })
    }
  }
  machine.run({ marks: true, untilCycle: from + window })
  // Asking for the rows charges what is open.
  for (const { id } of machine.harts) machine.ledger(id)
  for (const { ledger } of machine.harts) ledger.observer = undefined
  return {
    workload: workload.name,
    configuration,
    seed: conditions.seed ?? 0,
    from,
    to: Math.max(...machine.harts.map(hart => hart.now())),
    cyclesPerMicrosecond: machine.board.frequency / 1e6,
    stretches,
  }
}

interface TraceEvent {
  readonly name: string
  readonly ph: 'X' | 'M'
  readonly pid: number
  readonly tid: number
  readonly ts?: number
  readonly dur?: number
  readonly cat?: string
  readonly args?: Readonly<Record<string, string | number>>
}

/** A slice for each time that a party has the hart, and in it one for each cause and activity. */
export function traceEvents({ workload, configuration, from, cyclesPerMicrosecond, stretches }: Recording): string {
  const at = (cycle: number) => (cycle - from) / cyclesPerMicrosecond
  const events: TraceEvent[] = [
    {
      name: 'process_name',
      ph: 'M',
      pid: 1,
      tid: 0,
      args: { name: `${workload}, ${configurationNamed(configuration).label}` },
    },
  ]
  for (const hart of [...new Set(stretches.map(stretch => stretch.hart))].toSorted((a, b) => a - b)) {
    const own = stretches.filter(stretch => stretch.hart === hart)
    events.push({ name: 'thread_name', ph: 'M', pid: 1, tid: hart, args: { name: `hart ${hart}` } })
    const slice = (name: string, cat: string, { from, to }: { from: number; to: number }): TraceEvent => ({
      name,
      ph: 'X',
      pid: 1,
      tid: hart,
      ts: at(from),
      dur: (to - from) / cyclesPerMicrosecond,
      cat,
      args: { cycles: to - from },
    })
    for (const run of joined(own, (a, b) => a.party === b.party)) events.push(slice(run.party, 'party', run))
    for (const run of joined(own, (a, b) => a.party === b.party && a.cause === b.cause && a.activity === b.activity))
      events.push(slice(run.cause === '' ? run.activity : `${run.cause}: ${run.activity}`, run.activity, run))
  }
  return JSON.stringify({ displayTimeUnit: 'ns', traceEvents: events })
}

/** Stretches that follow each other without a gap and are alike, as one. */
function joined(stretches: readonly Stretch[], alike: (a: Stretch, b: Stretch) => boolean): readonly Stretch[] {
  const runs: Stretch[] = []
  for (const stretch of stretches) {
    const last = runs.at(-1)
    if (last && last.to === stretch.from && alike(last, stretch)) runs[runs.length - 1] = { ...last, to: stretch.to }
    else runs.push(stretch)
  }
  return runs
}
