/** Harts that are dedicated to vCPUs: nothing else runs there, and nothing of the host's disturbs them. */
import { expect, test } from 'vitest'
import { WORKLOADS } from '../../../guests/index.ts'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import { countUntil } from '../assembly.ts'
import { hosted } from './machine.ts'

/** 50 ms, a dozen of the host's ticks. */
const END = 700_000
const CYCLES = 100
const options = { harts: 2, hostPolicy: { dedicated: true } } as const

/** Cycles on the guest's hart in rows of such a cause. */
function onHart(cause: RegExp, dedicated: boolean): number {
  const run = hosted([{ kernel: countUntil(END), harts: [0] }], { harts: 2, hostPolicy: { dedicated } })
  run.run(END * 2 * CYCLES)
  expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false })
  return run.machine
    .ledger(0)
    .filter(row => cause.test(row.cause))
    .reduce((sum, { cycles }) => sum + cycles, 0)
}

test('a guest that has its hart for itself is not interrupted by the tick', () => {
  expect(onHart(/timer interrupt/, false)).toBeGreaterThan(1000)
  expect(onHart(/timer interrupt/, true)).toBe(0)
})

test('devices are served from another hart', () => {
  const disk = WORKLOADS.find(({ name }) => name === 'disk')!
  const program = disk.image()
  const run = hosted(
    [
      {
        kernel: program.bytes,
        harts: [0],
        memoryBytes: 32 * 2 ** 20,
        disk: { first: 0, sectors: 16384 },
        scripted: { software: disk.software!(), program },
      },
    ],
    { ...options, ramBytes: 160 * 2 ** 20, disks: [new MemoryBacking(16384)] },
  )
  run.run(1_000_000_000)
  expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false, exitCode: 0 })
  const external = (hart: number) => run.machine.ledger(hart).some(({ cause }) => cause === 'external interrupt')
  expect([external(0), external(1)]).toEqual([false, true])
})

test('the host needs a hart', () => {
  expect(() => hosted([{ kernel: countUntil(END), harts: [0] }], { ...options, harts: 1 })).toThrow(
    /pinned to all 1 harts.*add a hart/,
  )
})
