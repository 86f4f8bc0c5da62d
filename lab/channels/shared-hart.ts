/** Two guests on one hart under the native VMM, caches modelled. */
import type { ChannelGuest } from '../../guests/channels/channel.ts'
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import { pricesFor } from '../../hw/index.ts'
import { GUEST_RAM } from '../../hw/spec/guest-map.ts'
import type { TimeProtection } from '../../hw/spec/layouts/time-protection.ts'
import type { VirtualMachine } from '../../vmm/core/virtual-machine.ts'
import { buildSystem, type System, type SystemGuest } from '../system.ts'

const MIB = 2 ** 20
const LARGE_PAGE = 2 * MIB
const GUEST_BYTES = 32 * MIB
const RAM_BYTES = 160 * MIB
const DISK_SECTORS = (16 * MIB) / 512

/** Each has half of the disk, if there is one. Time is shared by need unless it is protected. */
export function sharedHart(
  guests: readonly (ChannelGuest & { readonly label: string })[],
  { disk, timeProtection }: { readonly disk: boolean; readonly timeProtection?: TimeProtection },
): System {
  const share = DISK_SECTORS / guests.length
  return buildSystem({
    configuration: 'native',
    harts: 1,
    ramBytes: RAM_BYTES,
    guests: guests.map(
      ({ label, program, software }, index): SystemGuest => ({
        label,
        memoryBytes: GUEST_BYTES,
        vcpus: 1,
        harts: [0],
        weight: 256,
        cap: 0,
        bootargs: '',
        kernel: program.bytes,
        ...(software && { scripted: { software, program } }),
        ...(disk && { disk: { first: index * share, sectors: share } }),
      }),
    ),
    prices: pricesFor({ model: 'cached' }),
    disks: disk ? [new MemoryBacking(DISK_SECTORS)] : [],
    ...(timeProtection && { timeProtection }),
  })
}

/** The 64-bit number at an address of the guest's RAM; 0 if nothing has been there. */
export function noted({ machine }: System, { ram }: VirtualMachine, address: number): number {
  const offset = address - GUEST_RAM
  const page = ram.pages[Math.floor(offset / LARGE_PAGE)]
  if (page === 0) return 0
  const at = machine.memory.toHost(page + (offset % LARGE_PAGE))
  return Number(machine.memory.view.getBigUint64(at, true))
}
