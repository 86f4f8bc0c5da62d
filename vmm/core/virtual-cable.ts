/**
 * Cables between guests: what a card at one end sends, the card at the other end receives, whatever it is. Nobody else
 * hears of it, and a frame for which the other guest has offered no buffer is lost.
 */
import type { StateRecord } from '../../hw/port.ts'
import { GUEST_CABLES } from '../../hw/spec/guest-map.ts'
import type { GuestNode } from '../../hw/spec/layouts/guest-node.ts'
import type { NetworkBackend } from '../virtual/chip.ts'
import type { NetworkPlug } from './devices.ts'

interface End {
  readonly guest: number
  readonly cable: number
  readonly mac: readonly number[]
  deliver: Parameters<NetworkBackend['attach']>[0]
}

export interface VirtualCables {
  /** The cards of each guest, by its index. */
  readonly plugs: readonly (readonly NetworkPlug[])[]
  /** Frames by what became of them. */
  readonly state: Readonly<Record<string, StateRecord>>
}

/** `buffer` gives memory of the VMM's for a frame, once for each end. Throws one line if a cable has not two ends. Set-up. */
export function virtualCables(nodes: readonly GuestNode[], buffer: () => number): VirtualCables {
  const record = { forwarded: 0, lost: 0 }
  const ends = nodes.flatMap((node, guest) =>
    (node.cables ?? []).map(({ cable, mac }): End => ({ guest, cable, mac, deliver: () => false })),
  )
  for (const { cable } of ends) {
    const count = ends.filter(end => end.cable === cable).length
    if (count !== 2)
      throw new Error(`cable ${cable} has ${count === 1 ? 'one end' : `${count} ends`}: it joins two network cards`)
  }
  for (const { label, cables = [] } of nodes)
    if (cables.length > GUEST_CABLES.most)
      throw new Error(`${label} is at the end of ${cables.length} cables: a guest has room for ${GUEST_CABLES.most}`)
  const plugs = ends.map((own): NetworkPlug => {
    const other = ends.find(end => end.cable === own.cable && end !== own)!
    const place = buffer()
    return {
      mac: own.mac,
      backend: {
        buffer: () => place,
        transmit: (port, address, bytes) => {
          if (other.deliver(port, address, bytes)) record.forwarded++
          else record.lost++
        },
        attach: deliver => {
          own.deliver = deliver
        },
      },
    }
  })
  return {
    plugs: nodes.map((_, guest) => plugs.filter((_plug, index) => ends[index].guest === guest)),
    state: ends.length > 0 ? { cables: record } : {},
  }
}
