/** Puts the drivers of disks and network cards where the device tree says. */
import type { DriverPlacement, Placements } from '../../../hw/spec/layouts/placement.ts'
import type { Ground } from '../ground.ts'
import type { DiskService, NetworkService } from './service.ts'
import { functionNetwork } from './function-network.ts'
import { ownDisk, ownNetwork } from './own.ts'
import { domainDisk, domainNetwork } from './domain-services.ts'
import { serverDisk, serverNetwork } from './server-services.ts'
import { vmmDisk } from './vmm-disk.ts'
import { vmmNetwork } from './vmm-network.ts'

type Maker<Service> = (ground: Ground, placement: DriverPlacement) => Service

/** By DriverPlacement.at. */
const DISKS: Readonly<Partial<Record<DriverPlacement['at'], Maker<DiskService>>>> = {
  vmm: vmmDisk,
  server: serverDisk,
  domain: domainDisk,
  guest: ownDisk,
}
const NETWORKS: Readonly<Partial<Record<DriverPlacement['at'], Maker<NetworkService>>>> = {
  vmm: vmmNetwork,
  server: serverNetwork,
  domain: domainNetwork,
  guest: ownNetwork,
  function: functionNetwork,
}

export interface PlacedServices {
  readonly disk: DiskService
  readonly network: NetworkService
}

/** Throws one line if the VMM does not know a place. */
export function placeServices(ground: Ground, { disk, network }: Placements): PlacedServices {
  return {
    disk: chosen('disk', DISKS, disk)(ground, disk),
    network: chosen('network', NETWORKS, network)(ground, network),
  }
}

function chosen<Service>(
  name: string,
  makers: Readonly<Partial<Record<DriverPlacement['at'], Maker<Service>>>>,
  { at }: DriverPlacement,
): Maker<Service> {
  const maker = makers[at]
  if (!maker)
    throw new Error(`the native VMM has no placement "${at}" for ${name}: give ${Object.keys(makers).join(', ')}`)
  return maker
}
