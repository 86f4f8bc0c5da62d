/** The virtio transport over memory-mapped registers, version 2 (virtio 1.2, 4.2). All control registers are 32 bits wide. */
import { registers } from '../registers.ts'

const SPEC = 'virtio 1.2 4.2.2'

export const virtioMmio = registers({
  MagicValue: { at: 0x000, width: 32, access: 'ro', reset: 0x74726976, spec: SPEC },
  Version: { at: 0x004, width: 32, access: 'ro', reset: 2, spec: SPEC },
  DeviceID: { at: 0x008, width: 32, access: 'ro', spec: SPEC },
  VendorID: { at: 0x00c, width: 32, access: 'ro', spec: SPEC },
  DeviceFeatures: { at: 0x010, width: 32, access: 'ro', spec: SPEC },
  DeviceFeaturesSel: { at: 0x014, width: 32, access: 'wo', spec: SPEC },
  DriverFeatures: { at: 0x020, width: 32, access: 'wo', spec: SPEC },
  DriverFeaturesSel: { at: 0x024, width: 32, access: 'wo', spec: SPEC },
  QueueSel: { at: 0x030, width: 32, access: 'wo', spec: SPEC },
  QueueNumMax: { at: 0x034, width: 32, access: 'ro', spec: SPEC },
  QueueNum: { at: 0x038, width: 32, access: 'wo', spec: SPEC },
  QueueReady: { at: 0x044, width: 32, access: 'rw', spec: SPEC },
  QueueNotify: { at: 0x050, width: 32, access: 'wo', spec: SPEC },
  InterruptStatus: {
    at: 0x060,
    width: 32,
    access: 'ro',
    spec: SPEC,
    fields: { UsedBuffer: 0, ConfigurationChange: 1 },
  },
  InterruptACK: { at: 0x064, width: 32, access: 'wo', spec: SPEC, fields: { UsedBuffer: 0, ConfigurationChange: 1 } },
  Status: {
    at: 0x070,
    width: 32,
    access: 'rw',
    spec: 'virtio 1.2 2.1',
    fields: { ACKNOWLEDGE: 0, DRIVER: 1, DRIVER_OK: 2, FEATURES_OK: 3, DEVICE_NEEDS_RESET: 6, FAILED: 7 },
  },
  QueueDescLow: { at: 0x080, width: 32, access: 'wo', spec: SPEC },
  QueueDescHigh: { at: 0x084, width: 32, access: 'wo', spec: SPEC },
  QueueDriverLow: { at: 0x090, width: 32, access: 'wo', spec: SPEC },
  QueueDriverHigh: { at: 0x094, width: 32, access: 'wo', spec: SPEC },
  QueueDeviceLow: { at: 0x0a0, width: 32, access: 'wo', spec: SPEC },
  QueueDeviceHigh: { at: 0x0a4, width: 32, access: 'wo', spec: SPEC },
  SHMSel: { at: 0x0ac, width: 32, access: 'wo', spec: SPEC },
  SHMLenLow: { at: 0x0b0, width: 32, access: 'ro', reset: 0xffff_ffff, spec: SPEC },
  SHMLenHigh: { at: 0x0b4, width: 32, access: 'ro', reset: 0xffff_ffff, spec: SPEC },
  SHMBaseLow: { at: 0x0b8, width: 32, access: 'ro', reset: 0xffff_ffff, spec: SPEC },
  SHMBaseHigh: { at: 0x0bc, width: 32, access: 'ro', reset: 0xffff_ffff, spec: SPEC },
  QueueReset: { at: 0x0c0, width: 32, access: 'rw', spec: SPEC },
  ConfigGeneration: { at: 0x0fc, width: 32, access: 'ro', spec: SPEC },
})

/** Offset at which the device-specific configuration space begins (virtio 1.2, 4.2.2). */
export const VIRTIO_MMIO_CONFIG = 0x100
/** Bytes of one device's window. */
export const VIRTIO_MMIO_BYTES = 0x200

/** DeviceID values (virtio 1.2, 5). */
export const VIRTIO_ID = { network: 1, block: 2, console: 3 } as const

/** Numbers of the feature bits that belong to no device type (virtio 1.2, 6). Bit n ≥ 32 is bit n − 32 of word 1. */
export const VIRTIO_F = {
  INDIRECT_DESC: 28,
  EVENT_IDX: 29,
  VERSION_1: 32,
  ACCESS_PLATFORM: 33,
  RING_PACKED: 34,
  IN_ORDER: 35,
  ORDER_PLATFORM: 36,
  SR_IOV: 37,
  NOTIFICATION_DATA: 38,
  NOTIF_CONFIG_DATA: 39,
  RING_RESET: 40,
} as const
