/** The driver of disks, or of the network card, in a guest of its own (vmm/native/placed/domain): the VMM has no virtual device for it. */
import { type DriverPlacement, isPolled } from '../../../hw/spec/layouts/placement.ts'
import type { Ground } from '../ground.ts'
import { checkOptions, type PlacedKind } from './options.ts'
import type { DiskService, NetworkService } from './service.ts'

export function domainDisk(_ground: Ground, placement: DriverPlacement): DiskService {
  checkOptions('disk', placement, ['service', 'coalescing', 'depth', 'queues', 'hart', 'transfer'])
  checkPolling('disk', placement)
  return {
    devices: [],
    state: {},
    partition: ({ node }) => {
      throw new Error(`${node.label} has its disk from a driver domain`)
    },
  }
}

/** A domain that polls never waits. */
function checkPolling(device: PlacedKind, placement: DriverPlacement): void {
  if (isPolled(placement) && placement.hart === undefined)
    throw new Error(
      `the ${device}'s driver at "domain" has service "polling" and no hart: a domain that polls would take its turns from guests; give it a hart`,
    )
}

export function domainNetwork(_ground: Ground, placement: DriverPlacement): NetworkService {
  checkOptions('network card', placement, ['service', 'coalescing', 'queues', 'hart', 'transfer'])
  checkPolling('network card', placement)
  return {
    devices: [],
    state: {},
    plug: ({ node }) => {
      throw new Error(`${node.label} has its network card from a driver domain`)
    },
  }
}
