/** Runs programs of Linux's, byte for byte, on the kernel of our host: no guest, nothing else. */
import { virt } from '../../hw/boards/virt.ts'
import { type Backing, MemoryBacking } from '../../hw/devices/disk-backing.ts'
import type { Machine } from '../../hw/index.ts'
import { createHostedVmm, HOSTED_PARTIES, hostedImage } from '../../vmm/hosted/index.ts'
import { hostDisk } from '../host-disk.ts'
import { buildMachine } from '../machine.ts'
import { nicOnStation } from '../network.ts'
import { type Interval, Intervals } from './intervals.ts'

const MIB = 2 ** 20
const RAM_BYTES = 128 * MIB
const SECTORS = (16 * MIB) / 512
const TURN = 10_000_000
const PATIENCE = 2_000_000_000

/** A machine with our host and these programs, ELF files; on its disk the file /mnt/file of 2 MiB. */
export function hostWithPrograms(programs: readonly Uint8Array[]): {
  readonly machine: Machine
  readonly disk: Backing
} {
  const disk = hostDisk(new MemoryBacking(SECTORS), [
    { directory: 'mnt', name: 'file', first: 0, sectors: (2 * MIB) / 512 },
  ])
  const board = virt({
    harts: 1,
    ramBytes: RAM_BYTES,
    kernel: hostedImage(0),
    disks: [disk],
    nics: [nicOnStation()],
  })
  const machine = buildMachine(board, { parties: HOSTED_PARTIES })
  const { images } = createHostedVmm(board.deviceTree(), programs)
  for (const { software, program } of images) machine.software.install(software, program)
  return { machine, disk }
}

/** What lies between the marks of a program. Throws if it does not come to its end mark. */
export function runProgramOnHost(name: string, program: Uint8Array): Interval {
  const { machine } = hostWithPrograms([program])
  const intervals = new Intervals(machine)
  for (;;) {
    const stop = machine.run({ untilCycle: machine.now() + TURN, until: () => intervals.found.length > 0 })
    const [found] = intervals.found
    if (found) return found
    if (stop.kind !== 'cycle' || machine.now() > PATIENCE)
      throw new Error(`${name} on our host did not come to its end (${stop.kind} after ${machine.now()} cycles)`)
  }
}
