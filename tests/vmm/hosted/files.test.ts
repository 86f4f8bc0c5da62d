/** The host's file system: guests' disks are files whose data lies where the user's disk has it. */
import { expect, test } from 'vitest'
import { WORKLOADS } from '../../../guests/index.ts'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import type { HostPolicy } from '../../../hw/spec/layouts/host-policy.ts'
import {
  FS_AREA_BLOCKS,
  FS_AREA_SECTORS,
  FS_BITMAP,
  FS_BLOCK,
  FS_BLOCK_SECTORS,
  FS_INODES,
  FS_JOURNAL,
  inode,
  JOURNAL_COMMIT,
  JOURNAL_DESCRIPTOR,
  journalBlock,
} from '../../../hw/spec/layouts/host-file-system.ts'
import { hostWithPrograms, runProgramOnHost } from '../../../lab/calibrate/host-primitives.ts'
import { Intervals } from '../../../lab/calibrate/intervals.ts'
import { primitives } from '../../../lab/calibrate/linux-programs.ts'
import { userProgram } from '../../../lab/linux/user-program.ts'
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

test('who reads one page after the other seldom waits for the disk; who skips pages always does', () => {
  const reading = (step: number) => {
    const program = userProgram(`
    li a0, -100
    la a1, path
    li a2, 0
    li a3, 0
    checked openat
    mv s2, a0
    li s3, 0
    li s4, ${step * FS_BLOCK}
    li s1, 100
    mark.start
1:  mv a0, s2
    la a1, buffer
    li a2, 4096
    mv a3, s3
    checked pread64
    add s3, s3, s4
    addi s1, s1, -1
    bnez s1, 1b
    mark.end
    li a0, 0
    syscall exit_group
    .data
path: .asciz "/mnt/file"
    .balign 4096
buffer: .space 4096
`)
    return runProgramOnHost('reading', program).cycles / 100
  }
  const [onward, skipping] = [reading(1), reading(3)]
  expect(onward).toBeLessThan(skipping / 2)
})

test('a file that grows is on the disk after fsync: its data, its extents, its blocks taken, its transaction committed', () => {
  const write = `
    mv a0, s2
    la a1, text
    li a2, 4096
    checked write
`
  const program = userProgram(`
    li a0, -100
    la a1, path
    li a2, 0
    li a3, 0
    checked openat
    mv s2, a0
    la t0, text
    li t1, 0x5a
    li t2, 4096
1:  sb t1, 0(t0)
    addi t0, t0, 1
    addi t2, t2, -1
    bnez t2, 1b
    ${write}${write}${write}
    mark.start
    mv a0, s2
    li a7, 82
    ecall
    bnez a0, failed
    mark.end
    li a0, 0
    syscall exit_group
    .data
path: .asciz "/log/messages"
    .balign 4096
text: .space 4096
`)
  const { machine, disk } = hostWithPrograms([program])
  const intervals = new Intervals(machine)
  machine.run({ untilCycle: 3_000_000_000, until: () => intervals.found.length > 0 })
  expect(intervals.found.length).toBe(1)
  const area = disk.sectors - FS_AREA_SECTORS
  const block = (number: number) => {
    const bytes = new Uint8Array(FS_BLOCK)
    disk.read(area + number * FS_BLOCK_SECTORS, bytes)
    return Buffer.from(bytes)
  }
  // The data lies in three blocks, one behind the other; the journal has the bitmap and the inode, and its commit.
  const written = Array.from({ length: FS_AREA_BLOCKS }, (_, number) => number).filter(number =>
    block(number).every(byte => byte === 0x5a),
  )
  expect(written.map(number => number - written[0])).toEqual([0, 1, 2])
  const journal = [0, 1, 2, 3].map(number => block(FS_JOURNAL.first + number))
  expect(journal[0].readUInt32LE(journalBlock.kind.at)).toBe(JOURNAL_DESCRIPTOR)
  expect(journal[3].readUInt32LE(journalBlock.kind.at)).toBe(JOURNAL_COMMIT)
  const names = [0, 4].map(at => journal[0].readUInt32LE(journalBlock.size + at))
  const copyOf = (number: number) => journal[1 + names.indexOf(number)]
  for (const number of written) expect((copyOf(FS_BITMAP)[number >> 3] >> (number & 7)) & 1).toBe(1)
  expect(names).toContain(FS_INODES.first)
  const lengths = Array.from({ length: 8 }, (_, number) =>
    Number(copyOf(FS_INODES.first).readBigUInt64LE(number * inode.size + inode.length.at)),
  )
  expect(lengths).toContain(3 * FS_BLOCK)
})
