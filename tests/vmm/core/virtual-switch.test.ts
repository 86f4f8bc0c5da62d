/** Which card gets which frame: by address and VLAN, and never one that its sender may not send. */
import { expect, test } from 'vitest'
import { VirtualSwitch } from '../../../vmm/core/virtual-switch.ts'
import { bench, OWN } from '../virtual/bench.ts'

const MACS = [1, 2, 3, 4].map(n => [0x52, 0x54, 0, 0, 0, n])
const VLANS = [0, 0, 7, 7]
const OUTSIDE = [2, 0, 0, 0, 0, 9]
const EVERYBODY = [255, 255, 255, 255, 255, 255]

function network() {
  const { port, own } = bench()
  const virtualSwitch = new VirtualSwitch()
  const out: string[] = []
  virtualSwitch.connect({
    buffer: () => OWN + 8,
    send: (_port, _address, bytes, vlan) => void out.push(`out ${vlan} ${bytes}`),
  })
  const cards = MACS.map((mac, n) => {
    const card = virtualSwitch.plug(mac, VLANS[n])
    card.attach((_port, _address, bytes) => out.push(`card ${n} ${bytes}`) > 0)
    return card
  })
  const put = (at: number, to: readonly number[], from: readonly number[], type: readonly number[]) =>
    own.bytes.set([...to, ...from, ...type], at)
  return {
    record: virtualSwitch.record,
    /** Who got the frame that card `n` sent. */
    send(
      n: number,
      to: readonly number[],
      { from = MACS[n], type = [8, 0] }: { from?: readonly number[]; type?: readonly number[] } = {},
    ) {
      out.length = 0
      const at = cards[n].buffer(port)
      put(at - OWN, to, from, type)
      cards[n].transmit(port, at, 60)
      return out.slice()
    },
    arrive(to: readonly number[], from: readonly number[], vlan: number) {
      out.length = 0
      put(8, to, from, [8, 0])
      virtualSwitch.receive(port, OWN + 8, 60, vlan)
      return out.slice()
    },
  }
}

test('a frame goes to the card with its address, and to nobody else', () => {
  const { send } = network()
  expect(send(0, MACS[1])).toEqual(['card 1 60'])
  expect(send(3, MACS[2])).toEqual(['card 2 60'])
})

test('a broadcast goes to the others of the VLAN, and out with its tag', () => {
  const { send } = network()
  expect(send(0, EVERYBODY)).toEqual(['card 1 60', 'out 0 60'])
  expect(send(2, EVERYBODY)).toEqual(['card 3 60', 'out 7 60'])
  expect(send(1, [1, 0, 0x5e, 0, 0, 1])).toEqual(['card 0 60', 'out 0 60'])
})

test('nothing from one VLAN reaches another', () => {
  const { send, arrive } = network()
  for (let from = 0; from < 4; from++) {
    for (const to of [...MACS, EVERYBODY, OUTSIDE]) {
      for (const line of send(from, to)) {
        if (line.startsWith('card')) expect(VLANS[Number(line[5])]).toBe(VLANS[from])
        else expect(line).toBe(`out ${VLANS[from]} 60`)
      }
    }
  }
  expect(arrive(EVERYBODY, OUTSIDE, 7)).toEqual(['card 2 60', 'card 3 60'])
  expect(arrive(MACS[0], OUTSIDE, 7)).toEqual([])
  expect(arrive(EVERYBODY, OUTSIDE, 9)).toEqual([])
})

test('a guest cannot send from another address, nor tag its frames', () => {
  const { send, record } = network()
  expect(send(0, MACS[1], { from: MACS[1] })).toEqual([])
  expect(send(0, EVERYBODY, { from: OUTSIDE })).toEqual([])
  expect(record.forged).toBe(2)
  expect(send(0, EVERYBODY, { type: [0x81, 0] })).toEqual([])
  expect(send(0, OUTSIDE, { type: [0x88, 0xa8] })).toEqual([])
  expect(record.refused).toBe(2)
})

test("a frame from outside is for a guest, or for nobody; one with a guest's address as its source is forged", () => {
  const { arrive, send } = network()
  expect(arrive(MACS[1], OUTSIDE, 0)).toEqual(['card 1 60'])
  expect(arrive(OUTSIDE, OUTSIDE, 0)).toEqual([])
  expect(arrive(MACS[1], MACS[0], 0)).toEqual([])
  expect(send(1, OUTSIDE)).toEqual(['out 0 60'])
})
