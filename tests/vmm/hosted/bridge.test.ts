/** The host's bridge: who gets which frame, and who is not believed. */
import { beforeEach, describe, expect, test } from 'vitest'
import { Bridge, stationOf } from '../../../vmm/hosted/network/bridge.ts'
import { ForwardingTable } from '../../../vmm/hosted/network/forwarding-table.ts'
import type { HostNetworkDevice } from '../../../vmm/hosted/network/network-device.ts'
import { packet, packetAt, Packets } from '../../../vmm/hosted/network/packets.ts'
import type { Taps } from '../../../vmm/hosted/network/taps.ts'
import { ramPort } from './ram-port.ts'

const A = [2, 0, 0, 0, 0, 1]
const B = [2, 0, 0, 0, 0, 2]
const C = [2, 0, 0, 0, 0, 3]
const OUTSIDE = [2, 9, 9, 9, 9, 9]
const ALL = [255, 255, 255, 255, 255, 255]
const VLAN = 7

describe('the bridge', () => {
  const { port } = ramPort()
  const packets = new Packets()
  const table = new ForwardingTable()
  const gone: string[] = []
  let send: (tap: number, number: number) => void = () => {}
  const textOf = (number: number) => {
    packets.free(port, number)
    return number
  }
  const device = {
    attach: () => {},
    transmit: (_port: unknown, number: number) => {
      textOf(number)
      gone.push('out')
    },
  } as unknown as HostNetworkDevice
  const taps = {
    attach: (forward: (p: typeof port, tap: number, number: number) => void) => {
      send = (tap, number) => forward(port, tap, number)
    },
    give: (_port: unknown, tap: number, number: number) => {
      textOf(number)
      gone.push(`tap ${tap}`)
    },
  } as unknown as Taps
  const stations = [stationOf(A, 0), stationOf(B, 0), stationOf(C, VLAN)]
  const bridge = new Bridge(stations, table, packets, device, taps)

  function frame(to: readonly number[], from: readonly number[], type = 0x0800, vlan = 0): number {
    const number = packets.take(port)
    const at = packetAt(number)
    const data = port.load64(at + packet.data.at)
    ;[...to, ...from, type >> 8, type & 0xff].forEach((byte, index) => port.store8(data + index, byte))
    port.store32(at + packet.length.at, 60)
    port.store32(at + packet.vlan.at, vlan)
    return number
  }
  const fromTap = (tap: number, ...what: Parameters<typeof frame>) => {
    send(tap, frame(...what))
    return gone.splice(0)
  }
  const fromOutside = (...what: Parameters<typeof frame>) => {
    bridge.receive(port, frame(...what))
    return gone.splice(0)
  }

  beforeEach(() => {
    bridge.create(port)
    Object.assign(bridge.record, { forwarded: 0, refused: 0, forged: 0 })
  })

  test('a frame goes to whose address it bears, within the VLAN; else out', () => {
    expect(fromTap(0, B, A)).toEqual(['tap 1'])
    expect(fromTap(0, C, A)).toEqual(['out'])
    expect(fromTap(0, OUTSIDE, A)).toEqual(['out'])
    expect(fromTap(0, A, A)).toEqual([])
    expect(fromOutside(B, OUTSIDE)).toEqual(['tap 1'])
    expect(fromOutside(C, OUTSIDE)).toEqual([])
    expect(fromOutside(C, OUTSIDE, 0x0800, VLAN)).toEqual(['tap 2'])
  })

  test('a group is everybody in the VLAN, and outside', () => {
    expect(fromTap(0, ALL, A)).toEqual(['tap 1', 'out'])
    expect(fromTap(2, ALL, C)).toEqual(['out'])
    expect(fromOutside(ALL, OUTSIDE)).toEqual(['tap 0', 'tap 1'])
  })

  test("nobody sends from another's address, nor with a tag of his own; outside nobody has a guest's", () => {
    expect(fromTap(0, B, C)).toEqual([])
    expect(fromTap(0, ALL, OUTSIDE)).toEqual([])
    expect(fromTap(0, B, A, 0x8100)).toEqual([])
    expect(fromTap(0, B, A, 0x88a8)).toEqual([])
    expect(fromOutside(B, A)).toEqual([])
    expect(bridge.record).toMatchObject({ forged: 3, refused: 2, forwarded: 0 })
  })

  test('no packet is lost from the slab, whatever became of it', () => {
    for (let turn = 0; turn < 500; turn++) {
      fromTap(turn % 3, turn % 2 === 0 ? ALL : OUTSIDE, [A, B, C][turn % 3])
      fromTap(0, B, OUTSIDE)
      fromOutside(ALL, turn % 2 === 0 ? OUTSIDE : A)
    }
    expect(packets.record.refused).toBe(0)
  })
})
