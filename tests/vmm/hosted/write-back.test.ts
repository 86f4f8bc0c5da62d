/** What becomes of written data that nobody asks to be flushed: the flusher and the journal see to it. */
import { expect, test } from 'vitest'
import { WORKLOADS } from '../../../guests/index.ts'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import {
  FS_BLOCK,
  FS_BLOCK_SECTORS,
  FS_INODES,
  FS_JOURNAL,
  inode,
  JOURNAL_COMMIT,
  JOURNAL_DESCRIPTOR,
  JOURNAL_MAGIC,
  journalBlock,
} from '../../../hw/spec/layouts/host-file-system.ts'
import { buildSystem } from '../../../lab/system.ts'

const MIB = 2 ** 20
const SECOND = 1_000_000_000
const SECTORS = (8 * MIB) / 512

test('metadata goes through the journal within six seconds, and where it belongs within forty', () => {
  const workload = WORKLOADS.find(({ name }) => name === 'disk')!
  const program = workload.image()
  const { machine, guests, disks } = buildSystem({
    configuration: 'hosted',
    harts: 1,
    ramBytes: 160 * MIB,
    disks: [new MemoryBacking(SECTORS)],
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
        disk: { first: 0, sectors: SECTORS },
        scripted: { software: workload.software!(), program },
      },
    ],
  })
  const block = (number: number) => {
    const bytes = new Uint8Array(FS_BLOCK)
    disks[0].read(SECTORS + number * FS_BLOCK_SECTORS, bytes)
    return Buffer.from(bytes)
  }
  const word = (bytes: Buffer, { at }: { at: number }) => bytes.readUInt32LE(at)
  // Inode 2 is the guest's file: the root is 1.
  const modified = () => block(FS_INODES.first).readBigUInt64LE(2 * inode.size + inode.modified.at)
  machine.run({ untilCycle: 2 * SECOND, until: () => guests[0].record.ended })
  const written = machine.now()
  expect(word(block(FS_JOURNAL.first), journalBlock.magic)).toBe(0)

  machine.run({ untilCycle: written + 6 * SECOND })
  const descriptor = block(FS_JOURNAL.first)
  const commit = block(FS_JOURNAL.first + 2)
  expect([descriptor, commit].map(bytes => word(bytes, journalBlock.magic))).toEqual([JOURNAL_MAGIC, JOURNAL_MAGIC])
  expect([descriptor, commit].map(bytes => word(bytes, journalBlock.kind))).toEqual([
    JOURNAL_DESCRIPTOR,
    JOURNAL_COMMIT,
  ])
  expect(descriptor.readUInt32LE(journalBlock.size)).toBe(FS_INODES.first)
  const journalled = block(FS_JOURNAL.first + 1).readBigUInt64LE(2 * inode.size + inode.modified.at)
  expect(journalled).toBeGreaterThan(0n)
  expect(modified()).toBe(0n)

  machine.run({ untilCycle: written + 45 * SECOND })
  expect(modified()).toBe(journalled)
})
