/** A guest that writes all over its memory and ends, and one that needs more than was free before: it finds zeros. */
import { SBI_SRST } from '../../hw/spec/sbi.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import type { Program, Step, Topology } from './scenario.ts'

const LARGE_PAGE = 0x20_0000
const MEMORY_MIB = 48
/** Pages of 2 MiB that a guest has beside its first and those that its image and its device tree are in. */
export const ESTATE_PAGES: readonly number[] = Array.from({ length: 21 }, (_, index) => index + 2)
/** In a page: at its beginning, in its midst, at its end. */
const PLACES: readonly number[] = [0, 8, 0xf_fff8, 0x10_0000, 0x1f_f000, 0x1f_fff8]
/** Ticks after which the other has ended. */
const ENDED = 60_000

/** Together they are promised more than there is. */
export const OVERCOMMITTED: readonly Topology[] = [
  [0, 1],
  [0, 0],
].map(harts => ({
  vmm: 'native',
  harts: Math.max(...harts) + 1,
  ramMiB: 80,
  guests: harts.map(hart => ({ memoryMiB: MEMORY_MIB, vcpus: 1, harts: [hart], weight: 256, cap: 0 })),
}))

const address = (page: number, place: number) => GUEST_RAM + page * LARGE_PAGE + place

export function bequeaths(pages: readonly number[]): Program {
  return [
    ...pages.flatMap(page =>
      PLACES.map((place): Step => ({ op: 'store', bytes: 8, address: address(page, place), value: page * 0x101 + 7 })),
    ),
    { op: 'call', extension: SBI_SRST, function: 0, arguments: [0, 0] },
  ]
}

/** Looks at all of them, each time before it writes there, and again at the end. */
export function inherits(pages: readonly number[]): Program {
  const look = (page: number, place: number): Step => ({
    op: 'load',
    bytes: 8,
    signed: false,
    address: address(page, place),
  })
  return [
    { op: 'wait', ticks: ENDED },
    ...pages.flatMap(page => [
      ...PLACES.slice(1).map(place => look(page, place)),
      { op: 'store', bytes: 8, address: address(page, 0), value: page } as const,
    ]),
    ...pages.map(page => look(page, 0)),
  ]
}

/** What is wrong with what it saw, by its log, a line a step with the value first. */
export function foundInEstate(pages: readonly number[], log: readonly string[]): string | undefined {
  for (const [index, step] of inherits(pages).entries()) {
    if (step.op !== 'load') continue
    const page = Math.floor((Number(step.address) - GUEST_RAM) / LARGE_PAGE)
    const isOwn = index > pages.length * PLACES.length
    const seen = log[index]?.split(' ')[0] ?? 'nothing'
    if (Number(seen) === (isOwn ? page : 0)) continue
    const wanted = isOwn ? 'what it wrote there' : 'zeros of new memory'
    return `guest 0 finds ${seen} at 0x${Number(step.address).toString(16)}, instead of ${wanted}`
  }
  return undefined
}
