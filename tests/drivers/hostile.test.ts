/**
 * Devices that mean harm: they answer register reads with anything, write anything into the memory they were given and
 * interrupt at will. The environment fails on memory touched outside of a buffer and on an entry without end, the
 * owners on an answer to nothing; what is left to be seen here is that nothing throws, and that a driver can always be stopped.
 */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nicDriver } from '../../drivers/nic.ts'
import { nvmeDriver } from '../../drivers/nvme.ts'
import { uartDriver } from '../../drivers/uart.ts'
import { virtioBlk } from '../../drivers/virtio-blk.ts'
import { virtioConsole } from '../../drivers/virtio-console.ts'
import { virtioNet } from '../../drivers/virtio-net.ts'
import type { Chip } from '../../hw/bus/chip.ts'
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import { NicController } from '../../hw/devices/nic/nic-controller.ts'
import { NvmeController } from '../../hw/devices/nvme/nvme-controller.ts'
import { VIRTIO_ID, virtioMmio } from '../../hw/spec/devices/virtio-mmio.ts'
import { virtqUsed, virtqUsedElem } from '../../hw/spec/layouts/virtqueue.ts'
import { BenchMemory, BenchTime, plugged } from '../hw/devices/bench.ts'
import { blockOwner } from './block-owner.ts'
import { FakeEnvironment } from './fake-environment.ts'
import { networkOwner } from './network-owner.ts'

const DEPTH = 4
const ROUNDS = 120

/** A seeded stream of numbers below `limit`. */
function chance(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return limit => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** Numbers that indices, lengths and flags are made of, and some that they are not. */
function nasty(random: (limit: number) => number): number {
  const kinds = [
    0,
    1,
    random(8),
    random(256),
    0xffff,
    0xffff_ffff,
    random(2 ** 32),
    ((random(2) << 16) | random(DEPTH + 2)) >>> 0,
    0x3 | (random(4096) << 16),
  ]
  return kinds[random(kinds.length)]
}

/** A line and a chip in the hands of an enemy; `trust` is how often it behaves. */
interface Enemy {
  readonly line: { level: boolean }
  readonly chip: Chip
  /** Does something bad. */
  act(env: FakeEnvironment): void
  /** From here on it behaves, so that it can be stopped. */
  relent(): void
}

interface Parts {
  readonly time: BenchTime
  readonly memory: BenchMemory
  readonly enemy: Enemy
}

/** A real chip whose register reads and memory are tampered with. */
function tampered(
  chip: Chip,
  memory: BenchMemory,
  honest: { readonly level: boolean },
  random: (limit: number) => number,
): Enemy {
  let relented = false
  let storming = false
  const line = {
    get level() {
      return relented ? honest.level : honest.level || storming
    },
  }
  return {
    line: line,
    chip: {
      read: (offset, bytes) => {
        const value = chip.read(offset, bytes)
        return relented || random(40) > 0 ? value : nasty(random) % 2 ** (8 * bytes)
      },
      write: (offset, bytes, value) => chip.write(offset, bytes, value),
    },
    act(env) {
      const buffers = env.buffers()
      const buffer = buffers[random(buffers.length)]
      storming = random(8) === 0
      if (!buffer || random(3) === 0) return
      const entry =
        buffer.at + random(Math.floor(Math.min(random(5) === 0 ? buffer.bytes : 192, buffer.bytes) / 16)) * 16
      // The last two words of 16 bytes say that something is done, and how, in completions and descriptors alike.
      memory.view.setUint32(entry + 8, (nasty(random) & 0xffff) | random(4), true)
      if (random(2) === 0) memory.view.setUint32(entry + 12, nasty(random), true)
    },
    relent: () => void (relented = true),
  }
}

/** A virtio device that knows where its rings are and writes lies into them. */
function lyingVirtio(id: number, memory: BenchMemory, random: (limit: number) => number): Enemy {
  let relented = false
  let status = 0
  let selected = 0
  const ready = [0, 0, 0, 0]
  const rings = [0, 0, 0, 0]
  const used = [0, 0, 0, 0]
  const sizes = [1, 1, 1, 1]
  const line = { level: false }
  return {
    line,
    chip: {
      read(offset, bytes) {
        if (offset === virtioMmio.MagicValue.at) return virtioMmio.MagicValue.reset
        if (offset === virtioMmio.Version.at) return 2
        if (offset === virtioMmio.DeviceID.at) return id
        if (offset === virtioMmio.DeviceFeatures.at) return (nasty(random) | 1) >>> 0
        if (offset === virtioMmio.Status.at) return relented || random(30) > 0 ? status : nasty(random)
        if (offset === virtioMmio.QueueNumMax.at) return random(30) > 0 ? 256 : nasty(random)
        if (offset === virtioMmio.QueueReady.at) return ready[selected]
        if (offset === virtioMmio.InterruptStatus.at) return line.level ? nasty(random) | 1 : 0
        return random(4) === 0 ? nasty(random) % 2 ** (8 * bytes) : [4, 16, 64][random(3)]
      },
      write(offset, _bytes, value) {
        if (offset === virtioMmio.Status.at) {
          status = value
          if (value === 0) ready.fill(0)
        } else if (offset === virtioMmio.QueueSel.at) selected = value & 3
        else if (offset === virtioMmio.QueueReady.at) ready[selected] = value
        else if (offset === virtioMmio.QueueNum.at) sizes[selected] = value
        else if (offset === virtioMmio.QueueDeviceLow.at) rings[selected] = value
        else if (offset === virtioMmio.InterruptACK.at) line.level = random(6) === 0
      },
    },
    act(env) {
      const queue = random(3)
      const ring = rings[queue]
      line.level = random(2) === 0
      if (ring === 0 || !env.owns(ring, 8)) return
      const { view } = memory
      const element = ring + virtqUsed.size + (used[queue] % sizes[queue]) * virtqUsedElem.size
      view.setUint32(
        element,
        random(4) > 0 ? random(3 * DEPTH) * [1, 2, 3][random(3)] : random(2) > 0 ? random(400) : nasty(random),
        true,
      )
      view.setUint32(
        element + virtqUsedElem.len.at,
        random(3) > 0 ? [1, 12, 1 + random(1600)][random(3)] : nasty(random),
        true,
      )
      used[queue] = (used[queue] + (random(10) > 0 ? 1 : nasty(random))) & 0xffff
      view.setUint16(ring + virtqUsed.idx.at, used[queue], true)
      const buffers = env.buffers()
      const buffer = buffers[random(buffers.length)]
      if (random(3) === 0) memory.bytes[buffer.at + random(buffer.bytes)] = random(3)
    },
    relent() {
      relented = true
      line.level = false
    },
  }
}

function nvmeParts(random: (limit: number) => number): Parts {
  const time = new BenchTime()
  const chip: NvmeController = new NvmeController(
    'disk0',
    new MemoryBacking(1024),
    time.clockFor(() => chip),
  )
  const { host, memory, lines } = plugged(chip, { msix: false })
  return { time, memory, enemy: tampered(host.window32, memory, lines[1], random) }
}

function nicParts(random: (limit: number) => number): Parts {
  const time = new BenchTime()
  const chip: NicController = new NicController(
    'nic0',
    [2, 0, 0, 0, 0, 1],
    time.clockFor(() => chip),
  )
  const { host, memory, lines } = plugged(chip, { msix: false })
  return { time, memory, enemy: tampered(host.window32, memory, lines[1], random) }
}

const virtioParts =
  (id: number) =>
  (random: (limit: number) => number): Parts => {
    const memory = new BenchMemory()
    return { time: new BenchTime(), memory, enemy: lyingVirtio(id, memory, random) }
  }

function storm(
  name: string,
  partsOf: (random: (limit: number) => number) => Parts,
  play: (env: FakeEnvironment, parts: Parts, random: (limit: number) => number) => { use(): void; stop(): boolean },
): void {
  test(`${name}: lies do no harm`, () => {
    let survived = 0
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 5, max: 80 }),
        fc.boolean(),
        (seed, every, polled) => {
          const random = chance(seed)
          const parts = partsOf(random)
          let calls = 0
          const { enemy, time, memory } = parts
          const env = new FakeEnvironment({
            chip: enemy.chip,
            time,
            memory,
            lines: polled ? [] : [enemy.line],
            abandons: () => ++calls % every === 0,
          })
          const owner = play(env, parts, random)
          for (let round = 0; round < ROUNDS; round++) {
            if (random(3) > 0) enemy.act(env)
            owner.use()
            env.pass(1 + random(400))
          }
          enemy.relent()
          if (owner.stop()) {
            survived += 1
            expect(env.leaks()).toBe(0)
          }
        },
      ),
      { numRuns: 25 },
    )
    expect(survived).toBeGreaterThan(18)
  })
}

describe('a hostile device', () => {
  for (const [name, parts, make] of [
    ['nvme', nvmeParts, nvmeDriver] as const,
    ['virtio-blk', virtioParts(VIRTIO_ID.block), virtioBlk] as const,
  ]) {
    storm(name, parts, (env, { memory }, random) => {
      const owner = blockOwner(env, memory, made => make(made, { queueDepth: DEPTH, timeout: 5000 }))
      env.enter(() => owner.disk().start())
      return {
        use() {
          const operation = (['read', 'write', 'flush'] as const)[random(3)]
          owner.submit(random(DEPTH), {
            operation,
            sector: random(1100),
            count: 1 + random(8),
            forceUnitAccess: random(2) === 0,
          })
          env.enter(() => owner.disk().poll(1 + random(4)))
        },
        stop() {
          env.enter(() => owner.disk().stop())
          env.pass(20_000_000)
          return env.enter(() => owner.disk().stopped())
        },
      }
    })
  }

  for (const [name, parts, make] of [
    ['nic', nicParts, nicDriver] as const,
    ['virtio-net', virtioParts(VIRTIO_ID.network), virtioNet] as const,
  ]) {
    storm(name, parts, (env, { memory }, random) => {
      const owner = networkOwner(env, memory, made => make(made, { queueDepth: DEPTH }))
      env.enter(() => owner.card().start())
      return {
        use() {
          owner.offer(random(DEPTH), random(2) === 0)
          owner.send(random(DEPTH), new Uint8Array(60 + random(1400)))
          env.enter(() => owner.card().poll(1 + random(4)))
          env.enter(() => owner.card().linkUp())
        },
        stop() {
          env.enter(() => owner.card().stop())
          env.pass(20_000_000)
          return env.enter(() => owner.card().stopped())
        },
      }
    })
  }

  for (const [name, parts, make] of [
    ['uart', virtioParts(0), uartDriver] as const,
    ['virtio-console', virtioParts(VIRTIO_ID.console), virtioConsole] as const,
  ]) {
    storm(name, parts, (env, _parts, random) => {
      const device = env.construct(make)
      env.enter(() => device.start())
      return {
        use() {
          env.enter(() => device.put(random(256)))
          for (let i = 0; i < 4; i++) {
            const byte = env.enter(() => device.get())
            expect(byte >= -1 && byte < 256).toBe(true)
          }
        },
        stop() {
          env.enter(() => device.stop())
          env.pass(20_000_000)
          return env.enter(() => device.stopped())
        },
      }
    })
  }
})
