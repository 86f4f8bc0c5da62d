/** Cables between guests: two ends each, and what goes in at one comes out at the other. */
import { expect, test } from 'vitest'
import { decodeFdt, encodeFdt, fdtNode } from '../../../hw/spec/layouts/fdt.ts'
import { type GuestNode, guestNode, guestsOf } from '../../../hw/spec/layouts/guest-node.ts'
import { virtualCables } from '../../../vmm/core/virtual-cable.ts'
import { bench } from '../virtual/bench.ts'

const mac = (n: number) => [2, 0, 0, 0, 0, n]

/** Guests at the ends of these cables, as a device tree says it. */
function guests(...cables: readonly (readonly number[])[]): readonly GuestNode[] {
  const nodes = cables.map((own, guest) =>
    guestNode(guest, {
      label: `g${guest}`,
      memoryBytes: 2 ** 26,
      vcpus: 1,
      harts: [],
      weight: 256,
      cap: 0,
      kernel: { address: 0x8400_0000, bytes: 1 },
      bootargs: '',
      cables: own.map(cable => ({ cable, mac: mac(guest * 16 + cable) })),
    }),
  )
  const tree = fdtNode('', {}, [fdtNode('chosen', {}, [fdtNode('guests', {}, nodes)])])
  return guestsOf(decodeFdt(encodeFdt(tree)))
}

test('a frame comes out at the other end of its cable, nowhere else, and is lost if nobody takes it there', () => {
  const { port } = bench()
  let buffers = 0
  const { plugs, state } = virtualCables(guests([5, 6], [5], [6]), () => 0x1000 * ++buffers)
  expect(plugs.map(own => own.map(plug => plug.mac))).toEqual([[mac(5), mac(6)], [mac(21)], [mac(38)]])
  const heard: string[] = []
  const takes = [true, true, false]
  plugs.forEach((own, guest) =>
    own.forEach((plug, index) =>
      plug.backend.attach(
        (_port, address, bytes) => heard.push(`${guest}.${index} ${address} ${bytes}`) > 0 && takes[guest],
      ),
    ),
  )
  const places = plugs.flat().map(plug => plug.backend.buffer(port))
  expect(new Set(places).size).toBe(4)
  plugs[0][1].backend.transmit(port, 0x2000, 60)
  plugs[1][0].backend.transmit(port, 0x3000, 61)
  plugs[0][0].backend.transmit(port, 0x1000, 62)
  expect(heard).toEqual(['2.0 8192 60', '0.0 12288 61', '1.0 4096 62'])
  expect(state).toEqual({ cables: { forwarded: 2, lost: 1 } })
})

test.each([
  ['cable 3 has one end', [[3], []]],
  ['cable 1 has 3 ends', [[1], [1], [1]]],
  [
    'g0 is at the end of 6 cables: a guest has room for 5',
    [
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3],
      [4, 5, 6],
    ],
  ],
])('%s: refused', (why, cables) => {
  expect(() => virtualCables(guests(...cables), () => 0)).toThrow(why)
})
