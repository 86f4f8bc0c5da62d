/** What a guest's process holds of the machine, and what becomes of it. */
import { expect, test } from 'vitest'
import { WORKLOADS } from '../../../guests/index.ts'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import type { Machine } from '../../../hw/index.ts'
import type { HostPolicy } from '../../../hw/spec/layouts/host-policy.ts'
import { END } from '../assembly.ts'
import { hosted } from './machine.ts'

const MIB = 2 ** 20
const LARGE_PAGE = 2 * MIB

function isZero(machine: Machine, address: number, bytes: number): boolean {
  return machine.memory.read(address, bytes).every(byte => byte === 0)
}

test('memory of a guest that is over is zeroed before anybody has it again', () => {
  const run = hosted([
    {
      kernel: `
    li t0, 0x80600000
    li t1, -1
    sd t1, 0(t0)
    sd t1, 2040(t0)
    li a7, 1
    li a0, '!'
    ecall
    li t0, 20000000
1:  addi t0, t0, -1
    bnez t0, 1b
    ${END}`,
    },
  ])
  run.run(1_000_000_000, () => run.printed() === '!')
  const [guest] = run.guests
  const held = [...guest.ram.pages].filter(page => page !== 0)
  expect(held.some(page => !isZero(run.machine, page, LARGE_PAGE))).toBe(true)
  run.run(100_000_000)
  // Nobody may be reading its tables any more: two ticks.
  run.run(20_000_000, () => false)
  expect(guest.record.ended).toBe(true)
  expect([...guest.ram.pages].every(page => page === 0)).toBe(true)
  for (const page of held) expect(isZero(run.machine, page, LARGE_PAGE)).toBe(true)
})

const policies: readonly Partial<HostPolicy>[] = [{}, { backend: 'kernel' }, { form: 'switch' }]

test.each(policies)(
  "guests' disks are parts of the machine's: what they write arrives there, and nowhere else: %o",
  hostPolicy => {
    const workload = WORKLOADS.find(({ name }) => name === 'disk')!
    const disk = new MemoryBacking(16384 * 3)
    const guests = [1, 2].map(part => {
      const program = workload.image()
      return {
        kernel: program.bytes,
        memoryBytes: 32 * MIB,
        disk: { first: part * 16384, sectors: 8192 },
        scripted: { software: { ...workload.software!(), name: `guest ${part}` }, program },
      }
    })
    const run = hosted(guests, { harts: 2, ramBytes: 160 * MIB, disks: [disk], hostPolicy })
    const written = (first: number, sectors: number) => {
      const bytes = new Uint8Array(sectors * 512)
      disk.read(first, bytes)
      return bytes.some(byte => byte !== 0)
    }
    run.run(2_000_000_000, () => run.guests.every(({ record }) => record.ended))
    expect(run.guests.map(({ record: { ended, crashed, exitCode } }) => ({ ended, crashed, exitCode }))).toEqual([
      { ended: true, crashed: false, exitCode: 0 },
      { ended: true, crashed: false, exitCode: 0 },
    ])
    run.run(100_000_000)
    expect([
      written(0, 16384),
      written(16384, 4096),
      written(24576, 8192),
      written(32768, 4096),
      written(40960, 8192),
    ]).toEqual([false, true, false, true, false])
  },
)
