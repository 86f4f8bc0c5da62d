import { expect, test } from 'vitest'
import { disk } from '../../guests/workloads/disk.ts'
import { hostile } from '../../guests/workloads/hostile.ts'
import { network } from '../../guests/workloads/network.ts'
import type { Workload } from '../../guests/workload.ts'
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import { nicOnStation } from '../../lab/network.ts'
import { buildSystem, type Configuration } from '../../lab/system.ts'

const MIB = 2 ** 20
const SECTORS = (16 * MIB) / 512

function guestOf(workload: Workload) {
  const program = workload.image()
  const software = workload.software?.()
  return {
    label: workload.name,
    memoryBytes: 32 * MIB,
    vcpus: 1,
    harts: [0],
    weight: 256,
    cap: 0,
    bootargs: '',
    kernel: program.bytes,
    ...(workload.disk && { disk: { first: 0, sectors: SECTORS } }),
    ...(workload.network && { network: { mac: [2, 0x62, 0x68, 0, 0, 1], vlan: 0 } }),
    ...(software && { scripted: { software, program } }),
  }
}

test.each<Configuration>(['native', 'hosted'])(
  '%s: scripted guests are preempted anywhere by a hostile one, and their data stays whole',
  configuration => {
    const { machine, guests } = buildSystem({
      configuration,
      harts: 1,
      ramBytes: 192 * MIB,
      guests: [disk, hostile, network].map(guestOf),
      disks: [new MemoryBacking(SECTORS)],
      nics: [nicOnStation()],
    })
    const over = () => guests.every(({ record }) => record.ended)
    for (let turn = 0; turn < 40 && !over(); turn++)
      machine.run({ untilCycle: machine.now() + 10_000_000, until: over })
    expect(guests.map(({ record: { ended, crashed, exitCode } }) => ({ ended, crashed, exitCode }))).toEqual(
      Array.from({ length: 3 }, () => ({ ended: true, crashed: false, exitCode: 0 })),
    )
  },
)
