/** Guests have devices of their own (vmm/native/passthrough): there is no service, and no virtual device behind which one would stand. */
import type { DiskService, NetworkService } from './service.ts'

export function ownDisk(): DiskService {
  return {
    devices: [],
    state: {},
    partition: ({ node }) => {
      throw new Error(`${node.label} drives its disk itself`)
    },
  }
}

export function ownNetwork(): NetworkService {
  return {
    devices: [],
    state: {},
    plug: ({ node }) => {
      throw new Error(`${node.label} drives its network card itself`)
    },
  }
}
