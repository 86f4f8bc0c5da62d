/** A descriptor ring of the 82576 (82576 7.1.6, 7.2.3): filled at the tail, taken back at the head, in order. */
import type { DmaBuffer, Environment } from './environment.ts'

const DESCRIPTOR_BYTES = 16
/** The length register counts in 128 bytes: eight descriptors. */
const GRANULE = 8

export interface NicRing {
  readonly entries: number
  readonly memory: DmaBuffer
  /** Which buffer stands in each slot between head and tail, and the room in it. */
  readonly tags: Int32Array
  readonly room: Int32Array
  /** Slots: `head` is the oldest that the card has, `tail` the next to be filled. */
  readonly state: { head: number; tail: number }
}

/** A ring's memory and variables, for `depth` descriptors at a time. */
export function makeRing(
  env: Environment,
  names: { ring: string; tags: string; room: string },
  depth: number,
): NicRing {
  const entries = Math.ceil((depth + 1) / GRANULE) * GRANULE
  return {
    entries,
    memory: env.dma.allocate(entries * DESCRIPTOR_BYTES),
    tags: env.state(names.tags, new Int32Array(entries)),
    room: env.state(names.room, new Int32Array(entries)),
    state: env.state(names.ring, { head: 0, tail: 0 }),
  }
}

/** Bytes of the ring, for its length register. */
export function ringBytes(ring: NicRing): number {
  return ring.entries * DESCRIPTOR_BYTES
}

/** Offset of the descriptor to be filled next. There is always one, with no more than `depth` buffers at a time. */
export function tailAt(ring: NicRing): number {
  return ring.state.tail * DESCRIPTOR_BYTES
}

/** The descriptor at the tail has been filled with the buffer of `tag`. */
export function push(ring: NicRing, tag: number, room: number): void {
  const { state } = ring
  const { tail } = state
  ring.tags[tail] = tag
  ring.room[tail] = room
  state.tail = tail + 1 === ring.entries ? 0 : tail + 1
}

/** Offset of the oldest descriptor that the card has, or -1 if it has none. */
export function headAt(ring: NicRing): number {
  const { head, tail } = ring.state
  return head === tail ? -1 : head * DESCRIPTOR_BYTES
}

/** Takes the oldest descriptor back; returns its buffer's tag. */
export function pop(ring: NicRing): number {
  const { state } = ring
  const { head } = state
  state.head = head + 1 === ring.entries ? 0 : head + 1
  return ring.tags[head]
}
