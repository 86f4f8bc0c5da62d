/** Guests have devices of their own (vmm/native/passthrough): there is no service, and no virtual device behind which one would stand. */
import type { DriverPlacement } from '../../../hw/spec/layouts/placement.ts'
import type { Ground } from '../ground.ts'
import { checkOptions } from './options.ts'
import type { DiskService, NetworkService } from './service.ts'

export function ownDisk(_ground: Ground, placement: DriverPlacement): DiskService {
  checkOptions('disk', placement, [])
  return {
    devices: [],
    state: {},
    partition: ({ node }) => {
      throw new Error(`${node.label} drives its disk itself`)
    },
  }
}

export function ownNetwork(_ground: Ground, placement: DriverPlacement): NetworkService {
  checkOptions('network card', placement, [])
  return {
    devices: [],
    state: {},
    plug: ({ node }) => {
      throw new Error(`${node.label} drives its network card itself`)
    },
  }
}
