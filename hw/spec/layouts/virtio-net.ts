/** The virtio network device (virtio 1.2, 5.1): its configuration space and the header before each frame. */
import { VIRTIO_MMIO_CONFIG } from '../devices/virtio-mmio.ts'
import { layout } from '../layout.ts'
import { registers } from '../registers.ts'

const SPEC = 'virtio 1.2 5.1.4'

/** Configuration space, at its offsets in the MMIO window. */
export const virtioNetConfig = registers({
  mac: { at: VIRTIO_MMIO_CONFIG + 0, width: 8, access: 'ro', count: 6, stride: 1, spec: SPEC },
  status: { at: VIRTIO_MMIO_CONFIG + 6, width: 16, access: 'ro', spec: SPEC, fields: { LINK_UP: 0, ANNOUNCE: 1 } },
  max_virtqueue_pairs: { at: VIRTIO_MMIO_CONFIG + 8, width: 16, access: 'ro', spec: SPEC },
  mtu: { at: VIRTIO_MMIO_CONFIG + 10, width: 16, access: 'ro', spec: SPEC },
  speed: { at: VIRTIO_MMIO_CONFIG + 12, width: 32, access: 'ro', spec: SPEC },
  duplex: { at: VIRTIO_MMIO_CONFIG + 16, width: 8, access: 'ro', spec: SPEC },
  rss_max_key_size: { at: VIRTIO_MMIO_CONFIG + 17, width: 8, access: 'ro', spec: SPEC },
  rss_max_indirection_table_length: { at: VIRTIO_MMIO_CONFIG + 18, width: 16, access: 'ro', spec: SPEC },
  supported_hash_types: { at: VIRTIO_MMIO_CONFIG + 20, width: 32, access: 'ro', spec: SPEC },
})

/** Numbers of the feature bits (virtio 1.2, 5.1.3). */
export const VIRTIO_NET_F = {
  CSUM: 0,
  GUEST_CSUM: 1,
  CTRL_GUEST_OFFLOADS: 2,
  MTU: 3,
  MAC: 5,
  GUEST_TSO4: 7,
  GUEST_TSO6: 8,
  GUEST_ECN: 9,
  GUEST_UFO: 10,
  HOST_TSO4: 11,
  HOST_TSO6: 12,
  HOST_ECN: 13,
  HOST_UFO: 14,
  MRG_RXBUF: 15,
  STATUS: 16,
  CTRL_VQ: 17,
  CTRL_RX: 18,
  CTRL_VLAN: 19,
  GUEST_ANNOUNCE: 21,
  MQ: 22,
  CTRL_MAC_ADDR: 23,
  HOST_USO: 56,
  HASH_REPORT: 57,
  GUEST_HDRLEN: 59,
  RSS: 60,
  RSC_EXT: 61,
  STANDBY: 62,
  SPEED_DUPLEX: 63,
} as const

/** What precedes each frame, sent or received, with VIRTIO_F_VERSION_1 and without HASH_REPORT. */
export const virtioNetHdr = layout(12, 'virtio 1.2 5.1.6', {
  flags: { at: 0, bytes: 1, fields: { NEEDS_CSUM: 0, DATA_VALID: 1, RSC_INFO: 2 } },
  gso_type: { at: 1, bytes: 1 },
  hdr_len: { at: 2, bytes: 2 },
  gso_size: { at: 4, bytes: 2 },
  csum_start: { at: 6, bytes: 2 },
  csum_offset: { at: 8, bytes: 2 },
  num_buffers: { at: 10, bytes: 2 },
})

export const VIRTIO_NET_HDR_GSO_NONE = 0

/** Indices of the queues without VIRTIO_NET_F_MQ (virtio 1.2, 5.1.2). */
export const VIRTIO_NET_RECEIVEQ = 0
export const VIRTIO_NET_TRANSMITQ = 1
