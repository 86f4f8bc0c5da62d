/** The disk's driver in the VMM itself. */
import { nvmeDriver } from '../../../drivers/nvme.ts'
import { nvmeConfigOf, wiresOf } from '../../../drivers/placement-config.ts'
import { type DriverPlacement, isPolled } from '../../../hw/spec/layouts/placement.ts'
import { NativeDisk } from '../disk.ts'
import type { Ground } from '../ground.ts'
import { checkOptions, checkVmmHart } from './options.ts'
import { PolledDevice } from './polled-device.ts'
import type { DiskService } from './service.ts'

/** Where the VMM puts the controller's registers: in the root bus's window for 32-bit addresses. */
const REGISTERS = 0x4000_0000

export function vmmDisk(ground: Ground, placement: DriverPlacement): DiskService {
  const { current, guests, bus, controller, environment, serve } = ground
  const { hart } = placement
  checkOptions('disk', placement, ['service', 'coalescing', 'depth', 'queues', 'hart'])
  checkVmmHart('disk', placement, ground)
  const own = environment('nvme', REGISTERS, wiresOf(placement, [masked => disk.mask(masked)]))
  const partitions = guests.filter(({ node }) => node.disk).length
  const driver = nvmeDriver(own, nvmeConfigOf(placement))
  const disk: NativeDisk = new NativeDisk(current, own, driver, bus, controller, REGISTERS, partitions)
  const polled = isPolled(placement) && partitions > 0 ? new PolledDevice(disk, driver, hart ?? 0) : undefined
  return {
    devices: partitions > 0 ? [polled ?? disk] : [],
    ...(polled && { polled }),
    ...(hart !== undefined && { hart }),
    state: { ...disk.state, ...polled?.state },
    partition: (guest, range) => {
      serve(REGISTERS, guest)
      return disk.partition(range, guest.vm.ram)
    },
  }
}
