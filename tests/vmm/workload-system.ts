/** Machines that can be built again exactly alike, and all that can be said of how they went. */
import { WORKLOADS } from '../../guests/index.ts'
import type { Workload } from '../../guests/workload.ts'
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import type { Machine } from '../../hw/index.ts'
import { nicOnStation } from '../../lab/network.ts'
import { buildSystem, type Configuration, type SystemGuest } from '../../lab/system.ts'

const MIB = 2 ** 20
const SECTORS = (16 * MIB) / 512
const PATIENCE = 500_000_000

export interface Course {
  readonly cycles: number
  readonly traceHash: string
  /** Of each hart: its clock, and its ledger's rows. */
  readonly ledgers: readonly { readonly clock: number; readonly rows: ReturnType<Machine['ledger']> }[]
}

function guestOf(workload: Workload): SystemGuest {
  const program = workload.image()
  const software = workload.software?.()
  return {
    label: workload.name,
    memoryBytes: 32 * MIB,
    vcpus: 1,
    harts: [],
    weight: 256,
    cap: 0,
    bootargs: '',
    kernel: program.bytes,
    ...(workload.disk && { disk: { first: 0, sectors: SECTORS } }),
    ...(workload.network && { network: { mac: [2, 0, 0, 0, 0, 1], vlan: 0 } }),
    ...(software && { scripted: { software, program } }),
  }
}

function machineFor(
  workloads: readonly Workload[],
  configuration: Configuration,
  harts: number,
  seed: number,
): Machine {
  return buildSystem({
    configuration,
    harts,
    ramBytes: 160 * MIB,
    seed,
    guests: workloads.map(guestOf),
    disks: workloads.some(({ disk }) => disk) ? [new MemoryBacking(SECTORS)] : [],
    nics: workloads.some(({ network }) => network) ? [nicOnStation()] : [],
  }).machine
}

/** The workload as the only guest, free to run anywhere. */
export function workloadMachine(workload: Workload, configuration: Configuration, seed = 7): Machine {
  return machineFor([workload], configuration, 1, seed)
}

/** Three guests on two harts: they are moved, preempted, and wait. */
export function busyGuests(configuration: 'native' | 'hosted'): Machine {
  const busy = WORKLOADS.filter(({ name }) => name === 'compute' || name === 'timer' || name === 'disk')
  return machineFor(busy, configuration, 2, 7)
}

/** Runs to the workload's end mark. */
export function finish(machine: Machine): Course {
  for (;;) {
    const stop = machine.run({ marks: true, untilCycle: PATIENCE })
    if (stop.kind === 'mark' && stop.mark === 'end') return course(machine)
    if (stop.kind !== 'mark') throw new Error(`no end mark, but ${JSON.stringify(stop)} at cycle ${machine.now()}`)
  }
}

export function course(machine: Machine): Course {
  return {
    cycles: machine.now(),
    traceHash: machine.traceHash(),
    ledgers: machine.harts.map(hart => ({ clock: hart.now(), rows: machine.ledger(hart.id) })),
  }
}
