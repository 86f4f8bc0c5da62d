/** The virtual virtio devices under the drivers that guests use. */
import { describe, expect, test } from 'vitest'
import { virtioBlk } from '../../../drivers/virtio-blk.ts'
import { virtioConsole } from '../../../drivers/virtio-console.ts'
import { virtioNet } from '../../../drivers/virtio-net.ts'
import type { ConsoleDevice } from '../../../drivers/environment.ts'
import type { HartPort } from '../../../hw/port.ts'
import { VirtualBlk } from '../../../vmm/virtual/virtio-blk.ts'
import { VirtualConsole } from '../../../vmm/virtual/virtio-console.ts'
import { VirtualNet } from '../../../vmm/virtual/virtio-net.ts'
import { blockOwner } from '../../drivers/block-owner.ts'
import { FakeEnvironment } from '../../drivers/fake-environment.ts'
import { networkOwner } from '../../drivers/network-owner.ts'
import { bench, fakeDisk, fakeWire } from './bench.ts'

const SECTORS = 4096
const MAC = [0x52, 0x54, 0, 0x12, 0x34, 0x56]

function withDisk(options: Parameters<typeof fakeDisk>[2] & { data?: number; polled?: boolean } = {}) {
  const world = bench()
  const disk = fakeDisk(world, SECTORS, options)
  const blk = new VirtualBlk(
    'disk',
    world.line,
    world.guest,
    { behind: false, deferred: false },
    disk,
    SECTORS,
    'disk0',
  )
  const { time, memory, line } = world
  const env = new FakeEnvironment({
    chip: world.chip(blk.transport),
    time,
    memory,
    lines: options.polled ? [] : [line],
  })
  const { data = 0x8_0000 } = options
  const owner = blockOwner(env, memory, made => virtioBlk(made, { queueDepth: 8 }), {
    data,
    slot: 0x8000,
    polled: options.polled ?? false,
  })
  return { ...world, disk, blk, env, owner }
}

describe('a virtual disk', () => {
  for (const options of [{}, { polled: true }, { delay: 0 }, { depth: 1 }]) {
    test(`gives back what was written: ${JSON.stringify(options)}`, () => {
      const { owner, env, disk } = withDisk(options)
      expect(owner.start()).toBe(true)
      expect(owner.disk().sectors()).toBe(SECTORS)
      for (let round = 0; round < 4; round++) {
        const tag = round % 8
        const data = owner.dataOf(tag).subarray(0, 40 * 512)
        data.forEach((_, index) => (data[index] = (index * 7 + round) & 0xff))
        const written = data.slice()
        expect(owner.submit(tag, { operation: 'write', sector: round * 40, count: 40 })).toBe(true)
        expect(owner.finish(tag)).toBe('ok')
        expect(disk.bytes.slice(round * 40 * 512, (round + 1) * 40 * 512)).toEqual(written)
        data.fill(0)
        owner.submit(tag, { operation: 'read', sector: round * 40, count: 40 })
        expect(owner.finish(tag)).toBe('ok')
        expect(data.slice()).toEqual(written)
      }
      expect(disk.requests.every(({ count }) => count <= disk.maximumSectors)).toBe(true)
      owner.submit(0, { operation: 'flush', sector: 0, count: 0 })
      expect(owner.finish(0)).toBe('ok')
      expect(disk.requests.at(-1)!.operation).toBe('flush')
      expect(owner.stop()).toBe(true)
      expect(env.leaks()).toBe(0)
    })
  }

  test('splits what crosses into a page that lies elsewhere', () => {
    const { owner, disk } = withDisk({ data: 0x20_0000 - 0x800, maximumSectors: 64 })
    owner.start()
    owner.dataOf(0).fill(0xa5)
    owner.submit(0, { operation: 'write', sector: 3, count: 8 })
    expect(owner.finish(0)).toBe('ok')
    expect(disk.requests.map(({ sector, count }) => [sector, count])).toEqual([
      [3, 4],
      [7, 4],
    ])
    expect(disk.bytes.slice(3 * 512, 11 * 512).every(byte => byte === 0xa5)).toBe(true)
  })

  test('refuses what lies beyond its end, and serves on', () => {
    const { owner, disk } = withDisk()
    owner.start()
    owner.submit(1, { operation: 'read', sector: SECTORS - 1, count: 2 })
    expect(owner.finish(1)).toBe('out of range')
    expect(disk.requests).toEqual([])
    owner.submit(1, { operation: 'read', sector: SECTORS - 1, count: 1 })
    expect(owner.finish(1)).toBe('ok')
  })

  test('is not reset before its last access to memory', () => {
    const { owner, disk, env } = withDisk({ delay: -1 })
    owner.start()
    owner.submit(0, { operation: 'read', sector: 0, count: 4 })
    env.enter(() => owner.disk().stop())
    env.pass(5000)
    expect(env.enter(() => owner.disk().stopped())).toBe(false)
    disk.settle()
    env.pass(5000)
    expect(env.enter(() => owner.disk().stopped())).toBe(true)
  })
})

describe('a virtual network card', () => {
  for (const polled of [false, true]) {
    test(`sends and receives frames in order${polled ? ', polled' : ''}`, () => {
      const world = bench()
      const wire = fakeWire(world)
      const net = new VirtualNet('net', world.line, world.guest, { behind: false, deferred: false }, wire, MAC)
      const { time, memory, line } = world
      const env = new FakeEnvironment({ chip: world.chip(net.transport), time, memory, lines: polled ? [] : [line] })
      // Some of the buffers lie across pages that are not neighbours for the VMM.
      const owner = networkOwner(env, memory, made => virtioNet(made, { queueDepth: 4 }), {
        data: 0x20_0000 - 5000,
        polled,
      })
      const frame = (n: number, bytes: number) => new Uint8Array(bytes).map((_, index) => (n * 13 + index) & 0xff)
      expect(owner.start()).toBe(true)
      expect(env.enter(() => owner.card().mac())).toEqual(MAC)
      expect(env.enter(() => owner.card().linkUp())).toBe(true)
      expect(wire.arrive(frame(0, 60))).toBe(false)
      for (let tag = 0; tag < 4; tag++) expect(owner.offer(tag, true)).toBe(true)
      for (let n = 0; n < 12; n++) {
        expect(owner.send(n % 4, frame(n, 1000 + n))).toBe(true)
        expect(owner.runUntil(() => owner.sent() === n + 1)).toBe(true)
        expect(wire.arrive(frame(n, 1400 + n))).toBe(true)
        env.pass(10)
        if (polled) env.enter(() => owner.card().poll(8))
      }
      expect(wire.sent).toEqual(Array.from({ length: 12 }, (_, n) => frame(n, 1000 + n)))
      expect(owner.takeReceived()).toEqual(Array.from({ length: 12 }, (_, n) => frame(n, 1400 + n)))
      expect(owner.stop()).toBe(true)
      expect(env.leaks()).toBe(0)
    })
  }
})

test('a virtual console passes characters both ways', () => {
  const world = bench()
  const printed: number[] = []
  let input: (port: HartPort, byte: number) => void = () => {}
  const chip = new VirtualConsole(
    'console',
    world.line,
    world.guest,
    { behind: false, deferred: false },
    {
      put: (_port, byte) => void printed.push(byte),
      attach: heard => void (input = heard),
    },
  )
  const { time, memory, line, port } = world
  const env = new FakeEnvironment({ chip: world.chip(chip.transport), time, memory, lines: [line] })
  let made: ConsoleDevice | undefined
  const typed: number[] = []
  env.construct(from => {
    made = virtioConsole(from)
    made.onInput(() => {
      for (let byte = made!.get(); byte >= 0; byte = made!.get()) typed.push(byte)
    })
  })
  env.enter(() => made!.start())
  expect(env.run(() => env.enter(() => made!.ready()))).toBe(true)
  const text = Array.from('a line that is longer than the queue has room for, sent and typed and sent again\n', c =>
    c.charCodeAt(0),
  )
  for (const byte of text) {
    expect(env.enter(() => made!.put(byte))).toBe(true)
    input(port, byte)
    env.pass(1)
  }
  expect(printed).toEqual(text)
  expect(typed).toEqual(text)
})
