import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nicDriver } from '../../drivers/nic.ts'
import type { Chip } from '../../hw/bus/chip.ts'
import { Cable } from '../../hw/devices/cable.ts'
import { NicController } from '../../hw/devices/nic/nic-controller.ts'
import { nic } from '../../hw/spec/devices/nic.ts'
import { BenchTime, plugged } from '../hw/devices/bench.ts'
import { FakeEnvironment } from './fake-environment.ts'
import { networkOwner } from './network-owner.ts'

const DEPTH = 6
const MAC = [0x02, 0x12, 0x34, 0x56, 0x78, 0x9a]

interface Options {
  readonly polled?: boolean
  readonly abandons?: () => boolean
  readonly interruptInterval?: number
  readonly queues?: number
  readonly adaptive?: boolean
}

/** The real card with the driver on it; at the far end of its cable, an array. */
function bench({ polled = false, abandons, interruptInterval = 0, queues = 1, adaptive = false }: Options = {}) {
  const time = new BenchTime()
  const cable: Cable = new Cable(
    'cable',
    time.clockFor(() => cable),
  )
  const chip: NicController = new NicController(
    'nic0',
    MAC,
    time.clockFor(() => chip),
  )
  const { host, memory, lines } = plugged(chip, { msix: false })
  const wire: Uint8Array[] = []
  chip.connect(cable, 0)
  cable.attach(1, { receive: frame => void wire.push(frame), carrier: () => {} })
  const bar = {
    swallows: (_offset: number): boolean => false,
    reads: (_offset: number): number | undefined => undefined,
  }
  const filtered: Chip = {
    read: (offset, bytes) => bar.reads(offset) ?? host.window32.read(offset, bytes),
    write: (offset, bytes, value) => {
      if (!bar.swallows(offset)) host.window32.write(offset, bytes, value)
    },
  }
  const env = new FakeEnvironment({
    chip: filtered,
    time,
    memory,
    lines: polled ? [] : [lines[1]],
    doorbells: [nic.TDT, nic.RDT],
    ...(abandons ? { abandons } : {}),
  })
  const owner = networkOwner(
    env,
    memory,
    made => nicDriver(made, { queueDepth: DEPTH, interruptInterval, queues, adaptive }),
    { polled },
  )
  const strays: string[] = []
  const read = memory.read.bind(memory)
  const write = memory.write.bind(memory)
  memory.read = (address, into) => {
    if (!env.owns(address, into.length) && !owner.lent(address, into.length))
      strays.push(`read ${address}+${into.length}`)
    return read(address, into)
  }
  memory.write = (address, from) => {
    if (!env.owns(address, from.length) && !owner.lent(address, from.length))
      strays.push(`write ${address}+${from.length}`)
    return write(address, from)
  }
  const start = (): boolean => owner.start() && owner.runUntil(() => env.enter(() => owner.card().linkUp()))
  return { cable, chip, bar, env, owner, wire, strays, start, arrive: (frame: Uint8Array) => void cable.send(1, frame) }
}

/** A broadcast, so that it passes the card's filter; at least the shortest frame, which the card would pad to. */
function frame(n: number, bytes: number): Uint8Array {
  return new Uint8Array(bytes).map((_, i) => (i < 6 ? 0xff : (n * 13 + i) & 0xff))
}

for (const options of [
  {},
  { polled: true },
  { interruptInterval: 50 },
  { queues: 3, adaptive: true },
] satisfies Options[]) {
  test(`82576 driver ${JSON.stringify(options)}: frames go out and come in, in order, and it stops without leaks`, () => {
    const { owner, env, wire, arrive, strays, start } = bench(options)
    expect(start()).toBe(true)
    expect(env.enter(() => owner.card().mac())).toEqual(MAC)
    for (let tag = 0; tag < DEPTH; tag++) expect(owner.offer(tag, true)).toBe(true)
    const received: Uint8Array[] = []
    for (let n = 0; n < 40; n++) {
      expect(owner.send(n % DEPTH, frame(n, 60 + 30 * n))).toBe(true)
      arrive(frame(n, 1514 - n))
      expect(owner.runUntil(() => owner.sent() === n + 1)).toBe(true)
      received.push(...owner.takeReceived())
    }
    owner.runUntil(() => {
      received.push(...owner.takeReceived())
      return received.length === 40
    })
    expect(wire).toEqual(Array.from({ length: 40 }, (_, n) => frame(n, 60 + 30 * n)))
    expect(received).toEqual(Array.from({ length: 40 }, (_, n) => frame(n, 1514 - n)))
    expect(owner.stop()).toBe(true)
    expect(env.leaks()).toBe(0)
    arrive(frame(1, 100))
    env.pass(10_000_000)
    expect(strays).toEqual([])
    expect(env.longest).toBeLessThan(300)
  })
}

/** UDP over IPv4 from a port: of a flow of its own. */
function datagram(port: number): Uint8Array {
  const bytes = frame(1, 64)
  bytes.set(
    [0x08, 0, 0x45, 0, 0, 50, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, port >> 8, port & 0xff, 0, 9],
    12,
  )
  return bytes
}

describe('82576 driver', () => {
  test.each([
    { queues: 1, others: 0 },
    { queues: 3, others: 4 },
  ])('with $queues queues, beside a flow that floods the card $others frames of others find a buffer', expected => {
    const { owner, arrive, env, start } = bench({ polled: true, queues: expected.queues })
    start()
    for (let tag = 0; tag < DEPTH; tag++) owner.offer(tag)
    for (let n = 0; n < 2 * DEPTH; n++) arrive(datagram(1000))
    for (let n = 0; n < 2 * DEPTH; n++) arrive(datagram(2000 + n))
    env.pass(100_000)
    env.enter(() => owner.card().poll(DEPTH))
    const others = owner.takeReceived().filter(bytes => bytes[35] !== (1000 & 0xff))
    expect(others).toHaveLength(expected.others)
  })

  test('what does not fit a frame or a buffer is refused', () => {
    const { owner, env, start } = bench()
    start()
    expect(owner.send(0, new Uint8Array(1600))).toBe(false)
    expect(env.enter(() => owner.card().provide(0, 0x8_0000, 1024))).toBe(false)
    for (let tag = 0; tag < DEPTH; tag++) expect(owner.offer(tag)).toBe(true)
    expect(owner.offer(0)).toBe(false)
  })

  test('buffers offered while frames are handed out are told to the card at once', () => {
    const { owner, env, bar, arrive, start } = bench({ polled: true })
    start()
    for (let tag = 0; tag < DEPTH; tag++) owner.offer(tag, true)
    for (let n = 0; n < DEPTH; n++) arrive(frame(n, 60))
    env.pass(1000)
    let tails = 0
    bar.swallows = offset => {
      if (offset === nic.RDT.at) tails += 1
      return false
    }
    expect(env.enter(() => owner.card().poll(DEPTH))).toBe(DEPTH)
    expect(tails).toBe(1)
  })

  test('sees the cable pulled out and put back', () => {
    const { owner, env, cable, start } = bench()
    start()
    cable.plug(false)
    expect(env.enter(() => owner.card().linkUp())).toBe(false)
    cable.plug(true)
    env.pass(10_000_000)
    expect(env.enter(() => owner.card().linkUp())).toBe(true)
  })

  test('a lost interrupt only delays frames', () => {
    const { owner, env, bar, start } = bench()
    start()
    bar.reads = offset => (offset === nic.ICR.at ? 0 : undefined)
    owner.send(0, frame(0, 60))
    expect(owner.runUntil(() => owner.sent() === 1)).toBe(true)
    expect(env.enter(() => owner.card().failure())).toBe('')
  })

  test('a transmitter that hangs is given up', () => {
    const { owner, env, bar, start } = bench()
    start()
    bar.swallows = offset => offset === nic.TDT.at
    owner.send(0, frame(0, 60))
    expect(env.run(() => env.enter(() => owner.card().failure()) === 'device lost')).toBe(true)
    expect(owner.stop()).toBe(true)
    expect(env.leaks()).toBe(0)
  })

  test('a card that has gone away is lost, and its memory is kept', () => {
    const { owner, env, bar, start } = bench()
    start()
    bar.reads = () => 0xffff_ffff
    expect(env.run(() => env.enter(() => owner.card().failure()) === 'device lost')).toBe(true)
    env.enter(() => owner.card().stop())
    expect(env.run(() => env.enter(() => owner.card().failure()) === 'the card does not stop')).toBe(true)
    expect(env.leaks()).toBeGreaterThan(0)
  })

  test('random traffic arrives once and in order, though entries are abandoned and the driver is remade', () => {
    const bytes = fc.integer({ min: 60, max: 1514 })
    const step = fc.oneof(
      fc.record({ send: fc.nat(DEPTH - 1), bytes }),
      fc.record({ arrive: bytes }),
      fc.constantFrom('remake', 'run'),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 3, max: 40 }), (steps, every) => {
        let calls = 0
        const { owner, env, wire, arrive, strays, start } = bench({ abandons: () => ++calls % every === 0 })
        expect(start()).toBe(true)
        for (let tag = 0; tag < DEPTH; tag++) owner.offer(tag, true)
        const sent: Uint8Array[] = []
        const arrived: Uint8Array[] = []
        let since = 0
        for (const [n, what] of steps.entries()) {
          if (what === 'remake') owner.remake()
          else if (what === 'run' || since === DEPTH) {
            env.pass(200)
            since = 0
          } else if ('send' in what) {
            const out = frame(n, what.bytes)
            if (owner.send(what.send, out)) sent.push(out)
          } else {
            arrived.push(frame(n, what.arrive))
            arrive(arrived.at(-1)!)
            since += 1
          }
        }
        env.pass(10_000)
        expect(wire).toEqual(sent)
        expect(owner.sent()).toBe(sent.length)
        expect(owner.takeReceived()).toEqual(arrived)
        expect(owner.stop()).toBe(true)
        expect(env.leaks()).toBe(0)
        expect(strays).toEqual([])
      }),
      { numRuns: 20 },
    )
  })
})
