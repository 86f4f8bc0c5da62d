/** How the host divides the machine's memory: what it keeps, by what for, and what there is to give. Set-up. */
import type { HartPort } from '../../hw/port.ts'
import type { Fdt } from '../../hw/spec/layouts/fdt.ts'
import { inPageOrder, pagesLeftOut, smallPageOrder } from '../../hw/spec/layouts/page-order.ts'
import { FreeMemory } from '../core/free-memory.ts'
import { behindImages, type GuestImages } from '../core/guest-images.ts'
import { LARGE_PAGE, SMALL_PAGE } from '../core/g-stage.ts'
import { freePages } from '../core/machine-tree.ts'
import type { AddressSpace } from './address-space.ts'
import { KERNEL_BASE, KERNEL_BYTES, pagePool } from './layout.ts'
import { CACHE_PAGE, CACHE_PAGES, PageCache } from './page-cache.ts'
import { pageStructBytes, PageStructs } from './page-structs.ts'
import { IN_A_LARGE, SmallPages } from './small-pages.ts'
import { AnonymousMemory } from './memory/anonymous.ts'
import { Areas } from './memory/areas.ts'
import { MemoryGroups, PROGRAMS_GROUP } from './memory/groups.ts'
import { DeviceMemory } from './memory/device-memory.ts'
import { GuestFences } from './memory/guest-fences.ts'
import { GuestMapping } from './memory/guest-mapping.ts'
import { Reclaim } from './memory/reclaim.ts'
import { UserPages } from './memory/user-pages.ts'

const RAM_BASE = 0x8000_0000

/** A part of the memory that guests cannot have. */
export interface MemoryKept {
  readonly what: string
  readonly bytes: number
}

export interface DividedMemory {
  readonly cache: PageCache
  readonly pageStructs: PageStructs
  readonly free: FreeMemory
  readonly small: SmallPages
  readonly areas: Areas
  readonly groups: MemoryGroups
  readonly anonymous: AnonymousMemory
  readonly users: UserPages
  readonly mapping: GuestMapping
  readonly fences: GuestFences
  readonly devices: DeviceMemory
  /** Of the machine, in pages of 4 KiB. */
  readonly pages: number
  readonly kept: readonly MemoryKept[]
}

/** For a process a guest, with what is in its memory first. */
export function divideMemory(tree: Fdt, harts: number, images: readonly GuestImages[]): DividedMemory {
  const processes = images.length
  const taken = new Set(images.flatMap(({ donated }) => donated.map(({ page }) => page)))
  const { pages, total } = freePages(tree, KERNEL_BASE + KERNEL_BYTES, taken)
  const cache = new PageCache(takeLarge(pages, CACHE_PAGES * CACHE_PAGE, 'page cache'))
  const ram = total * LARGE_PAGE
  const pageStructs = new PageStructs(takeLarge(pages, pageStructBytes(ram), 'records of pages'), RAM_BASE, ram)
  const pool = pagePool(processes)
  const firstPage = pool.base + pagesLeftOut(tree) * SMALL_PAGE
  const free = new FreeMemory(inPageOrder(tree, pages), firstPage, pool.end, total, behindImages(images))
  const small = new SmallPages(free, pageStructs, smallPageOrder(tree, IN_A_LARGE), ram / SMALL_PAGE)
  const areas = new Areas()
  const groups = new MemoryGroups(harts)
  const anonymous = new AnonymousMemory(free, small, pageStructs, groups)
  const users = new UserPages(pageStructs)
  const fences = new GuestFences()
  const mapping = new GuestMapping(users, pageStructs, fences)
  return {
    cache,
    pageStructs,
    free,
    small,
    areas,
    groups,
    anonymous,
    users,
    mapping,
    fences,
    devices: new DeviceMemory(RAM_BASE + ram),
    pages: ram / SMALL_PAGE,
    kept: memoryKept(ram),
  }
}

/** Who takes pages back, and who is told of what. Set-up. */
export function connectMemory(
  { pageStructs, anonymous, groups, small, fences }: DividedMemory,
  spaceOf: (number: number) => AddressSpace,
  wakeReclaimer: (port: HartPort) => void,
  interrupt: (port: HartPort, hart: number) => void,
): void {
  const reclaim = new Reclaim(pageStructs, anonymous, spaceOf)
  groups.attach((port, group) => reclaim.attempt(port, group))
  small.attach(port => reclaim.attempt(port, PROGRAMS_GROUP), wakeReclaimer)
  fences.attach(interrupt)
}

/** Takes memory of the kernel's own from the free pages: the lowest, which must lie together. Returns its address. */
function takeLarge(pages: number[], bytes: number, what: string): number {
  const count = Math.ceil(bytes / LARGE_PAGE)
  const taken = pages.splice(Math.max(0, pages.length - count)).reverse()
  const [first] = taken
  if (taken.length < count || taken.some((page, index) => page !== first + index * LARGE_PAGE)) {
    throw new Error(
      `no ${count * (LARGE_PAGE / 2 ** 20)} MiB in one piece for the host's ${what}: give more RAM, or load images higher`,
    )
  }
  return first
}

/** What guests cannot have of the machine's RAM. */
function memoryKept(ram: number): readonly MemoryKept[] {
  const whole = (bytes: number) => Math.ceil(bytes / LARGE_PAGE) * LARGE_PAGE
  return [
    { what: 'firmware', bytes: KERNEL_BASE - RAM_BASE },
    { what: 'kernel: image, tables, DMA memory, page tables', bytes: KERNEL_BYTES },
    { what: 'page cache', bytes: whole(CACHE_PAGES * CACHE_PAGE) },
    { what: 'records of pages', bytes: whole(pageStructBytes(ram)) },
  ]
}
