/** Faults of the device itself, or of its cable: what each does, and how it is brought about. */
import type { Cable } from '../../../hw/devices/cable.ts'
import type { NicController } from '../../../hw/devices/nic/nic-controller.ts'
import type { NvmeController } from '../../../hw/devices/nvme/nvme-controller.ts'
import type { Device } from '../workloads.ts'

const TABLE = {
  'media error': { device: 'nvme', does: 'a block of the disk cannot be read or written any more' },
  'slow completion': { device: 'nvme', does: 'what concerns one block takes 20 ms longer' },
  'lost completion': { device: 'nvme', does: 'what concerns one block is never said to be done' },
  'power cut': { device: 'nvme', does: 'the controller loses its volatile cache and is as it was at power on' },
  'dropped frames': { device: 'nic', does: 'the next three frames to the card are lost' },
  'corrupted frames': { device: 'nic', does: 'the next three frames to the card arrive spoilt' },
  'lost interrupts': { device: undefined, does: 'the next three interrupts reach nobody' },
  'spurious interrupt': { device: undefined, does: 'an interrupt that says nothing' },
  'surprise removal': { device: undefined, does: 'the device is pulled out' },
} as const satisfies Record<string, { readonly device: Device | undefined; readonly does: string }>

export type HardwareKind = keyof typeof TABLE
const HARDWARE_KINDS: readonly HardwareKind[] = Object.keys(TABLE) as HardwareKind[]

export function hardwareNamed(kind: HardwareKind): { readonly does: string } {
  return TABLE[kind]
}

/** Those that a device can have. */
export function hardwareKinds(device: Device): readonly HardwareKind[] {
  return HARDWARE_KINDS.filter(kind => TABLE[kind].device === undefined || TABLE[kind].device === device)
}

export function isHardware(kind: string): kind is HardwareKind {
  return Object.hasOwn(TABLE, kind)
}

/** The device that the user's driver drives, and its cable. */
export interface Hardware {
  disk?: NvmeController
  card?: NicController
  cable?: Cable
  /** Frames that the station has sent. */
  sent: number
}

const AT_ONCE = 3
const SLOW_NANOSECONDS = 20_000_000
const SECTORS_OF_A_BLOCK = 8
/** The end of the cable at which the station is. */
const STATION = 1

/** Brings it about, now. `value` chooses the block. */
export function fail(kind: HardwareKind, value: number, hardware: Hardware): void {
  const { disk, card, cable } = hardware
  const device = disk ?? card
  const block = { sector: value * SECTORS_OF_A_BLOCK, count: SECTORS_OF_A_BLOCK }
  if (kind === 'lost interrupts') device?.function.loseInterrupts(AT_ONCE)
  else if (kind === 'spurious interrupt') device?.function.interruptSpuriously(0)
  else if (kind === 'surprise removal') device?.function.remove()
  else if (kind === 'power cut') disk?.powerCut()
  else if (kind === 'dropped frames' || kind === 'corrupted frames') {
    const frames = Array.from({ length: AT_ONCE }, (_, index) => hardware.sent + index)
    const how = kind === 'dropped frames' ? 'drop' : 'corrupt'
    cable?.faults.push(...frames.map(frame => ({ kind: how, from: STATION, frame }) as const))
  } else if (kind === 'slow completion') disk?.faults.push({ kind: 'slow', ...block, nanoseconds: SLOW_NANOSECONDS })
  else disk?.faults.push({ kind, ...block })
}
