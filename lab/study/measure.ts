/** One workload in one configuration: what it cost between its marks, ledger row by ledger row. */
import { setImmediate } from 'node:timers/promises'
import type { Machine } from '../../hw/index.ts'
import type { Activity, Party } from '../../hw/spec/ledger.ts'
import type { Workload } from '../../guests/workload.ts'
import { crashCause, endings } from '../endings.ts'
import type { System } from '../system.ts'
import type { Configuration } from './configurations.ts'
import { type Conditions, subject } from './subject.ts'

export interface ResultRow {
  readonly hart: number
  readonly party: Party
  readonly cause: string
  readonly activity: Activity
  readonly cycles: number
}

export interface Result {
  readonly workload: string
  readonly configuration: Configuration
  readonly seed: number
  /** What was measured: time elapsed between the marks, by the workload's operations. */
  readonly value: number
  readonly unit: string
  /** The core and its model, by whose prices. */
  readonly core: string
  readonly model: string
  /** Of the machine. */
  readonly harts: number
  /** Retired on all harts between the marks, by everybody. */
  readonly instructions: number
  /** Elapsed between the marks, summed over the harts; the ledger's rows sum to it. */
  readonly cycles: number
  readonly ledger: readonly ResultRow[]
  /** Of prices, machine, images and policy: all but the seed. */
  readonly configurationHash: string
  readonly traceHash: string
}

/** Cycles between two looks at the rest of the world. */
const TURN = 20_000_000
/** A workload that has not reached its next mark after so many cycles never will. */
const PATIENCE = 2_000_000_000

interface Snapshot {
  readonly rows: ReadonlyMap<string, ResultRow>
  readonly clocks: number
  readonly retired: number
}

function snapshot(machine: Machine): Snapshot {
  const rows = new Map<string, ResultRow>()
  for (const { id } of machine.harts) {
    for (const row of machine.ledger(id))
      rows.set(`${id}/${row.party}/${row.cause}/${row.activity}`, { hart: id, ...row })
  }
  return {
    rows,
    clocks: machine.harts.reduce((sum, hart) => sum + hart.now(), 0),
    retired: machine.harts.reduce((sum, hart) => sum + hart.retired(), 0),
  }
}

async function runToMark(system: System, mark: 'start' | 'end', patience: number): Promise<void> {
  const { machine } = system
  const end = machine.now() + patience
  for (;;) {
    const stop = machine.run({ marks: true, untilCycle: machine.now() + TURN })
    if (stop.kind === 'mark' && stop.mark === mark) return
    const crashed = endings(system).find(ending => ending.crashed)
    if (crashed) throw new Error(`its guest crashed: ${crashCause(system, crashed)}`)
    if (stop.kind === 'stopped') throw new Error(`it ended before its ${mark} mark: ${stop.reason}, code ${stop.code}`)
    if (stop.kind !== 'cycle') throw new Error(`it waits forever before its ${mark} mark (${stop.kind})`)
    if (machine.now() >= end)
      throw new Error(`it has not come to its ${mark} mark in ${patience} cycles, and is taken to be caught in a loop`)
    await setImmediate()
  }
}

/** Builds the machine, runs the workload to its end mark. */
export async function measure(
  workload: Workload,
  configuration: Configuration,
  conditions: Conditions = {},
): Promise<Result> {
  const { system, core, model, configurationHash } = subject(workload, configuration, conditions)
  const { machine } = system
  const { patience = PATIENCE } = workload
  await runToMark(system, 'start', patience)
  const before = snapshot(machine)
  await runToMark(system, 'end', patience)
  const after = snapshot(machine)
  const ledger = [...after.rows].flatMap(([key, row]) => {
    const cycles = row.cycles - (before.rows.get(key)?.cycles ?? 0)
    return cycles === 0 ? [] : [{ ...row, cycles }]
  })
  const cycles = after.clocks - before.clocks
  const { length: harts } = machine.harts
  return {
    workload: workload.name,
    configuration,
    seed: conditions.seed ?? 0,
    value: cycles / harts / (workload.operations ?? 1),
    unit: workload.unit ?? 'cycles',
    core,
    model,
    harts,
    instructions: after.retired - before.retired,
    cycles,
    ledger: ledger.toSorted((a, b) => a.hart - b.hart || b.cycles - a.cycles),
    configurationHash,
    traceHash: machine.traceHash(),
  }
}
