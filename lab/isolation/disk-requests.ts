/** Requests of a guest to its disk: the program that makes them, and what comes of them by the specification. */
import { VIRTIO_BLK_QUEUE, VIRTIO_BLK_S, VIRTIO_BLK_T, virtioBlkReq } from '../../hw/spec/layouts/virtio-blk.ts'
import { GUEST_KERNEL } from '../../hw/spec/guest-map.ts'
import { SECTOR, sectorImage } from './disk-image.ts'
import { acknowledge, bringUp, type Descriptor, post, put, ringAt, sourceOf } from './generators/virtio-steps.ts'
import { DATA } from './guest-runtime.ts'
import type { Step, Value } from './scenario.ts'

export interface DiskRequest {
  readonly write: boolean
  /** Of its slot's part of the disk; or behind the end of the disk; or so that it wraps into it. */
  readonly where: 'inside' | 'last' | 'beyond' | 'wrapped'
  readonly offset: number
  readonly sectors: number
  /** Bytes from a page's beginning at which the data begins; or sectors before the end of a large page. */
  readonly place: { readonly kind: 'page' | 'crossing'; readonly at: number }
  readonly stamp: number
}

/** Made at once, in slots of their own; the next ones follow when these are over. */
export type DiskBatch = readonly DiskRequest[]

/** Requests of a batch, and the sectors of the disk that each has to itself. */
export const DISK_SLOTS = 8
export const SLOT_SECTORS = 64
/** What a disk that these programs use has at least. */
export const LEAST_SECTORS = DISK_SLOTS * SLOT_SECTORS
export const MOST_SECTORS = 24

const RING = ringAt(DATA, 32)
const HEADERS = DATA + 0x1000
const STATUSES = DATA + 0x1800
const BUFFERS = DATA + 0x1_0000
const BUFFER = 0x8000
const LARGE_PAGE = 0x20_0000
/** The large page behind the guest's image: a buffer that crosses into it lies in two pages of the machine. */
const BOUNDARY = GUEST_KERNEL + LARGE_PAGE
const UNANSWERED = 0xff
/** Ticks that a batch may take: the disk answers within a fraction. */
const PATIENCE = 20_000

function bufferOf({ place }: DiskRequest, slot: number): number {
  return place.kind === 'page' ? BUFFERS + slot * BUFFER + place.at : BOUNDARY - place.at * SECTOR
}

/** The first sector that a request names; beyond 2^53 nothing is told apart. */
function sectorOf({ where, offset, sectors }: DiskRequest, slot: number, size: number): number {
  const inside = slot * SLOT_SECTORS + (offset % (SLOT_SECTORS - MOST_SECTORS))
  if (where === 'last' && slot === DISK_SLOTS - 1) return size - sectors
  if (where === 'beyond') return size - sectors + 1 + offset
  return where === 'wrapped' ? 2 ** 32 + inside : inside
}

/** Only one request of a batch has the place where large pages meet. */
function placed(batch: DiskBatch): DiskBatch {
  const first = batch.findIndex(({ place }) => place.kind === 'crossing')
  return batch
    .slice(0, DISK_SLOTS)
    .map((request, index) =>
      request.place.kind === 'crossing' && index !== first
        ? { ...request, place: { kind: 'page', at: 0 } as const }
        : request,
    )
}

/** The program of a guest whose disk has so many sectors. */
export function diskProgram(batches: readonly DiskBatch[], size: number): readonly Step[] {
  const steps: Step[] = [...bringUp('disk', [RING])]
  let offered: readonly number[] = []
  for (const batch of batches.map(placed)) {
    const chains: Descriptor[][] = []
    batch.forEach((request, slot) => {
      const sector = sectorOf(request, slot, size)
      const header: readonly Value[] = [request.write ? VIRTIO_BLK_T.OUT : VIRTIO_BLK_T.IN, sector]
      steps.push(...put(HEADERS + slot * virtioBlkReq.size, header))
      steps.push({ op: 'store', bytes: 1, address: STATUSES + slot * 8, value: UNANSWERED })
      const buffer = bufferOf(request, slot)
      if (request.write) {
        for (let index = 0; index < request.sectors; index++)
          steps.push(...put(buffer + index * SECTOR, [stampOf(request, index)]))
      }
      chains.push([
        { address: HEADERS + slot * virtioBlkReq.size, bytes: virtioBlkReq.size, write: false },
        { address: buffer, bytes: request.sectors * SECTOR, write: !request.write },
        { address: STATUSES + slot * 8, bytes: 1, write: true },
      ])
    })
    const posted = post('disk', VIRTIO_BLK_QUEUE, RING, chains, offered)
    offered = posted.heads
    steps.push(...posted.steps, { op: 'listen', sources: sourceOf('disk'), ticks: PATIENCE })
    steps.push({ op: 'wait', ticks: PATIENCE }, ...acknowledge('disk'))
  }
  return steps
}

function stampOf({ stamp }: DiskRequest, index: number): number {
  return stamp * 0x1_0000 + index
}

/** What a guest's disk and buffers hold when its requests are over. */
export interface DiskOutcome {
  /** By sector of the guest's disk: those that it has written. */
  readonly written: ReadonlyMap<number, Uint8Array>
  /** Memory, by guest address. */
  readonly memory: ReadonlyMap<number, Uint8Array>
}

/** `first`: where the guest's disk begins on the machine's. */
export function diskOutcome(batches: readonly DiskBatch[], first: number, size: number): DiskOutcome {
  const written = new Map<number, Uint8Array>()
  const bytes = new Map<number, number>()
  const load = (address: number) => bytes.get(address) ?? 0
  let statuses = new Map<number, number>()
  for (const batch of batches.map(placed)) {
    const moves: (() => void)[] = []
    statuses = new Map()
    batch.forEach((request, slot) => {
      const sector = sectorOf(request, slot, size)
      const buffer = bufferOf(request, slot)
      const good = sector + request.sectors <= size
      if (request.write) {
        for (let index = 0; index < request.sectors; index++) {
          let word = stampOf(request, index)
          for (let at = 0; at < 8; at++) {
            bytes.set(buffer + index * SECTOR + at, word % 256)
            word = Math.floor(word / 256)
          }
        }
      }
      statuses.set(STATUSES + slot * 8, good ? VIRTIO_BLK_S.OK : VIRTIO_BLK_S.IOERR)
      if (!good) return
      // Buffers and sectors of one batch do not overlap: in whichever order they are served, the same comes of it.
      moves.push(() => {
        for (let index = 0; index < request.sectors; index++) {
          const at = buffer + index * SECTOR
          if (request.write) {
            written.set(
              sector + index,
              Uint8Array.from({ length: SECTOR }, (_, byte) => load(at + byte)),
            )
            continue
          }
          const content = written.get(sector + index) ?? sectorImage(first + sector + index)
          content.forEach((byte, offset) => void bytes.set(at + offset, byte))
        }
      })
    })
    for (const move of moves) move()
  }
  const memory = new Map<number, Uint8Array>()
  for (const [address, status] of statuses) memory.set(address, Uint8Array.of(status))
  for (const address of bytes.keys()) {
    const start = address - (address % SECTOR)
    if (!memory.has(start))
      memory.set(
        start,
        Uint8Array.from({ length: SECTOR }, (_, byte) => load(start + byte)),
      )
  }
  return { written, memory }
}
