/** The same device by way of a ring: a guest whose disk is in a driver domain has another driver, and is otherwise as it was. */
import type { BlockDevice, NetworkDevice } from '../../drivers/environment.ts'
import { ringBlk } from '../../drivers/ring-blk.ts'
import { ringNet } from '../../drivers/ring-net.ts'
import { RING_ID } from '../../hw/spec/devices/ring.ts'
import type { Hardware } from './device.ts'

/** `rings`: false leaves it alone. */
export function diskHardware(hardware: Hardware<BlockDevice>, rings = false): Hardware<BlockDevice> {
  return rings ? { ...hardware, virtioId: RING_ID.block, virtual: ringBlk } : hardware
}

export function networkHardware(hardware: Hardware<NetworkDevice>, rings = false): Hardware<NetworkDevice> {
  return rings ? { ...hardware, virtioId: RING_ID.network, virtual: ringNet } : hardware
}
