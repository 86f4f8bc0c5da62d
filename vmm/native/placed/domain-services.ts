/** The driver of disks, or of the network card, in a guest of its own (vmm/native/placed/domain): the VMM has no virtual device for it. */
import type { DiskService, NetworkService } from './service.ts'

export function domainDisk(): DiskService {
  return {
    devices: [],
    state: {},
    partition: ({ node }) => {
      throw new Error(`${node.label} has its disk from a driver domain`)
    },
  }
}

export function domainNetwork(): NetworkService {
  return {
    devices: [],
    state: {},
    plug: ({ node }) => {
      throw new Error(`${node.label} has its network card from a driver domain`)
    },
  }
}
