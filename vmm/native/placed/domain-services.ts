/** The driver of disks, or of the network card, in a guest of its own (vmm/native/placed/domain): the VMM has no virtual device for it. */
import type { DriverPlacement } from '../../../hw/spec/layouts/placement.ts'
import type { Ground } from '../ground.ts'
import { checkOptions } from './options.ts'
import type { DiskService, NetworkService } from './service.ts'

export function domainDisk(_ground: Ground, placement: DriverPlacement): DiskService {
  checkOptions('disk', placement, ['depth', 'queues', 'hart', 'transfer'])
  return {
    devices: [],
    state: {},
    partition: ({ node }) => {
      throw new Error(`${node.label} has its disk from a driver domain`)
    },
  }
}

export function domainNetwork(_ground: Ground, placement: DriverPlacement): NetworkService {
  checkOptions('network card', placement, ['coalescing', 'hart', 'transfer'])
  return {
    devices: [],
    state: {},
    plug: ({ node }) => {
      throw new Error(`${node.label} has its network card from a driver domain`)
    },
  }
}
