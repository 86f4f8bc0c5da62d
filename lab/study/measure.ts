/** One workload in one configuration: what it cost between its marks, ledger row by ledger row. */
import { setImmediate } from 'node:timers/promises'
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import type { Machine } from '../../hw/index.ts'
import type { Activity, Party } from '../../hw/spec/ledger.ts'
import type { Workload } from '../../guests/workload.ts'
import { nicOnStation } from '../network.ts'
import { buildSystem, type Configuration } from '../system.ts'

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
  /** Retired on all harts between the marks, by everybody. */
  readonly instructions: number
  /** Elapsed between the marks, summed over the harts; the ledger's rows sum to it. */
  readonly cycles: number
  readonly ledger: readonly ResultRow[]
  readonly traceHash: string
}

const MIB = 2 ** 20
const GUEST_BYTES = 64 * MIB
const RAM_BYTES = 160 * MIB
const DISK_SECTORS = (16 * MIB) / 512
const GUEST_MAC = [0x02, 0x62, 0x68, 0, 0, 1]
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

async function runToMark(machine: Machine, mark: 'start' | 'end'): Promise<void> {
  const end = machine.now() + PATIENCE
  for (;;) {
    const stop = machine.run({ marks: true, untilCycle: machine.now() + TURN })
    if (stop.kind === 'mark' && stop.mark === mark) return
    if (stop.kind !== 'cycle' || machine.now() >= end) {
      throw new Error(
        `its ${mark} mark was not reached: ${stop.kind === 'stopped' ? stop.reason : stop.kind} after ${machine.now()} cycles`,
      )
    }
    await setImmediate()
  }
}

/** Builds the machine, runs the workload to its end mark. `seed` decides what the device tree hands out as random. */
export async function measure(workload: Workload, configuration: Configuration, seed = 0): Promise<Result> {
  const program = workload.image()
  const software = workload.software?.()
  const { machine } = buildSystem({
    configuration,
    harts: 1,
    ramBytes: RAM_BYTES,
    seed,
    guests: [
      {
        label: workload.name,
        memoryBytes: GUEST_BYTES,
        vcpus: 1,
        harts: [0],
        weight: 256,
        cap: 0,
        bootargs: '',
        kernel: program.bytes,
        ...(workload.disk && { disk: { first: 0, sectors: DISK_SECTORS } }),
        ...(workload.network && { network: { mac: GUEST_MAC, vlan: 0 } }),
        ...(software && { scripted: { software, program } }),
      },
    ],
    disks: workload.disk ? [new MemoryBacking(DISK_SECTORS)] : [],
    nics: workload.network ? [nicOnStation()] : [],
  })
  await runToMark(machine, 'start')
  const before = snapshot(machine)
  await runToMark(machine, 'end')
  const after = snapshot(machine)
  const ledger = [...after.rows].flatMap(([key, row]) => {
    const cycles = row.cycles - (before.rows.get(key)?.cycles ?? 0)
    return cycles === 0 ? [] : [{ ...row, cycles }]
  })
  return {
    workload: workload.name,
    configuration,
    instructions: after.retired - before.retired,
    cycles: after.clocks - before.clocks,
    ledger: ledger.toSorted((a, b) => a.hart - b.hart || b.cycles - a.cycles),
    traceHash: machine.traceHash(),
  }
}
