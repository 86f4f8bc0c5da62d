/** A host set up in another way than usual is a function of its description too, and can be put down and taken up in its midst. */
import { expect, test } from 'vitest'
import { WORKLOADS } from '../../../guests/index.ts'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import type { Machine } from '../../../hw/index.ts'
import type { HostPolicy } from '../../../hw/spec/layouts/host-policy.ts'
import { nicOnStation } from '../../../lab/network.ts'
import { course } from '../workload-system.ts'
import { hosted } from './machine.ts'

const MIB = 2 ** 20
const SECTORS = 16384
const END = 42_000_000
const MIDDLE = 36_234_567

const policies: readonly Partial<HostPolicy>[] = [
  { form: 'switch' },
  { backend: 'kernel', pages: 'small' },
  { backend: 'kernel', io: 'direct', form: 'switch' },
]

/** Three guests on two harts. */
function machineWith(hostPolicy: Partial<HostPolicy>): Machine {
  const busy = WORKLOADS.filter(({ name }) => name === 'network' || name === 'timer' || name === 'disk')
  const guests = busy.map(workload => {
    const program = workload.image()
    const software = workload.software?.()
    return {
      kernel: program.bytes,
      memoryBytes: 32 * MIB,
      ...(workload.disk && { disk: { first: 0, sectors: SECTORS } }),
      ...(workload.network && { network: { mac: [2, 0, 0, 0, 0, 1], vlan: 0 } }),
      ...(software && { scripted: { software, program } }),
    }
  })
  const parts = { disks: [new MemoryBacking(SECTORS)], nics: [nicOnStation()] }
  return hosted(guests, { harts: 2, ramBytes: 192 * MIB, hostPolicy, ...parts }).machine
}

test.each(policies)('%o', policy => {
  const whole = machineWith(policy)
  whole.run({ untilCycle: END })
  const expected = course(whole)
  for (const { clock, rows } of expected.ledgers) expect(rows.reduce((sum, { cycles }) => sum + cycles, 0)).toBe(clock)
  const inGuests = expected.ledgers.flatMap(({ rows }) => rows).filter(({ party }) => party === 'guest')
  expect(inGuests.reduce((sum, { cycles }) => sum + cycles, 0)).toBeGreaterThan(100_000)
  const halting = machineWith(policy)
  halting.run({ untilCycle: MIDDLE })
  const state = structuredClone(halting.save())
  const restored = machineWith(policy)
  restored.restore(state)
  for (const machine of [halting, restored]) {
    machine.run({ untilCycle: END })
    expect(course(machine)).toEqual(expected)
  }
})
