/** Split virtqueues (virtio 1.2, 2.7): descriptor table, available ring (driver area), used ring (device area). */
import { layout } from '../layout.ts'

/** One entry of the descriptor table. `flags` are VIRTQ_DESC_F_*. */
export const virtqDesc = layout(16, 'virtio 1.2 2.7.5', {
  addr: { at: 0, bytes: 8 },
  len: { at: 8, bytes: 4 },
  flags: { at: 12, bytes: 2, fields: { NEXT: 0, WRITE: 1, INDIRECT: 2 } },
  next: { at: 14, bytes: 2 },
})

export const VIRTQ_DESC_F_NEXT = 1
export const VIRTQ_DESC_F_WRITE = 2
export const VIRTQ_DESC_F_INDIRECT = 4

/** The available ring's head; `ring[queue size]` of 2 bytes follows at `size`, then `used_event`. */
export const virtqAvail = layout(4, 'virtio 1.2 2.7.6', {
  flags: { at: 0, bytes: 2, fields: { NO_INTERRUPT: 0 } },
  idx: { at: 2, bytes: 2 },
})

export const VIRTQ_AVAIL_F_NO_INTERRUPT = 1
export const VIRTQ_AVAIL_ENTRY_BYTES = 2

/** The used ring's head; `ring[queue size]` of {@link virtqUsedElem} follows at `size`, then `avail_event`. */
export const virtqUsed = layout(4, 'virtio 1.2 2.7.8', {
  flags: { at: 0, bytes: 2, fields: { NO_NOTIFY: 0 } },
  idx: { at: 2, bytes: 2 },
})

export const VIRTQ_USED_F_NO_NOTIFY = 1

/** One element of the used ring: the chain's head, and the bytes written into its device-writable part. */
export const virtqUsedElem = layout(8, 'virtio 1.2 2.7.8', {
  id: { at: 0, bytes: 4 },
  len: { at: 4, bytes: 4 },
})

/** The largest queue size (virtio 1.2, 2.7); sizes are powers of two. */
export const VIRTQ_MAXIMUM_SIZE = 32768

/** Bytes of the three parts, which are aligned to 16, 2 and 4 bytes (virtio 1.2, 2.7). */
export function virtqDescBytes(size: number): number {
  return virtqDesc.size * size
}

/** Bytes of the available ring, `used_event` included. */
export function virtqAvailBytes(size: number): number {
  return virtqAvail.size + VIRTQ_AVAIL_ENTRY_BYTES * size + 2
}

/** Bytes of the used ring, `avail_event` included. */
export function virtqUsedBytes(size: number): number {
  return virtqUsed.size + virtqUsedElem.size * size + 2
}

/** Offset of `used_event` in the available ring (virtio 1.2, 2.7.7; only with VIRTIO_F_EVENT_IDX). */
export function usedEventAt(size: number): number {
  return virtqAvail.size + VIRTQ_AVAIL_ENTRY_BYTES * size
}

/** Offset of `avail_event` in the used ring (virtio 1.2, 2.7.10; only with VIRTIO_F_EVENT_IDX). */
export function availEventAt(size: number): number {
  return virtqUsed.size + virtqUsedElem.size * size
}
