/** Requests to a disk that are almost right: a part that lies elsewhere, one that changes while it is looked at, a reset in their midst. */
import fc from 'fast-check'
import { virtioMmio } from '../../../hw/spec/devices/virtio-mmio.ts'
import { VIRTIO_BLK_QUEUE, VIRTIO_BLK_T, virtioBlkReq } from '../../../hw/spec/layouts/virtio-blk.ts'
import { VIRTQ_DESC_F_INDIRECT, VIRTQ_DESC_F_NEXT, VIRTQ_DESC_F_WRITE } from '../../../hw/spec/layouts/virtqueue.ts'
import type { Program, Step } from '../scenario.ts'
import { anyAddress, HOSTILE_DATA, PAGES_MEET } from './hostile-virtio.ts'
import {
  bringUp,
  descriptorWords,
  getRegister,
  offer,
  post,
  put,
  ringAt,
  resetDevice,
  setRegister,
} from './virtio-steps.ts'

const RING = ringAt(HOSTILE_DATA + 0x1_0000, 16)
const HEADER = HOSTILE_DATA + 0x1_1000
const STATUS = HOSTILE_DATA + 0x1_1100
export const DISK_BUFFER = HOSTILE_DATA + 0x1_2000
const SECTOR = 512
const LARGE_PAGE = 0x20_0000
const DESCRIPTOR = 16
const LONGEST = 24
/** Ticks after which a disk has answered. */
const ANSWERED = 8000

const header = (sector: number, write: boolean) => [write ? VIRTIO_BLK_T.OUT : VIRTIO_BLK_T.IN, sector]

/** One of its parts somewhere else. */
export const misplaced = (memoryMiB: number): fc.Arbitrary<readonly Step[]> =>
  fc
    .record({
      part: fc.constantFrom('header' as const, 'data' as const, 'status' as const),
      at: fc.oneof(
        anyAddress(memoryMiB),
        fc.integer({ min: 1, max: 3 }).map(word => PAGES_MEET - word * 4),
      ),
      write: fc.boolean(),
      sector: fc.integer({ min: 0, max: 400 }),
      sectors: fc.integer({ min: 1, max: LONGEST }),
    })
    .map(({ part, at, write, sector, sectors }) => {
      const place = { header: HEADER, data: DISK_BUFFER, status: STATUS, [part]: at }
      const chain = [
        { address: place.header, bytes: virtioBlkReq.size, write: false },
        { address: place.data, bytes: sectors * SECTOR, write: !write },
        { address: place.status, bytes: 1, write: true },
      ]
      return [
        ...bringUp('disk', [RING]),
        ...put(place.header, header(sector, write)),
        ...post('disk', VIRTIO_BLK_QUEUE, RING, [chain]).steps,
        { op: 'wait' as const, ticks: ANSWERED },
        getRegister('disk', virtioMmio.Status),
      ]
    })

/**
 * At the beginning of its pages, a guest has what goes on with a request that another's table begins: descriptors of data
 * and of a status, in that other's memory; or as many zeros.
 */
export function bait(isLaid: boolean): Program {
  const words = [
    ...descriptorWords(DISK_BUFFER + 0x4000, SECTOR, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 2),
    ...descriptorWords(STATUS, 1, VIRTQ_DESC_F_WRITE, 0),
  ]
  return [PAGES_MEET, PAGES_MEET - LARGE_PAGE].flatMap(page =>
    put(
      page,
      words.map(word => (isLaid ? word : 0)),
    ),
  )
}

/** A request like any other, but that a part of its queue crosses into another large page, or its chain leaves the table. */
export const crossed: fc.Arbitrary<readonly Step[]> = crossedAt(fc.constant(PAGES_MEET))

/** The same where such pages meet. */
export function crossedAt(meetings: fc.Arbitrary<number>): fc.Arbitrary<readonly Step[]> {
  return fc
    .record({
      meet: meetings,
      part: fc.constantFrom('descriptors' as const, 'available' as const, 'used' as const, 'beyond' as const),
      sector: fc.integer({ min: 0, max: 400 }),
    })
    .map(({ meet, part, sector }) => {
      const before = { descriptors: 16, available: 4, used: 4, beyond: RING.size * DESCRIPTOR }[part]
      const ring = { ...RING, [part === 'beyond' ? 'descriptors' : part]: meet - before }
      const next = part === 'beyond' ? RING.size : 1
      const chain = [
        ...descriptorWords(HEADER, virtioBlkReq.size, VIRTQ_DESC_F_NEXT, next),
        ...descriptorWords(DISK_BUFFER, SECTOR, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 2),
        ...descriptorWords(STATUS, 1, VIRTQ_DESC_F_WRITE, 0),
      ]
      return [
        ...bringUp('disk', [ring]),
        ...put(HEADER, header(sector, false)),
        ...put(ring.descriptors, part === 'descriptors' ? chain.slice(0, 2) : chain),
        // Flags and index as one word: the ring may begin at its end.
        { op: 'store' as const, bytes: 4 as const, address: ring.available, value: 0x1_0000 },
        setRegister('disk', virtioMmio.QueueNotify, VIRTIO_BLK_QUEUE),
        { op: 'wait' as const, ticks: ANSWERED },
        getRegister('disk', virtioMmio.Status),
      ]
    })
}

const TABLE = PAGES_MEET - DESCRIPTOR

/** An indirect table of one descriptor that ends with its page; a hart says that it is longer, and takes that back, again and again. */
export const racing: fc.Arbitrary<readonly [Program, Program]> = fc
  .record({
    times: fc.integer({ min: 8, max: 24 }),
    toggles: fc.integer({ min: 200, max: 900 }),
    sector: fc.integer({ min: 0, max: 400 }),
  })
  .map(({ times, toggles, sector }) => {
    const length = RING.descriptors + 8
    const flags = VIRTQ_DESC_F_INDIRECT
    const inside = descriptorWords(HEADER, virtioBlkReq.size, VIRTQ_DESC_F_NEXT, 1)
    const first: Program = [
      ...put(HEADER, header(sector, false)),
      ...put(TABLE, inside),
      {
        op: 'repeat',
        times,
        steps: [
          ...bringUp('disk', [RING]),
          ...put(RING.descriptors, descriptorWords(TABLE, DESCRIPTOR, flags, 0)),
          ...offer(RING, [0]),
          setRegister('disk', virtioMmio.QueueNotify, VIRTIO_BLK_QUEUE),
          { op: 'load', bytes: 2, signed: false, address: RING.used + 2 },
        ],
      },
    ]
    const second: Program = [
      {
        op: 'repeat',
        times: toggles,
        steps: [
          { op: 'store', bytes: 4, address: length, value: DESCRIPTOR },
          { op: 'store', bytes: 4, address: length, value: 4 * DESCRIPTOR },
          { op: 'store', bytes: 4, address: length, value: DESCRIPTOR },
        ],
      },
    ]
    return [first, second]
  })

/** What a buffer holds that was taken back by a reset: nothing may be written there any more. */
const TAKEN_BACK = 0x5a17
const TAKEN = DISK_BUFFER + 0x8000

/** Reads into a buffer, takes it back by a reset, looks whether that is over, and fills it. */
export function resetAmid(sectors: number, requests: number): Program {
  const chains = Array.from({ length: requests }, () => [
    { address: HEADER, bytes: virtioBlkReq.size, write: false },
    { address: TAKEN, bytes: sectors * SECTOR, write: true },
    { address: STATUS, bytes: 1, write: true },
  ])
  return [
    ...bringUp('disk', [RING]),
    ...put(HEADER, header(8, false)),
    ...post('disk', VIRTIO_BLK_QUEUE, RING, chains).steps,
    resetDevice('disk'),
    getRegister('disk', virtioMmio.Status),
    ...Array.from(
      { length: sectors },
      (_, index): Step => ({ op: 'copy', address: TAKEN + index * SECTOR, words: [TAKEN_BACK] }),
    ),
    { op: 'wait', ticks: ANSWERED },
  ]
}

/**
 * What is wrong after a program that ended so: by its log, a line a step with the value first, and what `load` reads of its
 * memory, 8 bytes at a time.
 */
export function writtenAfterReset(
  sectors: number,
  log: readonly string[],
  load: (address: number) => bigint,
): string | undefined {
  const isOver = log.at(-(sectors + 2))?.startsWith('0x0 ')
  if (!isOver) return undefined
  for (let index = 0; index < sectors; index++) {
    const seen = load(TAKEN + index * SECTOR)
    if (seen !== BigInt(TAKEN_BACK))
      return `its disk has written to 0x${(TAKEN + index * SECTOR).toString(16)} after its reset was over`
  }
  return undefined
}
