/** Disk and network in the host's kernel: the guest finds the same, and its process is out of it. */
import { expect, test } from 'vitest'
import { WORKLOADS } from '../../../guests/index.ts'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import { nicOnStation } from '../../../lab/network.ts'
import { hosted } from './machine.ts'

const MIB = 2 ** 20
const SECTORS = 16384

/** Cycles of the VMM's process between a workload's marks. */
function inProcess(name: string, backend: 'process' | 'kernel'): number {
  const workload = WORKLOADS.find(candidate => candidate.name === name)!
  const program = workload.image()
  const { machine } = hosted(
    [
      {
        kernel: program.bytes,
        memoryBytes: 32 * MIB,
        scripted: { software: workload.software!(), program },
        ...(workload.disk && { disk: { first: 0, sectors: SECTORS } }),
        ...(workload.network && { network: { mac: [2, 0, 0, 0, 0, 1], vlan: 0 } }),
      },
    ],
    {
      ramBytes: 160 * MIB,
      hostPolicy: { backend },
      disks: workload.disk ? [new MemoryBacking(SECTORS)] : [],
      nics: workload.network ? [nicOnStation()] : [],
    },
  )
  const spent = () =>
    machine
      .ledger(0)
      .filter(({ party }) => party === 'vmm process')
      .reduce((sum, { cycles }) => sum + cycles, 0)
  const runTo = (mark: string) =>
    expect(machine.run({ marks: true, untilCycle: 1_000_000_000 })).toMatchObject({ kind: 'mark', mark })
  runTo('start')
  const before = spent()
  runTo('end')
  return spent() - before
}

test.each(['disk', 'network'])('%s', name => {
  expect(inProcess(name, 'process')).toBeGreaterThan(100_000)
  expect(inProcess(name, 'kernel')).toBeLessThan(1000)
})
