/** The disk's driver in the VMM itself. */
import { nvmeDriver } from '../../../drivers/nvme.ts'
import type { DriverPlacement } from '../../../hw/spec/layouts/placement.ts'
import { NativeDisk } from '../disk.ts'
import type { Ground } from '../ground.ts'
import { checkOptions } from './options.ts'
import type { DiskService } from './service.ts'

/** Where the VMM puts the controller's registers: in the root bus's window for 32-bit addresses. */
const REGISTERS = 0x4000_0000

export function vmmDisk(ground: Ground, placement: DriverPlacement): DiskService {
  const { current, guests, bus, controller, environment, serve } = ground
  const { depth, queues } = placement
  checkOptions('disk', placement, ['depth', 'queues'])
  const own = environment('nvme', REGISTERS, [masked => disk.mask(masked)])
  const partitions = guests.filter(({ node }) => node.disk).length
  const driver = nvmeDriver(own, { queueDepth: depth, queues })
  const disk: NativeDisk = new NativeDisk(current, own, driver, bus, controller, REGISTERS, partitions)
  return {
    devices: partitions > 0 ? [disk] : [],
    state: disk.state,
    partition: (guest, range) => {
      serve(REGISTERS, guest)
      return disk.partition(range, guest.vm.ram)
    },
  }
}
