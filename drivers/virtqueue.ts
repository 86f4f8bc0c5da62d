/**
 * The driver's side of a split virtqueue (virtio 1.2, 2.7). What the device writes, the used ring, is not trusted: a
 * ring that says impossible things yields BROKEN, never a wrong index.
 */
import type { DmaBuffer, Environment } from './environment.ts'
import { virtioMmio } from '../hw/spec/devices/virtio-mmio.ts'
import {
  availEventAt,
  usedEventAt,
  virtqAvail,
  VIRTQ_AVAIL_ENTRY_BYTES,
  VIRTQ_AVAIL_F_NO_INTERRUPT,
  virtqAvailBytes,
  virtqDesc,
  virtqDescBytes,
  virtqUsed,
  VIRTQ_USED_F_NO_NOTIFY,
  virtqUsedBytes,
  virtqUsedElem,
} from '../hw/spec/layouts/virtqueue.ts'

const DESC_BYTES = virtqDesc.size
const ADDR = virtqDesc.addr.at
const LEN = virtqDesc.len.at
const FLAGS = virtqDesc.flags.at
const NEXT = virtqDesc.next.at
const AVAIL_IDX = virtqAvail.idx.at
const AVAIL_RING = virtqAvail.size
const USED_FLAGS = virtqUsed.flags.at
const USED_IDX = virtqUsed.idx.at
const USED_RING = virtqUsed.size
const USED_ELEM_BYTES = virtqUsedElem.size
const USED_LEN = virtqUsedElem.len.at

/** Nothing has been used since. */
export const NONE = -1
/** The used ring says what cannot be: the device is lost. */
export const BROKEN = -2

export interface Virtqueue {
  readonly index: number
  /** The device need not interrupt for this queue. */
  readonly quiet: boolean
  /** Entries, a power of two. */
  readonly size: number
  /** Descriptor table, available ring and used ring. */
  readonly memory: DmaBuffer
  readonly availAt: number
  readonly usedAt: number
  readonly state: {
    /** Chains ever made available, modulo 2^16; and of those, the ones the device has been told of. */
    availIdx: number
    /** Chains ever taken back, modulo 2^16, and the device's own count when it was last looked at. */
    takenIdx: number
    usedIdx: number
    eventIdx: boolean
    /** Bytes that the device says it wrote into the chain taken last. */
    length: number
  }
}

/** A queue's memory and variables. The device is not told of it. */
export function makeVirtqueue(
  env: Environment,
  name: string,
  index: number,
  size: number,
  quiet = env.interrupts.length === 0,
): Virtqueue {
  const availAt = virtqDescBytes(size)
  const usedAt = (availAt + virtqAvailBytes(size) + 3) & ~3
  const memory = env.dma.allocate(usedAt + virtqUsedBytes(size))
  const state = env.state(name, { availIdx: 0, takenIdx: 0, usedIdx: 0, eventIdx: false, length: 0 })
  return { index, quiet, size, memory, availAt, usedAt, state }
}

/** The least power of two that is no less than `entries`. */
export function queueSize(entries: number): number {
  let size = 1
  while (size < entries) size *= 2
  return size
}

/** Shows the device where the queue lies and enables it (virtio 1.2, 4.2.3.2). False if it cannot have this queue. */
export function enableQueue(env: Environment, queue: Virtqueue, eventIdx: boolean): boolean {
  const { device } = env
  const { memory } = queue
  queue.state.eventIdx = eventIdx
  device.write(virtioMmio.QueueSel, queue.index)
  if (device.read(virtioMmio.QueueReady) !== 0) return false
  if (device.read(virtioMmio.QueueNumMax) < queue.size) return false
  if (queue.quiet) {
    if (eventIdx) memory.write16(queue.availAt + usedEventAt(queue.size), 0xffff)
    else memory.write16(queue.availAt, VIRTQ_AVAIL_F_NO_INTERRUPT)
  }
  const descriptors = memory.device
  const driver = descriptors + queue.availAt
  const used = descriptors + queue.usedAt
  device.write(virtioMmio.QueueNum, queue.size)
  device.write(virtioMmio.QueueDescLow, descriptors >>> 0)
  device.write(virtioMmio.QueueDescHigh, highWord(descriptors))
  device.write(virtioMmio.QueueDriverLow, driver >>> 0)
  device.write(virtioMmio.QueueDriverHigh, highWord(driver))
  device.write(virtioMmio.QueueDeviceLow, used >>> 0)
  device.write(virtioMmio.QueueDeviceHigh, highWord(used))
  env.dma.fence()
  device.write(virtioMmio.QueueReady, 1)
  return true
}

function highWord(address: number): number {
  return (address - (address >>> 0)) / 0x1_0000_0000
}

/** Fills one descriptor. `flags` are VIRTQ_DESC_F_*. */
export function writeDescriptor(
  queue: Virtqueue,
  at: number,
  address: number,
  bytes: number,
  flags: number,
  next: number,
): void {
  const { memory } = queue
  const offset = at * DESC_BYTES
  memory.write64(offset + ADDR, address)
  memory.write32(offset + LEN, bytes)
  memory.write16(offset + FLAGS, flags)
  memory.write16(offset + NEXT, next)
}

/** Points a descriptor, otherwise filled before, at other data. */
export function aimDescriptor(queue: Virtqueue, at: number, address: number, bytes: number): void {
  const { memory } = queue
  const offset = at * DESC_BYTES
  memory.write64(offset + ADDR, address)
  memory.write32(offset + LEN, bytes)
}

/** Makes the chain that begins at `head` available (virtio 1.2, 2.7.13). The device may not notice until it is notified. */
export function addChain(env: Environment, queue: Virtqueue, head: number): void {
  const { memory, state, size, availAt } = queue
  const old = state.availIdx
  const next = (old + 1) & 0xffff
  memory.write16(availAt + AVAIL_RING + (old & (size - 1)) * VIRTQ_AVAIL_ENTRY_BYTES, head)
  env.dma.fence()
  memory.write16(availAt + AVAIL_IDX, next)
  state.availIdx = next
}

/** Makes the chain that begins at `head` available, and notifies the device unless it wants no notification. */
export function offerChain(env: Environment, queue: Virtqueue, head: number): void {
  const { memory, state, size, usedAt } = queue
  const old = state.availIdx
  addChain(env, queue, head)
  env.dma.fence()
  if (state.eventIdx) {
    if (memory.read16(usedAt + availEventAt(size)) !== old) return
  } else if ((memory.read16(usedAt + USED_FLAGS) & VIRTQ_USED_F_NO_NOTIFY) !== 0) return
  notifyQueue(env, queue)
}

/** Tells the device to look at the queue (virtio 1.2, 4.2.3.3). A fence comes before this. */
export function notifyQueue(env: Environment, queue: Virtqueue): void {
  env.device.write(virtioMmio.QueueNotify, queue.index)
}

/**
 * The head of the next used chain, or NONE, or BROKEN; `state.length` is what the device says it wrote. The head is less
 * than `size`, but that it had been offered is the caller's to check.
 */
export function takeUsed(env: Environment, queue: Virtqueue): number {
  const { memory, state, size, usedAt } = queue
  const taken = state.takenIdx
  if (taken === state.usedIdx) {
    const now = memory.read16(usedAt + USED_IDX)
    if (now === taken) return NONE
    if (((now - taken) & 0xffff) > ((state.availIdx - taken) & 0xffff)) return BROKEN
    state.usedIdx = now
    env.dma.fence()
  }
  const at = usedAt + USED_RING + (taken & (size - 1)) * USED_ELEM_BYTES
  const head = memory.read32(at)
  if (head >= size) return BROKEN
  state.length = memory.read32(at + USED_LEN)
  state.takenIdx = (taken + 1) & 0xffff
  return head
}

/** Asks for an interrupt at the next used chain; true if one has come meanwhile, for which none may follow (virtio 1.2, 2.7.7). */
export function rearm(env: Environment, queue: Virtqueue): boolean {
  const { memory, state, usedAt } = queue
  if (queue.quiet || !state.eventIdx) return false
  memory.write16(queue.availAt + usedEventAt(queue.size), state.takenIdx)
  env.dma.fence()
  return memory.read16(usedAt + USED_IDX) !== state.takenIdx
}
