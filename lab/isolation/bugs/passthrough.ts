/** Devices that guests drive themselves: the IOMMU between them and memory, and what a guest gets of its device. */
import type { Bug } from './bug.ts'

const IOMMU = 'drivers/iommu.ts'
const GUARD = 'vmm/native/dma-guard.ts'
const FUNCTION = 'vmm/native/passthrough/passed-function.ts'

export const PASSTHROUGH: readonly Bug[] = [
  {
    name: 'iommu-lets-all-pass',
    models: 'XSA-321, XSA-347: an IOMMU entry that is not what it should be when the device uses it',
    area: 'IOMMU',
    difference: 'a guest’s device reaches the machine’s memory at the addresses that the guest gives it',
    file: IOMMU,
    anchor: '(GUEST_MODE | (gscid << GSCID_SHIFT)) >>> 0',
    replacement: '(gscid << GSCID_SHIFT) >>> 0',
    promise: 'dma',
    seed: 11,
  },
  {
    name: 'one-iommu-domain',
    models: 'XSA-399: a domain’s identifier that is another’s, too',
    area: 'IOMMU',
    difference: 'devices of all guests translate with what the IOMMU has kept for any of them',
    file: IOMMU,
    anchor: 'GUEST_MODE | (gscid << GSCID_SHIFT)',
    replacement: 'GUEST_MODE | (1 << GSCID_SHIFT)',
    promise: 'dma',
    seed: 0,
  },
  {
    name: 'tables-a-gigabyte-off',
    models: 'XSA-442: tables that lead elsewhere than they should',
    area: 'IOMMU',
    difference: 'a device translates by the tables that lie behind its guest’s: the next guest’s',
    file: GUARD,
    anchor: 'driver.attach(identity, vm.ram.root, vm.vmid, messages, mask, pattern)',
    replacement: 'driver.attach(identity, vm.ram.root + 0x4000, vm.vmid, messages, mask, pattern)',
    promise: 'dma',
    seed: 11,
  },
  {
    name: 'first-function-for-all',
    models: 'XSA-449: a requester that is left with another owner',
    area: 'passthrough',
    difference: 'every guest that is given a disk gets the registers of the first',
    file: FUNCTION,
    anchor: 'configuration.findClass(this.#class, assignment.number)',
    replacement: 'configuration.findClass(this.#class, 0 * assignment.number)',
    promise: 'dma',
    seed: 11,
  },
  {
    name: 'functions-share-a-window',
    models: 'XSA-379: one page, two owners',
    area: 'passthrough',
    difference: 'the registers of all functions that are passed on are put at one address',
    file: 'vmm/native/passthrough/index.ts',
    anchor: 'window: WINDOWS + index * WINDOW_BYTES',
    replacement: 'window: WINDOWS + index * 0 * WINDOW_BYTES',
    promise: 'dma',
    seed: 11,
  },
]
