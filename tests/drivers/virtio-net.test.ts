import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { virtioNet } from '../../drivers/virtio-net.ts'
import { VIRTIO_F, VIRTIO_ID, virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import {
  VIRTIO_NET_F,
  VIRTIO_NET_RECEIVEQ,
  VIRTIO_NET_TRANSMITQ,
  virtioNetHdr,
} from '../../hw/spec/layouts/virtio-net.ts'
import { virtqUsed } from '../../hw/spec/layouts/virtqueue.ts'
import { BenchMemory, BenchTime } from '../hw/devices/bench.ts'
import { FakeEnvironment } from './fake-environment.ts'
import { networkOwner } from './network-owner.ts'
import { VirtioModel } from './virtio-model.ts'

const DEPTH = 4
/** Entries of each queue: two a buffer. */
const SIZE = 8
const MAC = [0x52, 0x54, 0, 0x12, 0x34, 0x56]
const HEADER = virtioNetHdr.size
const BASE = (1 << VIRTIO_NET_F.MAC) | (1 << VIRTIO_NET_F.STATUS)

interface Options {
  readonly features?: number
  readonly polled?: boolean
  readonly abandons?: () => boolean
}

/** A card whose far end is an array: what the driver sends is in `wire`, `arrive` is what comes in. */
function bench({ features = BASE, polled = false, abandons }: Options = {}) {
  const time = new BenchTime()
  const memory = new BenchMemory()
  const config = Uint8Array.of(...MAC, 1, 0)
  const wire: Uint8Array[] = []
  const model = new VirtioModel(
    {
      id: VIRTIO_ID.network,
      features,
      queues: 2,
      config,
      serve(queue, { segments }) {
        if (queue === VIRTIO_NET_RECEIVEQ) return undefined
        const [header, frame] = segments
        if (
          header.bytes !== HEADER ||
          memory.bytes.slice(header.address, header.address + HEADER).some(byte => byte !== 0)
        )
          throw new Error('header')
        wire.push(memory.bytes.slice(frame.address, frame.address + frame.bytes))
        return 0
      },
    },
    time,
    memory,
  )
  const arrive = (frame: Uint8Array): boolean => {
    const [chain] = model.kept(VIRTIO_NET_RECEIVEQ)
    if (!chain) return false
    memory.bytes[chain.segments[0].address + virtioNetHdr.num_buffers.at] = 1
    memory.bytes.set(frame, chain.segments[1].address)
    model.use(VIRTIO_NET_RECEIVEQ, chain, HEADER + frame.length)
    return true
  }
  const env = new FakeEnvironment({
    chip: model,
    time,
    memory,
    lines: polled ? [] : [model],
    doorbells: [virtioMmio.QueueNotify],
    ...(abandons ? { abandons } : {}),
  })
  const owner = networkOwner(env, memory, made => virtioNet(made, { queueDepth: DEPTH }), { polled })
  return { model, memory, owner, env, wire, arrive, config }
}

const frame = (n: number, bytes: number): Uint8Array => new Uint8Array(bytes).map((_, i) => (n * 13 + i) & 0xff)

for (const options of [{}, { features: BASE | (1 << VIRTIO_F.EVENT_IDX) }, { polled: true }] satisfies Options[]) {
  test(`virtio-net ${JSON.stringify(options)}: frames go out and come in, in order, and it stops without leaks`, () => {
    const { owner, env, wire, arrive } = bench(options)
    expect(owner.start()).toBe(true)
    expect(env.enter(() => owner.card().mac())).toEqual(MAC)
    expect(env.enter(() => owner.card().linkUp())).toBe(true)
    for (let tag = 0; tag < DEPTH; tag++) expect(owner.offer(tag, true)).toBe(true)
    env.pass(10)
    for (let n = 0; n < 50; n++) {
      expect(owner.send(n % DEPTH, frame(n, 60 + n))).toBe(true)
      expect(owner.runUntil(() => owner.sent() === n + 1)).toBe(true)
      expect(arrive(frame(n, 100 + n))).toBe(true)
      env.pass(10)
      if (options.polled) env.enter(() => owner.card().poll(8))
      env.pass(10)
    }
    expect(wire).toEqual(Array.from({ length: 50 }, (_, n) => frame(n, 60 + n)))
    expect(owner.takeReceived()).toEqual(Array.from({ length: 50 }, (_, n) => frame(n, 100 + n)))
    expect(owner.stop()).toBe(true)
    expect(env.leaks()).toBe(0)
  })
}

describe('virtio-net', () => {
  test('follows the link through configuration changes', () => {
    const { owner, env, model, config } = bench()
    owner.start()
    config[6] = 0
    model.changeConfiguration()
    env.run()
    expect(env.enter(() => owner.card().linkUp())).toBe(false)
  })

  test('a used length beyond the buffer loses the device', () => {
    const { owner, env, model } = bench()
    owner.start()
    owner.offer(0)
    env.run()
    model.use(VIRTIO_NET_RECEIVEQ, model.kept(VIRTIO_NET_RECEIVEQ)[0], HEADER + 2049)
    env.run()
    expect(owner.takeReceived()).toEqual([])
    expect(env.enter(() => owner.card().failure())).toBe('device lost')
    expect(model.read(virtioMmio.Status.at, 4)).toBe(0)
    expect(owner.send(0, frame(0, 60))).toBe(false)
  })

  test('a chain that was never offered loses the device', () => {
    const { owner, env, model } = bench()
    owner.start()
    owner.send(0, frame(0, 60))
    model.use(VIRTIO_NET_TRANSMITQ, { head: 4, segments: [] }, 0)
    env.run()
    expect(env.enter(() => owner.card().failure())).toBe('device lost')
  })

  test('a used index beyond what was offered hands out nothing, whatever older entries say', () => {
    const { owner, env, model, arrive, memory } = bench()
    owner.start()
    owner.offer(0, true)
    env.run()
    arrive(frame(0, 60))
    env.run()
    expect(owner.takeReceived()).toHaveLength(1)
    model.forge(VIRTIO_NET_RECEIVEQ, used => memory.view.setUint16(used + virtqUsed.idx.at, 1 + SIZE, true))
    env.run()
    expect(owner.takeReceived()).toEqual([])
    expect(env.enter(() => owner.card().failure())).toBe('device lost')
  })

  test('a frame that arrives while the driver is looking is not left lying (EVENT_IDX)', () => {
    let calls = 0
    // The handler's calls are abandoned one after the other, and the device goes on each time.
    const { owner, env, arrive, model } = bench({
      features: BASE | (1 << VIRTIO_F.EVENT_IDX),
      abandons: () => (++calls, true),
    })
    owner.start()
    for (let tag = 0; tag < DEPTH; tag++) owner.offer(tag, true)
    env.run()
    let count = 0
    const more = () => {
      if (count < 40 && arrive(frame(count, 60))) count += 1
      if (count < 40) later()
    }
    const clock = model.clock(more)
    const later = () => void clock.at(clock.now() + 50, 'arrive')
    more()
    env.run(() => count === 40)
    env.run()
    expect(owner.takeReceived()).toHaveLength(40)
    expect(calls).toBeGreaterThan(40)
  })

  test('random traffic arrives once and in order, though entries are abandoned and the driver is remade', () => {
    const step = fc.oneof(
      fc.record({ send: fc.nat(DEPTH - 1), bytes: fc.integer({ min: 60, max: 1514 }) }),
      fc.record({ arrive: fc.integer({ min: 60, max: 1514 }) }),
      fc.constantFrom('remake', 'run'),
    )
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80 }),
        fc.boolean(),
        fc.integer({ min: 2, max: 40 }),
        (steps, events, every) => {
          let calls = 0
          const { owner, env, wire, arrive } = bench({
            features: events ? BASE | (1 << VIRTIO_F.EVENT_IDX) : BASE,
            abandons: () => ++calls % every === 0,
          })
          expect(owner.start()).toBe(true)
          for (let tag = 0; tag < DEPTH; tag++) owner.offer(tag, true)
          env.run()
          const sent: Uint8Array[] = []
          const arrived: Uint8Array[] = []
          for (const [n, what] of steps.entries()) {
            if (what === 'remake') owner.remake()
            else if (what === 'run') env.run()
            else if ('send' in what) {
              const out = frame(n, what.bytes)
              if (owner.send(what.send, out)) sent.push(out)
            } else {
              const incoming = frame(n, what.arrive)
              if (arrive(incoming)) arrived.push(incoming)
            }
          }
          env.run()
          expect(wire).toEqual(sent)
          expect(owner.sent()).toBe(sent.length)
          expect(owner.takeReceived()).toEqual(arrived)
          expect(owner.stop()).toBe(true)
          expect(env.leaks()).toBe(0)
        },
      ),
      { numRuns: 40 },
    )
  })
})
