/** Makes the guard of the machine's memory, if the machine has an IOMMU. Set-up. */
import { iommuDriver } from '../../drivers/iommu.ts'
import { type CurrentPort, PortEnvironment } from '../../drivers/port-environment.ts'
import type { Fdt } from '../../hw/spec/layouts/fdt.ts'
import type { TableAllocator } from '../core/g-stage.ts'
import { windowOf } from '../core/machine-tree.ts'
import { DmaGuard, GUARDED_DEVICES } from './dma-guard.ts'
import { dmaRegion, rootOf } from './layout.ts'

export const IOMMU = 'riscv,iommu'
/** The interrupt controller's driver has this region of DMA memory, and no use for it. */
const REGION = 0

export interface GuardGround {
  readonly current: CurrentPort
  readonly now: () => number
  /** How many guests there are. */
  readonly vms: number
  readonly takeTable: TableAllocator
  /** Where messages of the VMM's own devices go, or 0. */
  readonly messages: number
}

/** Its own domains' tables begin behind the guests', and so do the numbers that name them. */
export function makeGuard(tree: Fdt, { current, now, vms, takeTable, messages }: GuardGround): DmaGuard {
  const { base, node } = windowOf(tree, IOMMU)
  const interrupts = node.properties.get('interrupts')!
  const source = new DataView(interrupts.buffer, interrupts.byteOffset).getUint32(0)
  const environment = new PortEnvironment({
    current,
    name: 'iommu',
    registers: base,
    dma: dmaRegion(REGION),
    interrupts: [() => {}],
    now,
    wakeAt: () => {},
  })
  const driver = iommuDriver(environment, { devices: GUARDED_DEVICES, messageTables: vms })
  return new DmaGuard({
    current,
    environment,
    driver,
    source,
    takeTable,
    rootOf: domain => rootOf(vms + domain),
    gscidOf: domain => vms + 1 + domain,
    messages,
  })
}
