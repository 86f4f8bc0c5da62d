/** Queues of sizes that cannot be, chains that lead back into themselves, indices that run ahead of their ring. */
import fc from 'fast-check'
import { virtioMmio } from '../../../hw/spec/devices/virtio-mmio.ts'
import { VIRTIO_BLK_QUEUE, VIRTIO_BLK_T, virtioBlkReq } from '../../../hw/spec/layouts/virtio-blk.ts'
import { VIRTQ_DESC_F_INDIRECT, VIRTQ_DESC_F_NEXT, VIRTQ_DESC_F_WRITE } from '../../../hw/spec/layouts/virtqueue.ts'
import type { Program, Step, Value } from '../scenario.ts'
import { HOSTILE_DATA } from './hostile-virtio.ts'
import {
  bringUp,
  descriptorWords,
  getRegister,
  packed,
  put,
  ringAt,
  setRegister,
  type VirtioName,
} from './virtio-steps.ts'

/** As far apart as the largest queue needs. */
const RING = {
  size: 16,
  descriptors: HOSTILE_DATA,
  available: HOSTILE_DATA + 0x8_0000,
  used: HOSTILE_DATA + 0xa_0000,
} as const
const TABLE = RING.descriptors + 0x1000
const BUFFER = RING.descriptors + 0x2000
const DESCRIPTOR = 16
const LONGEST = 6
/** Ticks after which a disk has answered. */
const ANSWERED = 8000
const SETTLED = 200

/** What virtio allows and what it does not, small and large. */
const size = fc.constantFrom(1, 2, 8, 16, 128, 129, 256, 1024, 4096, 16_384, 32_768, 65_536)

/** A chain as a circle: each leads to the next, the last to the first or to where another begins. */
const circle = (length: number, from: number, back: number, flags: number): readonly Value[] =>
  Array.from({ length }, (_, at) =>
    descriptorWords(BUFFER + at * 64, 64, flags | VIRTQ_DESC_F_NEXT, at + 1 < length ? from + at + 1 : from + back),
  ).flat()

const QUEUES: Readonly<Record<VirtioName, number>> = { disk: 1, network: 2, console: 2 }

/** A queue of any size with one circle in it, in its table or in an indirect one; or an indirect table that is its own first entry. */
export const circular = (device: VirtioName): fc.Arbitrary<readonly Step[]> =>
  fc
    .record({
      size,
      length: fc.integer({ min: 1, max: LONGEST }),
      back: fc.nat(LONGEST - 1),
      write: fc.boolean(),
      where: fc.constantFrom('table' as const, 'indirect' as const, 'nested' as const),
      queue: fc.nat(QUEUES[device] - 1),
    })
    .map(({ size, length, back, write, where, queue }) => {
      const flags = write ? VIRTQ_DESC_F_WRITE : 0
      const ring = { ...RING, size }
      const own = circle(length, 0, back % length, flags)
      const indirect = descriptorWords(TABLE, length * DESCRIPTOR, VIRTQ_DESC_F_INDIRECT, 0)
      const table = where === 'nested' ? [...indirect, ...own.slice(2)] : own
      return [
        ...bringUp(
          device,
          Array.from({ length: QUEUES[device] }, () => ring),
        ),
        ...put(TABLE, table),
        ...put(ring.descriptors, where === 'table' ? own : indirect),
        ...put(ring.available, packed([0, 1, 0])),
        setRegister(device, virtioMmio.QueueNotify, queue),
        { op: 'wait', ticks: SETTLED },
        getRegister(device, virtioMmio.Status),
      ]
    })

/** What lies in the buffer that no device has been given. */
export const KEPT = 0x5eed
export const KEPT_AT = BUFFER + 0x1000

/** A read that was offered once, in a queue whose index says that more is offered than the queue can hold: nothing of that is. */
export const ahead: fc.Arbitrary<Program> = fc
  .record({
    size: fc.constantFrom(1, 2, 8, 16, 128),
    more: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 0xff00 })),
    sector: fc.nat(400),
  })
  .map(({ size, more, sector }) => {
    const ring = { ...ringAt(RING.descriptors, size), available: RING.available, used: RING.used }
    const words = [
      ...descriptorWords(BUFFER, virtioBlkReq.size, VIRTQ_DESC_F_NEXT, 1),
      ...descriptorWords(KEPT_AT, 512, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 2),
      ...descriptorWords(BUFFER + 64, 1, VIRTQ_DESC_F_WRITE, 0),
    ]
    // One that fits into the table.
    const chain = size >= 3 ? words : descriptorWords(TABLE, 3 * DESCRIPTOR, VIRTQ_DESC_F_INDIRECT, 0)
    return [
      ...bringUp('disk', [ring]),
      ...put(BUFFER, [VIRTIO_BLK_T.IN, sector]),
      ...put(TABLE, words),
      ...put(ring.descriptors, chain),
      ...put(KEPT_AT, [KEPT]),
      ...put(ring.available, packed([0, size + more])),
      setRegister('disk', virtioMmio.QueueNotify, VIRTIO_BLK_QUEUE),
      { op: 'wait', ticks: ANSWERED },
      getRegister('disk', virtioMmio.Status),
    ]
  })
