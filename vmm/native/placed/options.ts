/** Which options of a placement a driver's place has; others are refused, where they are not as by default. Set-up. */
import { DEFAULT_PLACEMENT, type DriverPlacement, isPolled } from '../../../hw/spec/layouts/placement.ts'
import type { Ground } from '../ground.ts'

type Option = 'service' | 'coalescing' | 'depth' | 'queues' | 'hart' | 'transfer'
const OPTIONS: readonly Option[] = ['service', 'coalescing', 'depth', 'queues', 'hart', 'transfer']
/** What an NVMe controller's aggregation time, and a card's EITR, can say at the most: microseconds. */
const MOST_COALESCING = { disk: 25_500, 'network card': 8191 } as const

export type PlacedKind = keyof typeof MOST_COALESCING

/** Throws one line, naming what is there instead. */
export function checkOptions(device: PlacedKind, placement: DriverPlacement, known: readonly Option[]): void {
  const { at, service, coalescing } = placement
  for (const option of OPTIONS) {
    if (known.includes(option) || placement[option] === DEFAULT_PLACEMENT[option]) continue
    const there = known.length > 0 ? `it has ${known.join(', ')}` : 'the guest decides, but for interrupts "polled"'
    throw new Error(
      `the ${device}'s driver at "${at}" has no ${option} ${JSON.stringify(placement[option])}: leave it out; ${there}`,
    )
  }
  if (isPolled(placement) && coalescing > 0)
    throw new Error(
      `the ${device}'s driver has coalescing ${coalescing} and service "${service}", in which nothing interrupts: leave one of them out`,
    )
  const most = MOST_COALESCING[device]
  if (coalescing > most) throw new Error(`the ${device} has coalescing ${coalescing} µs: give ${most} or less`)
}

/** Throws one line if a driver cannot have the hart for itself. */
export function checkOwnHart(device: PlacedKind, hart: number, { harts, guests }: Ground): void {
  if (hart >= harts)
    throw new Error(`the ${device}'s driver is to have hart ${hart}, and there are ${harts}: give a lower number`)
  if (harts === 1)
    throw new Error(
      `the ${device}'s driver is to have hart ${hart}, and there is no other for guests: give the machine two`,
    )
  const pinned = guests.find(({ node }) => node.harts.includes(hart))
  if (pinned)
    throw new Error(
      `hart ${hart} is the ${device}'s driver's own, and ${pinned.node.label} is pinned to it: pin it to another`,
    )
}

/** The same of a driver in the VMM: the machine's interrupts are taken on hart 0, whoever is meant. */
export function checkVmmHart(device: PlacedKind, placement: DriverPlacement, ground: Ground): void {
  const { hart, service } = placement
  if (hart === undefined) return
  checkOwnHart(device, hart, ground)
  if (hart !== 0 && !isPolled(placement))
    throw new Error(
      `the ${device}'s driver at "vmm" is to have hart ${hart} and service "${service}", but interrupts are taken on hart 0: give hart 0, or service "polling"`,
    )
}
