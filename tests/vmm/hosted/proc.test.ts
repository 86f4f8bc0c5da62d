/** What the host's kernel counts can be read by its programs. */
import { expect, test } from 'vitest'
import { hostFiles } from '../../../lab/calibrate/host-files.ts'

const PAGES = 100
/** Touches pages, so that there is something to tell. */
const touch = `
    li a0, 0
    li a1, ${PAGES * 4096}
    li a2, 3
    li a3, 0x22
    li a4, -1
    li a5, 0
    checked mmap
    li t0, ${PAGES}
    li t1, 4096
1:  sb t0, 0(a0)
    add a0, a0, t1
    addi t0, t0, -1
    bnez t0, 1b
`

/** Lines by their first word; numbers. */
function lines(text: string): ReadonlyMap<string, readonly number[]> {
  return new Map(
    text
      .trimEnd()
      .split('\n')
      .map(line => line.split(' '))
      .map(([name, ...numbers]) => [name, numbers.map(Number)]),
  )
}

test('programs read under /proc what the kernel has counted, and it adds up', () => {
  const names = ['stat', 'meminfo', 'groups', 'pressure', 'sched', 'interrupts', 'diskstats', 'devices', 'slabinfo']
  const [stat, memory, groups, pressure, threads, interrupts, disk, devices, slabs] = hostFiles(names, touch)
  const counted = lines(stat)
  const of = (name: string) => counted.get(name)?.[0] ?? Number.NaN
  expect(of('pgfault')).toBeGreaterThanOrEqual(PAGES)
  expect(of('ctxt')).toBeGreaterThan(2)
  expect(of('intr')).toBeGreaterThan(2)
  expect(of('ticks')).toBeGreaterThan(0)
  expect(of('idle')).toBeGreaterThan(0)
  const sizes = lines(memory)
  const kib = (name: string) => sizes.get(name)?.[0] ?? Number.NaN
  expect(kib('MemTotal:')).toBe(128 * 1024)
  expect(kib('AnonPages:')).toBeGreaterThanOrEqual(PAGES * 4)
  expect(kib('MemFree:') + kib('AnonPages:')).toBeLessThan(kib('MemTotal:'))
  // The whole machine's group and that of the programs: what the second uses, the first does.
  const [[, whole], [, programs]] = groups
    .trimEnd()
    .split('\n')
    .map(line => line.split(' ').slice(1).map(Number))
  expect(whole).toBe(programs)
  expect(programs * 4).toBeGreaterThanOrEqual(kib('AnonPages:'))
  const faults = groups
    .trimEnd()
    .split('\n')
    .map(line => Number(line.split(' ').at(-1)))
  expect(faults[0]).toBe(kib('pgfault'))
  const [, some, full, busy] = pressure.split('\n')[0].split(' ').slice(1).map(Number)
  expect([some >= full, busy >= full, busy > 0]).toEqual([true, true, true])
  const own = threads
    .trimEnd()
    .split('\n')
    .map(line => line.split(' ').slice(1).map(Number))
  expect(own.length).toBeGreaterThan(2)
  expect(own.every(([, had, , times]) => had > 0 && times > 0)).toBe(true)
  // The timer's line, and the disk's; what the disk was asked for and is done with; nothing is lent to it for ever.
  const came = interrupts
    .trimEnd()
    .split('\n')
    .map(line => Number(line.split(' ')[2]))
  expect(came.filter(count => count > 0).length).toBeGreaterThanOrEqual(2)
  const [, , over, sectors, , begun, ticks] = disk.split('\n')[0].split(' ').map(Number)
  expect([over > 0, sectors >= 8 * over, begun - over >= 0, ticks > 0]).toEqual([true, true, true, true])
  expect(lines(devices).get('disk')?.[0]).toBeLessThanOrEqual(64 * 4096)
  const [used, all] = lines(slabs).get('headers') ?? []
  expect([used >= 0, used < all]).toEqual([true, true])
})
