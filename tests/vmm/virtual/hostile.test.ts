/** Whatever a guest writes into queues, buffers and registers: the VMM reaches only that guest's memory, in bounded work, and can be reset. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VIRTIO_F, VIRTIO_MMIO_BYTES, virtioMmio } from '../../../hw/spec/devices/virtio-mmio.ts'
import { VirtualBlk } from '../../../vmm/virtual/virtio-blk.ts'
import { VirtualConsole } from '../../../vmm/virtual/virtio-console.ts'
import type { VirtioTransport } from '../../../vmm/virtual/virtio-mmio.ts'
import { VirtualNet } from '../../../vmm/virtual/virtio-net.ts'
import { bench, fakeDisk, fakeWire, type Bench } from './bench.ts'

const SIZE = 8
const RAM = 0x80_0000
const DESCRIPTORS = 0x1000
const AVAILABLE = 0x2000
const USED = 0x3000
const TABLE = 0x4000
const DRIVER_OK = 0xf
const NEEDS_RESET = 0x40
/** No call may take longer: an entry has 100,000 cycles. */
const MOST_OPERATIONS = 6000

function start(world: Bench, transport: VirtioTransport, features: number, queues: number): void {
  const write = (register: { at: number }, value: number) => transport.write(world.port, register.at, 4, value)
  write(virtioMmio.Status, 0)
  write(virtioMmio.Status, 3)
  write(virtioMmio.DriverFeatures, features >>> 0)
  write(virtioMmio.DriverFeaturesSel, 1)
  write(virtioMmio.DriverFeatures, 1)
  write(virtioMmio.Status, 0xb)
  for (let queue = 0; queue < queues; queue++) {
    write(virtioMmio.QueueSel, queue)
    write(virtioMmio.QueueNum, SIZE)
    write(virtioMmio.QueueDescLow, DESCRIPTORS)
    write(virtioMmio.QueueDriverLow, AVAILABLE)
    write(virtioMmio.QueueDeviceLow, USED)
    write(virtioMmio.QueueReady, 1)
  }
  write(virtioMmio.Status, DRIVER_OK)
}

const address = fc.oneof(
  fc.integer({ min: 0, max: RAM - 1 }),
  fc.constantFrom(DESCRIPTORS, TABLE, TABLE + 4, 0x20_0000 - 8, RAM - 4, RAM, 2 ** 40, 2 ** 52),
)
const descriptor = fc.record({
  address,
  bytes: fc.oneof(fc.constantFrom(0, 1, 16, 512, 1024, 64, 128, 0x20_0000, 0xffff_ffff), fc.nat(4096)),
  flags: fc.oneof(fc.integer({ min: 0, max: 7 }), fc.nat(0xffff)),
  next: fc.oneof(fc.nat(SIZE), fc.nat(0xffff)),
})
const scenario = fc.record({
  table: fc.array(descriptor, { minLength: SIZE, maxLength: SIZE }),
  indirect: fc.array(descriptor, { minLength: SIZE, maxLength: SIZE }),
  heads: fc.array(fc.oneof(fc.nat(SIZE - 1), fc.nat(0xffff)), { minLength: SIZE, maxLength: SIZE }),
  ahead: fc.oneof(fc.nat(SIZE), fc.nat(0xffff)),
  type: fc.constantFrom(0, 1, 4, 8, 99),
  sector: fc.constantFrom(0, 1, 127, 128, 0xffff_ffff),
  events: fc.boolean(),
})

describe('hostile queues', () => {
  for (const kind of ['disk', 'network', 'console'] as const) {
    test(`${kind}: nothing but the guest's memory is reached, and the work is bounded`, () => {
      const world = bench()
      const disk = fakeDisk(world, 128, { delay: 0, maximumSectors: 64 })
      const wire = fakeWire(world)
      const blk = new VirtualBlk('disk', world.line, world.guest, { behind: false, deferred: false }, disk, 128, 'disk')
      const net = new VirtualNet(
        'net',
        world.line,
        world.guest,
        { behind: false, deferred: false },
        wire,
        [2, 0, 0, 0, 0, 1],
      )
      let input: (port: typeof world.port, byte: number) => void = () => {}
      const console = new VirtualConsole(
        'console',
        world.line,
        world.guest,
        { behind: false, deferred: false },
        {
          put: () => {},
          attach: heard => (input = heard),
        },
      )
      const chip = { disk: blk, network: net, console }[kind]
      const { view, bytes } = world.memory
      const bounded = (act: () => void) => {
        const before = world.operations()
        act()
        expect(world.operations() - before).toBeLessThan(MOST_OPERATIONS)
      }
      fc.assert(
        fc.property(scenario, ({ table, indirect, heads, ahead, type, sector, events }) => {
          bytes.fill(0, 0, 0x8000)
          const features = (1 << VIRTIO_F.INDIRECT_DESC) | (events ? 1 << VIRTIO_F.EVENT_IDX : 0)
          start(world, chip.transport, features, kind === 'disk' ? 1 : 2)
          for (const [rows, at] of [
            [table, DESCRIPTORS],
            [indirect, TABLE],
          ] as const) {
            rows.forEach((row, index) => {
              world.memory.store64(at + index * 16, row.address)
              view.setUint32(at + index * 16 + 8, row.bytes, true)
              view.setUint16(at + index * 16 + 12, row.flags, true)
              view.setUint16(at + index * 16 + 14, row.next, true)
            })
            const first = rows[0]
            if (first.address < 0x10_0000) {
              view.setUint32(first.address, type, true)
              view.setUint32(first.address + 8, sector, true)
            }
          }
          heads.forEach((head, index) => view.setUint16(AVAILABLE + 4 + index * 2, head, true))
          view.setUint16(AVAILABLE + 2, ahead, true)
          for (const queue of [0, 1])
            bounded(() => chip.transport.write(world.port, virtioMmio.QueueNotify.at, 4, queue))
          if (kind === 'network') bounded(() => wire.arrive(new Uint8Array(1500)))
          if (kind === 'console') bounded(() => input(world.port, 65))
          for (let left = 20; left > 0 && chip.isBehind(); left--) bounded(() => chip.work(world.port))
          // A console may have gigabytes to print: as long as it takes, a little at a time.
          if (kind !== 'console') expect(chip.isBehind()).toBe(false)
          chip.transport.write(world.port, virtioMmio.Status.at, 4, 0)
          expect(chip.transport.read(world.port, virtioMmio.Status.at, 4)).toBe(0)
          expect(world.line.level).toBe(false)
        }),
        { numRuns: 300 },
      )
    })
  }

  test('a chain that loops breaks the device, until it is reset', () => {
    const world = bench()
    const net = new VirtualNet(
      'net',
      world.line,
      world.guest,
      { behind: false, deferred: false },
      fakeWire(world),
      [2, 0, 0, 0, 0, 1],
    )
    start(world, net.transport, 0, 2)
    const { view } = world.memory
    view.setUint32(DESCRIPTORS + 8, 64, true)
    view.setUint16(DESCRIPTORS + 12, 1, true)
    view.setUint16(DESCRIPTORS + 14, 0, true)
    view.setUint16(AVAILABLE + 2, 1, true)
    net.transport.write(world.port, virtioMmio.QueueNotify.at, 4, 1)
    expect(net.transport.read(world.port, virtioMmio.Status.at, 4) & NEEDS_RESET).toBe(NEEDS_RESET)
    expect(world.line.level).toBe(true)
    world.memory.bytes.fill(0, 0, 0x8000)
    start(world, net.transport, 0, 2)
    expect(net.transport.read(world.port, virtioMmio.Status.at, 4)).toBe(DRIVER_OK)
  })

  test('a driver cannot have features that were not offered', () => {
    const world = bench()
    const net = new VirtualNet(
      'net',
      world.line,
      world.guest,
      { behind: false, deferred: false },
      fakeWire(world),
      [2, 0, 0, 0, 0, 1],
    )
    start(world, net.transport, 0xffff_ffff, 2)
    expect(net.transport.read(world.port, virtioMmio.Status.at, 4) & 0xc).toBe(0)
  })

  test('registers take any access of any width, and the disk is reached only as it should be', () => {
    const world = bench()
    const disk = fakeDisk(world, 128, { delay: 0 })
    const blk = new VirtualBlk('disk', world.line, world.guest, { behind: false, deferred: false }, disk, 128, 'disk')
    const access = fc.record({
      write: fc.boolean(),
      offset: fc.oneof(
        fc.nat(VIRTIO_MMIO_BYTES - 1),
        fc.constantFrom(...Object.values(virtioMmio).map(({ at }) => at)),
      ),
      bytes: fc.constantFrom<1 | 2 | 4>(1, 2, 4),
      value: fc.oneof(fc.nat(15), fc.nat(0xffff_ffff), fc.constantFrom(DESCRIPTORS, AVAILABLE, USED)),
    })
    fc.assert(
      fc.property(fc.array(access, { maxLength: 200 }), accesses => {
        for (const { write, offset, bytes, value } of accesses) {
          if (write) blk.transport.write(world.port, offset, bytes, value)
          else {
            const read = blk.transport.read(world.port, offset, bytes)
            expect(Number.isInteger(read) && read >= 0 && read < 2 ** (8 * bytes)).toBe(true)
          }
        }
      }),
    )
  })
})
