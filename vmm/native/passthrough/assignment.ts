/** Which guest drives which of the machine's devices: the nth that has one gets the nth, unless it says which. Set-up. */
import type { GuestNode } from '../../../hw/spec/layouts/guest-node.ts'
import { type DriverPlacement, isPolled, type Placements } from '../../../hw/spec/layouts/placement.ts'
import type { OwnImages } from '../../core/guest-images.ts'

export interface Assignment {
  /** Index of the guest. */
  readonly guest: number
  readonly device: 'disk' | 'network'
  /** Of the NVMe controllers, of the network functions, or of the virtual functions of all cards. */
  readonly number: number
  readonly virtual: boolean
  readonly interrupts: DriverPlacement['interrupts']
}

const DEVICES = ['disk', 'network'] as const

/** True if guests drive such devices themselves. */
function isPassedThrough({ at }: DriverPlacement): boolean {
  return at === 'guest' || at === 'function'
}

/** True if the VMM has a virtual device for them in their place. */
export function isVirtual(placement: DriverPlacement): boolean {
  return !isPassedThrough(placement) && placement.at !== 'domain'
}

/** Throws one line if a device has two owners. */
export function assignmentsOf(nodes: readonly GuestNode[], placements: Placements): readonly Assignment[] {
  const assignments: Assignment[] = []
  for (const device of DEVICES) {
    const placement = placements[device]
    if (!isPassedThrough(placement)) continue
    if (placement.at === 'function' && placement.interrupts === 'trapped')
      throw new Error('a virtual function has no wire whose interrupts could be trapped: have them posted or polled')
    let next = 0
    for (const [guest, node] of nodes.entries()) {
      if (!node[device]) continue
      const number = node[device].device ?? next
      next++
      const other = assignments.find(taken => taken.device === device && taken.number === number)
      if (other)
        throw new Error(
          `${device} ${number} is driven by ${nodes[other.guest].label} and by ${node.label}: give each a device of its own`,
        )
      assignments.push({
        guest,
        device,
        number,
        virtual: placement.at === 'function',
        interrupts: placement.interrupts,
      })
    }
  }
  for (const [guest, { drives }] of nodes.entries()) {
    if (!drives) continue
    const interrupts = isPolled(placements[drives]) ? 'polled' : 'trapped'
    assignments.push({ guest, device: drives, number: 0, virtual: false, interrupts })
  }
  return assignments
}

/** What a guest's device tree says of devices that it drives itself; undefined if there are none. */
export function ownOf(assignments: readonly Assignment[], guest: number): OwnImages | undefined {
  const own = assignments.filter(assignment => assignment.guest === guest)
  if (own.length === 0) return undefined
  return {
    disk: own.some(({ device }) => device === 'disk'),
    network: own.some(({ device }) => device === 'network'),
    interrupts: own.some(({ interrupts }) => interrupts === 'posted')
      ? 'messages'
      : own.every(({ interrupts }) => interrupts === 'polled')
        ? 'silent'
        : 'wires',
  }
}
