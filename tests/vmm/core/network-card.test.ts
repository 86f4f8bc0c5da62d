/** The way out of the virtual switch: tags of VLANs on the wire, and none in a guest. */
import { expect, test } from 'vitest'
import type { NetworkDevice } from '../../../drivers/environment.ts'
import { PortEnvironment } from '../../../drivers/port-environment.ts'
import { VirtualSwitch } from '../../../vmm/core/virtual-switch.ts'
import { NETWORK_DEPTH, NetworkCard } from '../../../vmm/core/network-card.ts'
import { bench, OWN } from '../virtual/bench.ts'

const CARD = [0x52, 0x54, 0, 0, 0, 1]
const OUTSIDE = [2, 0, 0, 0, 0, 9]
const BODY = Array.from({ length: 46 }, (_, index) => index)
const frame = (to: readonly number[], from: readonly number[], ...tag: number[]) =>
  Uint8Array.of(...to, ...from, ...tag, 8, 0, ...BODY)

function uplink(vlan: number) {
  const { port, own } = bench()
  const current = { port }
  const environment = new PortEnvironment({
    current,
    name: 'nic',
    registers: 0,
    dma: { base: OWN, device: OWN, bytes: own.bytes.length },
    interrupts: [],
    now: () => 0,
    wakeAt: () => {},
  })
  const at = (address: number, bytes: number) => own.bytes.slice(address - OWN, address - OWN + bytes)
  const sent: Uint8Array[] = []
  const busy = new Set<number>()
  const provided = new Map<number, number>()
  let transmitted: (tag: number) => void = () => {}
  let received: (tag: number, bytes: number) => void = () => {}
  const driver: NetworkDevice = {
    depth: NETWORK_DEPTH,
    start: () => {},
    ready: () => true,
    failure: () => '',
    stop: () => {},
    stopped: () => false,
    mac: () => CARD,
    linkUp: () => true,
    poll: () => 0,
    transmit(tag, address, bytes) {
      if (busy.has(tag)) throw new Error(`sending buffer ${tag} is not free`)
      busy.add(tag)
      sent.push(at(address, bytes))
      return true
    },
    provide: (tag, address) => provided.set(tag, address).size > 0,
    onTransmitted: heard => void (transmitted = heard),
    onReceived: heard => void (received = heard),
  }
  const bus = { findClass: () => -1, find: () => 2, enable: () => {}, disable: () => {}, wire: () => 2 }
  const controller = {
    start: () => {},
    ready: () => true,
    failure: () => '',
    enable: () => {},
    disable: () => {},
    threshold: () => {},
    claim: () => 0,
    complete: () => {},
  }
  const virtualSwitch = new VirtualSwitch()
  const network = new NetworkCard(current, environment, driver, bus, controller, 0, virtualSwitch)
  virtualSwitch.connect(network)
  const card = virtualSwitch.plug(CARD, vlan)
  const delivered: Uint8Array[] = []
  card.attach((_port, address, bytes) => delivered.push(at(address, bytes)) > 0)
  network.start()
  network.elapsed()
  return {
    sent,
    delivered,
    network,
    send(bytes: Uint8Array) {
      const address = card.buffer(port)
      own.bytes.set(bytes, address - OWN)
      card.transmit(port, address, bytes.length)
    },
    finish: () => {
      for (const tag of busy) transmitted(tag)
      busy.clear()
    },
    arrive(bytes: Uint8Array) {
      const [[tag, address]] = provided as unknown as [[number, number]]
      provided.delete(tag)
      own.bytes.set(bytes, address - OWN)
      received(tag, bytes.length)
    },
  }
}

test('a frame of VLAN 0 goes out and comes in as it is', () => {
  const { send, sent, arrive, delivered } = uplink(0)
  send(frame(OUTSIDE, CARD))
  expect(sent).toEqual([frame(OUTSIDE, CARD)])
  arrive(frame(CARD, OUTSIDE))
  expect(delivered).toEqual([frame(CARD, OUTSIDE)])
  arrive(frame(CARD, OUTSIDE, 0x81, 0, 0, 7))
  expect(delivered.length).toBe(1)
})

test('a frame of another VLAN carries its tag outside, and loses it on the way in', () => {
  const { send, sent, arrive, delivered } = uplink(0x123)
  send(frame(OUTSIDE, CARD))
  expect(sent).toEqual([frame(OUTSIDE, CARD, 0x81, 0, 0x01, 0x23)])
  arrive(frame(CARD, OUTSIDE, 0x81, 0, 0xa1, 0x23))
  expect(delivered).toEqual([frame(CARD, OUTSIDE)])
  arrive(frame(CARD, OUTSIDE))
  expect(delivered.length).toBe(1)
})

test('when the card has all buffers, frames are lost, and none is overwritten', () => {
  const { send, sent, finish, network } = uplink(0)
  for (let n = 0; n < NETWORK_DEPTH + 5; n++) send(frame(OUTSIDE, CARD))
  expect(sent.length).toBe(NETWORK_DEPTH)
  expect(network.state['network']).toMatchObject({ lost: 5 })
  finish()
  send(frame(OUTSIDE, CARD))
  expect(sent.length).toBe(NETWORK_DEPTH + 1)
})
