/** Runs a process of ours in the kernel of our host, in a VMM's place, between its marks. */
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import { guestImage } from '../../guests/image.ts'
import { textOf } from '../../vmm/hosted/layout.ts'
import { nicOnStation } from '../network.ts'
import { buildSystem } from '../system.ts'
import type { HostPrimitive } from './host-programs.ts'
import { type Interval, Intervals } from './intervals.ts'

const MIB = 2 ** 20
const SECTORS = (16 * MIB) / 512
const MAC = [0x02, 0x62, 0x68, 0, 0, 1]
const TURN = 10_000_000
const PATIENCE = 2_000_000_000

/** Throws if the process does not come to its end mark. */
export function runOnHost({ name, policy, text }: HostPrimitive): Interval {
  const { machine } = buildSystem({
    configuration: 'hosted',
    harts: 1,
    ramBytes: 192 * MIB,
    guests: [
      {
        label: name,
        memoryBytes: 64 * MIB,
        vcpus: 1,
        harts: [0],
        weight: 256,
        cap: 0,
        bootargs: '',
        kernel: guestImage('start:\n    shutdown').bytes,
        disk: { first: 0, sectors: SECTORS },
        network: { mac: MAC, vlan: 0 },
      },
    ],
    disks: [new MemoryBacking(SECTORS)],
    nics: [nicOnStation()],
    hostPolicy: policy,
  })
  machine.memory.write(textOf(0), text)
  const intervals = new Intervals(machine)
  for (;;) {
    const stop = machine.run({ untilCycle: machine.now() + TURN, until: () => intervals.found.length > 0 })
    const [found] = intervals.found
    if (found) return found
    if (stop.kind !== 'cycle' || machine.now() > PATIENCE)
      throw new Error(`${name} on our host did not come to its end (${stop.kind} after ${machine.now()} cycles)`)
  }
}
