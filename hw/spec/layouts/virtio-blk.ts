/** The virtio block device (virtio 1.2, 5.2): its configuration space and its requests. */
import { VIRTIO_MMIO_CONFIG } from '../devices/virtio-mmio.ts'
import { layout } from '../layout.ts'
import { registers } from '../registers.ts'

const SPEC = 'virtio 1.2 5.2.4'

/** Configuration space, at its offsets in the MMIO window. `capacity` is in sectors of 512 bytes. */
export const virtioBlkConfig = registers({
  capacity: { at: VIRTIO_MMIO_CONFIG + 0, width: 64, access: 'ro', spec: SPEC },
  size_max: { at: VIRTIO_MMIO_CONFIG + 8, width: 32, access: 'ro', spec: SPEC },
  seg_max: { at: VIRTIO_MMIO_CONFIG + 12, width: 32, access: 'ro', spec: SPEC },
  cylinders: { at: VIRTIO_MMIO_CONFIG + 16, width: 16, access: 'ro', spec: SPEC },
  heads: { at: VIRTIO_MMIO_CONFIG + 18, width: 8, access: 'ro', spec: SPEC },
  sectors: { at: VIRTIO_MMIO_CONFIG + 19, width: 8, access: 'ro', spec: SPEC },
  blk_size: { at: VIRTIO_MMIO_CONFIG + 20, width: 32, access: 'ro', spec: SPEC },
  physical_block_exp: { at: VIRTIO_MMIO_CONFIG + 24, width: 8, access: 'ro', spec: SPEC },
  alignment_offset: { at: VIRTIO_MMIO_CONFIG + 25, width: 8, access: 'ro', spec: SPEC },
  min_io_size: { at: VIRTIO_MMIO_CONFIG + 26, width: 16, access: 'ro', spec: SPEC },
  opt_io_size: { at: VIRTIO_MMIO_CONFIG + 28, width: 32, access: 'ro', spec: SPEC },
  writeback: { at: VIRTIO_MMIO_CONFIG + 32, width: 8, access: 'rw', spec: SPEC },
  num_queues: { at: VIRTIO_MMIO_CONFIG + 34, width: 16, access: 'ro', spec: SPEC },
  max_discard_sectors: { at: VIRTIO_MMIO_CONFIG + 36, width: 32, access: 'ro', spec: SPEC },
  max_discard_seg: { at: VIRTIO_MMIO_CONFIG + 40, width: 32, access: 'ro', spec: SPEC },
  discard_sector_alignment: { at: VIRTIO_MMIO_CONFIG + 44, width: 32, access: 'ro', spec: SPEC },
  max_write_zeroes_sectors: { at: VIRTIO_MMIO_CONFIG + 48, width: 32, access: 'ro', spec: SPEC },
  max_write_zeroes_seg: { at: VIRTIO_MMIO_CONFIG + 52, width: 32, access: 'ro', spec: SPEC },
  write_zeroes_may_unmap: { at: VIRTIO_MMIO_CONFIG + 56, width: 8, access: 'ro', spec: SPEC },
  max_secure_erase_sectors: { at: VIRTIO_MMIO_CONFIG + 60, width: 32, access: 'ro', spec: SPEC },
  max_secure_erase_seg: { at: VIRTIO_MMIO_CONFIG + 64, width: 32, access: 'ro', spec: SPEC },
  secure_erase_sector_alignment: { at: VIRTIO_MMIO_CONFIG + 68, width: 32, access: 'ro', spec: SPEC },
})

/** Numbers of the feature bits (virtio 1.2, 5.2.3). */
export const VIRTIO_BLK_F = {
  SIZE_MAX: 1,
  SEG_MAX: 2,
  GEOMETRY: 4,
  RO: 5,
  BLK_SIZE: 6,
  FLUSH: 9,
  TOPOLOGY: 10,
  CONFIG_WCE: 11,
  MQ: 12,
  DISCARD: 13,
  WRITE_ZEROES: 14,
  LIFETIME: 15,
  SECURE_ERASE: 16,
} as const

/** What precedes a request's data, device-readable. One device-writable status byte follows the data. */
export const virtioBlkReq = layout(16, 'virtio 1.2 5.2.6', {
  type: { at: 0, bytes: 4 },
  reserved: { at: 4, bytes: 4 },
  sector: { at: 8, bytes: 8 },
})

/** One segment of a discard, write zeroes or secure erase request's data. */
export const virtioBlkDiscardWriteZeroes = layout(16, 'virtio 1.2 5.2.6', {
  sector: { at: 0, bytes: 8 },
  num_sectors: { at: 8, bytes: 4 },
  flags: { at: 12, bytes: 4, fields: { unmap: 0 } },
})

/** Values of `type` (virtio 1.2, 5.2.6). */
export const VIRTIO_BLK_T = {
  IN: 0,
  OUT: 1,
  FLUSH: 4,
  GET_ID: 8,
  GET_LIFETIME: 10,
  DISCARD: 11,
  WRITE_ZEROES: 13,
  SECURE_ERASE: 14,
} as const

/** Values of the status byte (virtio 1.2, 5.2.6). */
export const VIRTIO_BLK_S = { OK: 0, IOERR: 1, UNSUPP: 2 } as const

export const VIRTIO_BLK_SECTOR_BYTES = 512
/** Bytes that GET_ID fills (virtio 1.2, 5.2.6). */
export const VIRTIO_BLK_ID_BYTES = 20
/** Index of the only request queue without VIRTIO_BLK_F_MQ (virtio 1.2, 5.2.2). */
export const VIRTIO_BLK_QUEUE = 0
