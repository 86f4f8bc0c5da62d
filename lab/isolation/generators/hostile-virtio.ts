/** Drivers that mean harm: queues anywhere, descriptors that lead anywhere, indices that lie, registers written at random. */
import fc from 'fast-check'
import { virtioMmio } from '../../../hw/spec/devices/virtio-mmio.ts'
import { GUEST_KERNEL, GUEST_MAP, GUEST_RAM } from '../../../hw/spec/guest-map.ts'
import { areaOf, DATA } from '../guest-runtime.ts'
import type { Step } from '../scenario.ts'
import {
  acknowledge,
  bringUp,
  descriptorWords,
  packed,
  placeQueue,
  put,
  type Ring,
  resetDevice,
  ringAt,
  setRegister,
  sourceOf,
  type VirtioName,
} from './virtio-steps.ts'

const LARGE_PAGE = 0x20_0000
/** Where these drivers have their rings and buffers, unless they mean harm by it. */
export const HOSTILE_DATA = DATA + 0x8_0000
/** Where two of its large pages meet, which lie apart in the machine. */
export const PAGES_MEET = GUEST_KERNEL + LARGE_PAGE
const RING = ringAt(HOSTILE_DATA, 16)
const TABLE = HOSTILE_DATA + 0x1000
const BUFFERS = HOSTILE_DATA + 0x2000

/** From what a device can write into the program's first page to its last one. */
const PROGRAM = { from: GUEST_KERNEL - 0x4000, to: areaOf(1) }

/** A driver that has its own program overwritten is a driver no more: one further on is taken instead. */
const besideProgram = (page: number) =>
  page >= PROGRAM.from && page < PROGRAM.to ? page + LARGE_PAGE + (PROGRAM.to - PROGRAM.from) : page

const multipleOf = (step: number, most: number) => fc.integer({ min: 0, max: most }).map(value => value * step)

/** Guest physical addresses for whoever looks them up, or forgets to: its own, across pages, the VMM's own, nobody's. */
export const anyAddress = (memoryMiB: number): fc.Arbitrary<number> => {
  const end = GUEST_RAM + memoryMiB * 2 ** 20
  return fc.oneof(
    { weight: 4, arbitrary: multipleOf(16, 0xff).map(offset => BUFFERS + offset * 16) },
    { weight: 2, arbitrary: multipleOf(4, 40).map(offset => PAGES_MEET - offset) },
    { weight: 1, arbitrary: multipleOf(16, 32).map(offset => PAGES_MEET - offset) },
    { weight: 1, arbitrary: multipleOf(4, 40).map(offset => end - offset) },
    { weight: 1, arbitrary: multipleOf(4, 40).map(offset => end + offset) },
    { weight: 1, arbitrary: multipleOf(4096, 2047).map(offset => besideProgram(GUEST_RAM + offset)) },
    { weight: 1, arbitrary: fc.constantFrom(0, 0x1000_0000, 2 ** 32, 2 ** 41, Number.MAX_SAFE_INTEGER - 7) },
  )
}

const anyBytes = fc.oneof(
  fc.constantFrom(0, 1, 4, 10, 12, 16, 20, 64, 512, 1024, 1518, 4096, 12_288),
  fc.constantFrom(0x20_0000, 0x7fff_ffff, 0xffff_ffff),
  fc.integer({ min: 0, max: 5000 }),
)

const descriptor = (memoryMiB: number) =>
  fc
    .record({
      address: fc.oneof(anyAddress(memoryMiB), fc.constant(TABLE)),
      bytes: anyBytes,
      flags: fc.oneof(fc.constantFrom(0, 1, 2, 3), fc.constantFrom(4, 5, 6, 7)),
      next: fc.oneof(fc.integer({ min: 0, max: 15 }), fc.constantFrom(16, 255, 0xffff)),
    })
    .map(({ address, bytes, flags, next }) => descriptorWords(address, bytes, flags, next))

/** A ring in its place, or with one part somewhere else. */
const ring = (memoryMiB: number): fc.Arbitrary<Ring> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(RING) },
    {
      weight: 2,
      arbitrary: fc
        .record({
          part: fc.constantFrom('descriptors' as const, 'available' as const, 'used' as const),
          at: anyAddress(memoryMiB),
        })
        .map(({ part, at }) => ({ ...RING, [part]: at })),
    },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, 3, 128, 256, 32_768, 0xffff_ffff).map(size => ({ ...RING, size })) },
  )

/** Where a queue is in memory that is the driver's own: harm is done by what stands in it. */
const filled = (memoryMiB: number, device: VirtioName, queues: number): fc.Arbitrary<readonly Step[]> =>
  fc
    .record({
      ring: ring(memoryMiB),
      descriptors: fc.array(descriptor(memoryMiB), { minLength: 1, maxLength: 16 }),
      table: fc.array(descriptor(memoryMiB), { minLength: 0, maxLength: 4 }),
      heads: fc.array(fc.oneof(fc.integer({ min: 0, max: 15 }), fc.constantFrom(16, 128, 0xffff)), {
        minLength: 1,
        maxLength: 16,
      }),
      index: fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 1, max: 16 }) },
        { weight: 1, arbitrary: fc.constantFrom(17, 0x8000, 0xffff) },
      ),
      queue: fc.integer({ min: 0, max: queues - 1 }),
      notified: fc.oneof(fc.integer({ min: 0, max: queues - 1 }), fc.constantFrom(queues, 0xffff_ffff)),
    })
    .map(({ ring, descriptors, table, heads, index, queue, notified }) => [
      ...bringUp(
        device,
        Array.from({ length: queue + 1 }, () => ring),
      ),
      ...put(TABLE, table.flat()),
      ...put(ring.descriptors, descriptors.flat()),
      ...put(ring.available, packed([0, index, ...heads])),
      setRegister(device, virtioMmio.QueueNotify, notified),
    ])

const OFFSETS = Object.values(virtioMmio).map(({ at }) => at)

/** Registers, written with anything, in any width. */
const poked = (device: VirtioName): fc.Arbitrary<Step> =>
  fc
    .record({
      bytes: fc.constantFrom(1 as const, 2 as const, 4 as const, 4 as const, 4 as const, 8 as const),
      offset: fc.oneof(fc.constantFrom(...OFFSETS), fc.integer({ min: 0, max: 0x1ff })),
      value: fc.oneof(fc.integer({ min: 0, max: 16 }), fc.constantFrom(0xffff_ffff, '0xffffffffffffffff', DATA)),
    })
    .map(({ bytes, offset, value }) => ({
      op: 'store',
      bytes,
      address: GUEST_MAP[device].base + (offset - (offset % bytes)),
      value,
    }))

const QUEUES: Readonly<Record<VirtioName, number>> = { disk: 1, network: 2, console: 2 }

/** Something bad, done to a device; it may be reset behind that. */
export function hostileSteps(device: VirtioName, memoryMiB: number): fc.Arbitrary<readonly Step[]> {
  return fc.oneof(
    { weight: 4, arbitrary: filled(memoryMiB, device, QUEUES[device]) },
    { weight: 1, arbitrary: fc.array(poked(device), { minLength: 1, maxLength: 8 }) },
    { weight: 1, arbitrary: ring(memoryMiB).map(place => placeQueue(device, QUEUES[device], place)) },
    { weight: 1, arbitrary: fc.constant([resetDevice(device)]) },
    {
      weight: 1,
      arbitrary: fc
        .integer({ min: 10, max: 3000 })
        .map(ticks => [{ op: 'listen' as const, sources: sourceOf(device), ticks }, ...acknowledge(device)]),
    },
  )
}

/** A program of such steps for the devices that a guest has. */
export function hostileProgram(
  devices: readonly VirtioName[],
  memoryMiB: number,
  most = 4,
): fc.Arbitrary<readonly Step[]> {
  const one = fc.constantFrom(...devices).chain(device => hostileSteps(device, memoryMiB))
  return fc.array(one, { minLength: 1, maxLength: most }).map(steps => steps.flat())
}
