/** The host's memory: areas of address spaces, groups and their limits, pages taken back. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hostWithPrograms } from '../../../lab/calibrate/host-primitives.ts'
import { Intervals } from '../../../lab/calibrate/intervals.ts'
import { userProgram } from '../../../lab/linux/user-program.ts'
import { AddressSpace, HELD, MORE } from '../../../vmm/hosted/address-space.ts'
import { AnonymousMemory } from '../../../vmm/hosted/memory/anonymous.ts'
import { area, AREA_ANONYMOUS, AREA_READ, AREA_WRITE, areaAt, Areas } from '../../../vmm/hosted/memory/areas.ts'
import { createDescriptor, descriptor, descriptorOf } from '../../../vmm/hosted/memory/descriptors.ts'
import { GuestFences } from '../../../vmm/hosted/memory/guest-fences.ts'
import {
  addUp,
  ANONYMOUS_PAGES,
  countFor,
  createGroupCounts,
  FAULTS,
  TABLE_PAGES,
} from '../../../vmm/hosted/memory/group-counts.ts'
import {
  groupAt,
  groupOfProcess,
  MemoryGroups,
  memoryGroup,
  PROGRAMS_GROUP,
  WHOLE_GROUP,
} from '../../../vmm/hosted/memory/groups.ts'
import { createHartMemory } from '../../../vmm/hosted/memory/hart-memory.ts'
import { FreeMemory } from '../../../vmm/core/free-memory.ts'
import { LARGE_PAGE } from '../../../vmm/core/g-stage.ts'
import { KERNEL_BASE, KERNEL_BYTES, USER_PROGRAM } from '../../../vmm/hosted/layout.ts'
import { PageStructs } from '../../../vmm/hosted/page-structs.ts'
import { SmallPages } from '../../../vmm/hosted/small-pages.ts'
import { UserPages } from '../../../vmm/hosted/memory/user-pages.ts'
import { ramPort } from './ram-port.ts'

const PAGE = 4096
/** A quarter of the machine's 128 MiB. */
const LIMIT = (32 * 2 ** 20) / PAGE

test('an address is found in its area, in few steps, in whatever order the areas came', () => {
  const places = fc.uniqueArray(fc.nat(10_000), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(places, fc.array(fc.nat(10_000), { maxLength: 20 }), (starts, others) => {
      const { port } = ramPort()
      const areas = new Areas()
      createDescriptor(port, 0, 0)
      for (const start of starts) expect(areas.add(port, 0, start * PAGE, PAGE, 0)).toBe(true)
      for (const place of [...starts, ...others]) {
        const at = areas.find(port, 0, place * PAGE + 8)
        expect(at !== 0).toBe(starts.includes(place))
        if (at !== 0) expect(port.load64(at + area.start.at)).toBe(place * PAGE)
      }
      expect(areas.top(port, 0)).toBe((Math.max(...starts) + 1) * PAGE)
      const depth = (number: number): number =>
        number === 0
          ? 0
          : 1 +
            Math.max(
              depth(port.load32(areaAt(number) + area.left.at)),
              depth(port.load32(areaAt(number) + area.right.at)),
            )
      const root = port.load32(descriptorOf(0) + descriptor.areas.at)
      expect(depth(root)).toBeLessThanOrEqual(2 * Math.log2(starts.length + 1))
    }),
  )
})

test('groups: whoever is below a full one gets nothing, and what was given back can be had again', () => {
  const { port } = ramPort()
  const groups = new MemoryGroups(2)
  createHartMemory(port, 2)
  const other = { ...port, hart: 1 }
  groups.create(port, WHOLE_GROUP, 1000)
  groups.create(port, PROGRAMS_GROUP, 300)
  const used = (group: number) => port.load32(groupAt(group) + memoryGroup.used.at)
  // What another hart has in stock is nobody's.
  expect(groups.charge(other, PROGRAMS_GROUP, 1)).toBe(true)
  expect(used(PROGRAMS_GROUP)).toBeGreaterThan(1)
  for (let page = 1; page < 300; page++) expect(groups.charge(port, PROGRAMS_GROUP, 1)).toBe(true)
  expect([used(PROGRAMS_GROUP), used(WHOLE_GROUP)]).toEqual([300, 300])
  expect(groups.charge(port, PROGRAMS_GROUP, 1)).toBe(false)
  expect(groups.charge(port, WHOLE_GROUP, 700)).toBe(true)
  groups.uncharge(port, PROGRAMS_GROUP, 10)
  expect(groups.charge(port, WHOLE_GROUP, 11)).toBe(false)
  expect(groups.charge(port, PROGRAMS_GROUP, 10)).toBe(true)
  expect([used(PROGRAMS_GROUP), used(WHOLE_GROUP)]).toEqual([300, 1000])
})

/** Touches so many pages, storing this byte in each, and comes to its mark. */
function touching(pages: number, byte: number): Uint8Array {
  return userProgram(`
    li a0, 0
    li a1, ${pages * PAGE}
    li a2, 3
    li a3, 0x22
    li a4, -1
    li a5, 0
    checked mmap
    mark.start
    li s0, ${pages}
    li s1, ${PAGE}
    li t0, ${byte}
1:  sb t0, 0(a0)
    add a0, a0, s1
    addi s0, s0, -1
    bnez s0, 1b
    mark.end
    li a0, 0
    syscall exit_group
`)
}

/** Whether it comes to its mark, and cycles spent on reclaim. */
function run(program: Uint8Array): { readonly ended: boolean; readonly reclaim: number } {
  const { machine } = hostWithPrograms([program])
  const { found } = new Intervals(machine)
  machine.run({ untilCycle: 150_000_000, until: () => found.length > 0 })
  const rows = machine.ledger(0).filter(({ cause }) => cause === 'reclaim')
  return { ended: found.length > 0, reclaim: rows.reduce((sum, { cycles }) => sum + cycles, 0) }
}

test('a program that reaches its limit gives back the pages that hold nothing; if there are none, it is ended', () => {
  expect(run(touching(LIMIT / 2, 1))).toEqual({ ended: true, reclaim: 0 })
  const empty = run(touching(LIMIT + 100, 0))
  expect(empty.ended).toBe(true)
  expect(empty.reclaim).toBeGreaterThan(0)
  const full = run(touching(LIMIT + 100, 1))
  expect(full.ended).toBe(false)
  expect(full.reclaim).toBeGreaterThan(0)
})

/** Clones itself so often, without sharing memory; each child touches so many pages and is over. */
function cloning(times: number, pages: number): Uint8Array {
  return userProgram(`
    mark.start
    li s0, ${times}
1:  li a0, 17
    li a1, 0
    checked clone
    beqz a0, child
    la a0, pause
    li a1, 0
    syscall nanosleep
    addi s0, s0, -1
    bnez s0, 1b
    mark.end
    li a0, 0
    syscall exit_group
child:
    li a0, 0
    li a1, ${pages * PAGE}
    li a2, 3
    li a3, 0x22
    li a4, -1
    li a5, 0
    checked mmap
    li s1, ${PAGE}
    li s2, ${pages}
2:  sd s2, 0(a0)
    add a0, a0, s1
    addi s2, s2, -1
    bnez s2, 2b
    li a0, 0
    syscall exit_group
    .balign 8
pause:
    .dword 0, 3000000
`)
}

test('the memory of a program that is over is given back: more can be begun, one after another, than there is room for', () => {
  expect(run(cloning(8, LIMIT / 8 + 100)).ended).toBe(true)
})

test('what harts count for a group is added up once, whoever asks, for the group and those above it', () => {
  const { port } = ramPort()
  const groups = new MemoryGroups(2)
  const of = (group: number) => {
    const at = groupAt(group)
    return [memoryGroup.anonymous.at, memoryGroup.tables.at, memoryGroup.faults.at].map(field =>
      port.load32(at + field),
    )
  }
  createGroupCounts(port, 2)
  const guest = groupOfProcess(1)
  for (const group of [WHOLE_GROUP, PROGRAMS_GROUP, guest]) groups.create(port, group, 1000)
  const other = { ...port, hart: 1 }
  countFor(port, guest, ANONYMOUS_PAGES, 5)
  countFor(other, guest, ANONYMOUS_PAGES, -2)
  countFor(other, PROGRAMS_GROUP, TABLE_PAGES, 7)
  countFor(port, guest, FAULTS, 1)
  expect(of(guest)).toEqual([0, 0, 0])
  for (let times = 0; times < 2; times++) {
    addUp(port, 2)
    expect([of(guest), of(PROGRAMS_GROUP), of(WHOLE_GROUP)]).toEqual([
      [3, 0, 1],
      [0, 7, 0],
      [3, 7, 1],
    ])
  }
  countFor(other, guest, TABLE_PAGES, 1)
  addUp(other, 2)
  expect(of(guest)).toEqual([3, 1, 1])
})

test('what a process may only read is read on its behalf, and written by nobody', () => {
  const { port } = ramPort()
  const free = new FreeMemory([], KERNEL_BASE + 3 * LARGE_PAGE, KERNEL_BASE + 4 * LARGE_PAGE, 1)
  free.clean[0] = KERNEL_BASE + 4 * LARGE_PAGE
  free.record.clean = 1
  const records = new PageStructs(KERNEL_BASE + 2 * LARGE_PAGE, KERNEL_BASE, KERNEL_BYTES)
  const small = new SmallPages(free, records, 0, LARGE_PAGE / PAGE)
  const groups = new MemoryGroups(1)
  const areas = new Areas()
  const anonymous = new AnonymousMemory(free, small, records, groups)
  createHartMemory(port, 1)
  createGroupCounts(port, 1)
  small.create(port)
  for (const group of [WHOLE_GROUP, PROGRAMS_GROUP]) groups.create(port, group, 400)
  const space = new AddressSpace({ free, areas, anonymous }, 0, 0, PAGE)
  space.createFor(port, PROGRAMS_GROUP)
  const at = USER_PROGRAM + 5 * PAGE
  space.addArea(port, at, PAGE, AREA_READ | AREA_ANONYMOUS)
  space.addArea(port, at + PAGE, PAGE, AREA_READ | AREA_WRITE | AREA_ANONYMOUS)
  const users = new UserPages(records)
  expect(users.get(port, space, at, true)).toBe(0)
  const page = users.get(port, space, at, false)
  expect(page).toBeGreaterThan(0)
  // It is there now, and still not to be written.
  expect(users.get(port, space, at, true)).toBe(0)
  expect(users.get(port, space, at + PAGE, true)).toBeGreaterThan(0)
  expect(users.get(port, space, at + 2 * PAGE, false)).toBe(0)
  // Held: it is given back when it has been let go of.
  const step = () => space.releaseSome({ ...port, sfenceVma: () => {} })
  expect(step()).toBe(HELD)
  users.letGo(port, page)
  expect(step()).toBe(MORE)
  expect(step()).toBe(HELD)
})

test('a page that is given back twice is found, and so is one that was written to while it was free', () => {
  const { port } = ramPort()
  const large = KERNEL_BASE + 4 * LARGE_PAGE
  const free = new FreeMemory([], 0, 0, 1)
  free.clean[0] = large
  free.record.clean = 1
  const records = new PageStructs(KERNEL_BASE + 2 * LARGE_PAGE, KERNEL_BASE, KERNEL_BYTES)
  const small = new SmallPages(free, records, 0, LARGE_PAGE / PAGE)
  createHartMemory(port, 1)
  small.create(port)
  const [first, second, third] = [small.take(port), small.take(port), small.take(port)]
  expect(new Set([first, second, third]).size).toBe(3)
  small.give(port, first)
  expect(() => small.give(port, first)).toThrow('not given')
  small.give(port, second)
  port.store64(first + 8, 0xbad)
  expect(() => small.take(port)).toThrow('broken')
})

test('where few pages are free a thread is woken to take some back; it does so until there are enough, unless nobody can do without', () => {
  const { port } = ramPort()
  const total = LARGE_PAGE / PAGE
  const free = new FreeMemory([], 0, 0, 1)
  free.clean[0] = KERNEL_BASE + 4 * LARGE_PAGE
  free.record.clean = 1
  const records = new PageStructs(KERNEL_BASE + 2 * LARGE_PAGE, KERNEL_BASE, KERNEL_BYTES)
  const small = new SmallPages(free, records, 0, total)
  createHartMemory(port, 1)
  small.create(port)
  const had: number[] = []
  let woken = 0
  small.attach(
    () => {
      const page = had.pop()
      if (page !== undefined) small.give(port, page)
      return page === undefined ? 0 : 1
    },
    () => woken++,
  )
  while (woken === 0) had.push(small.take(port))
  expect(had.length).toBeGreaterThan(total / 2)
  expect(had.length).toBeLessThan(total)
  for (let left = total; left > 0 && small.work(port) === 0; left--);
  expect(small.available()).toBeGreaterThanOrEqual(total / 64)
  had.length = 0
  for (let page = small.take(port); page !== 0; page = small.take(port));
  woken = 0
  expect(small.take(port)).toBe(0)
  expect(woken).toBe(0)
})

test('a vCPU fences each page that it was asked for once, and everything if it was asked for many', () => {
  const { port } = ramPort()
  const fenced: (number | undefined)[] = []
  const watched = { ...port, hfenceGvma: (address?: number) => fenced.push(address) } as unknown as typeof port
  const fences = new GuestFences()
  fences.create(port, 2)
  for (const page of [5, 9]) fences.add(port, 1, page * PAGE + 8)
  fences.pay(watched, 0)
  expect(fenced).toEqual([])
  fences.pay(watched, 1)
  fences.pay(watched, 1)
  expect(fenced).toEqual([(5 * PAGE) / 4, (9 * PAGE) / 4])
  for (let page = 0; page < 10; page++) fences.add(port, 1, page * PAGE)
  fences.pay(watched, 1)
  expect(fenced.slice(2)).toEqual([undefined])
})
