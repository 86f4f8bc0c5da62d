/** A native machine with one workload as its guest, and the drivers where a test wants them. */
import { WORKLOADS } from '../../../../guests/index.ts'
import { MemoryBacking } from '../../../../hw/devices/disk-backing.ts'
import type { Entry, HartPort, Software } from '../../../../hw/port.ts'
import { nicOnStation } from '../../../../lab/network.ts'
import { buildSystem, type PlacementChoice, type System, type SystemOptions } from '../../../../lab/system.ts'

const MIB = 2 ** 20
const SECTORS = (16 * MIB) / 512
const PATIENCE = 400_000_000

export interface Placed {
  readonly system: System
  /** True if the guest came to its end mark, with everything verified. */
  finish(untilCycle?: number): boolean
  /** A record of the state of a software of the VMM's. */
  record(software: string, name: string): Record<string, number>
  /** How many pages of guests' a driver domain has in its grant window. */
  mapped(device: 'disk' | 'network'): number
  /** Whenever that software's entry is called: true stops it from being run. */
  intercept(software: string, entry: number, before: (port: HartPort) => boolean): void
}

export function placed(name: string, placements: PlacementChoice, options: Partial<SystemOptions> = {}): Placed {
  const workload = WORKLOADS.find(candidate => candidate.name === name)!
  const program = workload.image()
  const rings = placements.disk?.at === 'domain' || placements.network?.at === 'domain'
  const software = workload.software?.(undefined, rings)
  const system = buildSystem({
    configuration: 'native',
    harts: 1,
    ramBytes: 160 * MIB,
    seed: 7,
    guests: [
      {
        label: name,
        memoryBytes: 32 * MIB,
        vcpus: 1,
        harts: [0],
        weight: 256,
        cap: 0,
        bootargs: '',
        kernel: program.bytes,
        ...(workload.disk && { disk: { first: 0, sectors: SECTORS } }),
        ...(workload.network && { network: { mac: [2, 0, 0, 0, 0, 1], vlan: 0 } }),
        ...(software && { scripted: { software, program } }),
      },
    ],
    placements,
    disks: workload.disk ? [new MemoryBacking(SECTORS)] : [],
    nics: workload.network ? [nicOnStation()] : [],
    ...options,
  })
  const { machine } = system
  const named = (part: string): Software => system.software.find(candidate => candidate.name.includes(part))!
  return {
    system,
    finish: (untilCycle = PATIENCE) => {
      for (;;) {
        const stop = machine.run({ marks: true, untilCycle })
        if (stop.kind !== 'mark') return false
        if (stop.mark === 'end') return true
      }
    },
    record: (part, record) => named(part).state[record] as Record<string, number>,
    mapped: device => {
      const shown = named('native').state[`${device} domain grants`] as Int32Array
      return shown.filter(page => page !== 0).length
    },
    intercept: (part, entry, before) => {
      const entries = named(part).entries as Entry[]
      const original = entries[entry]
      entries[entry] = port => {
        if (!before(port)) original(port)
      }
    },
  }
}
