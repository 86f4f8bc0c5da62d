/** The host's file system: guests' disks are files whose data lies where the user's disk has it. */
import { expect, test } from 'vitest'
import { WORKLOADS } from '../../../guests/index.ts'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import type { HostPolicy } from '../../../hw/spec/layouts/host-policy.ts'
import { runProgramOnHost } from '../../../lab/calibrate/host-primitives.ts'
import { primitives } from '../../../lab/calibrate/linux-programs.ts'
import { buildSystem, type Configuration } from '../../../lab/system.ts'
import { hosted } from './machine.ts'

const MIB = 2 ** 20
const workload = WORKLOADS.find(({ name }) => name === 'disk')!

/** What the disk workload leaves on a disk of which the guest has a part, in bytes. */
function leftBy(configuration: Configuration, first: number, sectors: number, hostPolicy: Partial<HostPolicy>) {
  const disk = new MemoryBacking(first + sectors + 4096)
  const program = workload.image()
  const { machine, guests } = buildSystem({
    configuration,
    harts: 1,
    ramBytes: 160 * MIB,
    hostPolicy,
    disks: [disk],
    guests: [
      {
        label: 'disk',
        kernel: program.bytes,
        memoryBytes: 32 * MIB,
        vcpus: 1,
        harts: [],
        weight: 256,
        cap: 0,
        bootargs: '',
        disk: { first, sectors },
        scripted: { software: workload.software!(), program },
      },
    ],
  })
  machine.run({ untilCycle: 2_000_000_000, until: () => guests[0].record.ended })
  machine.run({ untilCycle: machine.now() + 100_000_000 })
  expect(guests[0].record).toMatchObject({ ended: true, exitCode: 0 })
  const bytes = new Uint8Array(disk.sectors * 512)
  disk.read(0, bytes)
  return Buffer.from(bytes)
}

/** What the workload writes into a block for the nth time: a stamp at the beginning of each line. */
function isStamped(block: Buffer, number: number): boolean {
  const lines = Array.from({ length: 64 }, (_, line) => block.readUInt32LE(line * 64))
  return Array.from({ length: 40 }, (_, index) => index + 1).some(version =>
    lines.every(
      (value, line) => value === Math.imul((number << 20) ^ (version << 12) ^ (line * 64), 0x9e37_79b1) >>> 0,
    ),
  )
}

test.each<Partial<HostPolicy>>([{ io: 'cached' }, { io: 'direct', pages: 'small' }])(
  '%o: what a guest writes lies where its part of the disk was, block by block, and nowhere else',
  policy => {
    const [first, sectors] = [5003, 4096 + 8]
    const left = leftBy('hosted', first, sectors, policy)
    const part = left.subarray(first * 512, (first + sectors) * 512)
    const written = Array.from({ length: 512 }, (_, number) => number).filter(number =>
      part.subarray(number * 4096, (number + 1) * 4096).some(byte => byte !== 0),
    )
    expect(written.length).toBeGreaterThan(100)
    for (const number of written)
      expect(isStamped(part.subarray(number * 4096, (number + 1) * 4096), number)).toBe(true)
    expect(left.subarray(0, first * 512).every(byte => byte === 0)).toBe(true)
    expect(left.subarray((first + sectors) * 512).every(byte => byte === 0)).toBe(true)
  },
)

test('a large disk is many extents, found through a leaf of the tree', () => {
  const sectors = (700 * MIB) / 512
  const program = workload.image()
  const disk = new MemoryBacking(sectors)
  const run = hosted(
    [
      {
        kernel: program.bytes,
        memoryBytes: 32 * MIB,
        disk: { first: 0, sectors },
        scripted: { software: workload.software!(), program },
      },
    ],
    { ramBytes: 160 * MIB, disks: [disk] },
  )
  run.run(2_000_000_000, () => run.guests[0].record.ended)
  expect(run.guests[0].record).toMatchObject({ ended: true, exitCode: 0 })
})

test("Linux's programs run on the host's kernel, each to its end mark", () => {
  for (const { name, program, operations } of primitives().filter(primitive => primitive.name !== 'frame-send')) {
    const { cycles, instructions } = runProgramOnHost(name, program)
    expect(cycles / operations, name).toBeGreaterThan(100)
    expect(instructions, name).toBeLessThanOrEqual(cycles)
  }
})
