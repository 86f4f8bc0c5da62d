/** What files are kept by: the page cache, the disk behind it, the file system on it, its write-back and its journal. Set-up. */
import type { InterruptController } from '../../../drivers/environment.ts'
import { nvmeDriver } from '../../../drivers/nvme.ts'
import type { PcieBus } from '../../../drivers/pcie.ts'
import type { CurrentPort, PortEnvironment } from '../../../drivers/port-environment.ts'
import type { StateRecord } from '../../../hw/port.ts'
import type { FreeMemory } from '../../core/free-memory.ts'
import type { PageCache } from '../page-cache.ts'
import type { SoftInterrupts } from '../soft-interrupts.ts'
import { Allocation } from './allocation.ts'
import type { DeviceMemory } from '../memory/device-memory.ts'
import { BlockLayer } from './block-layer.ts'
import { DiskDevice } from './disk-device.ts'
import { DISK_DEPTH } from './tags.ts'
import { Buffers } from './buffers.ts'
import { FileSystem } from './file-system.ts'
import { Journal } from './journal.ts'
import { PageReader } from './page-reader.ts'
import { WriteBack } from './write-back.ts'

export interface Storage {
  readonly cache: PageCache
  readonly disk: BlockLayer
  readonly device: DiskDevice
  readonly fileSystem: FileSystem
  readonly reader: PageReader
  readonly writeBack: WriteBack
  readonly journal: Journal
  readonly allocation: Allocation
  readonly state: Readonly<Record<string, StateRecord>>
}

export interface StorageParts {
  readonly current: CurrentPort
  readonly environment: PortEnvironment
  readonly bus: PcieBus
  readonly controller: InterruptController
  /** Where the disk's registers are put. */
  readonly window: number
  readonly soft: SoftInterrupts
  readonly harts: number
  readonly cache: PageCache
  readonly free: FreeMemory
  readonly memory: DeviceMemory
}

export function makeStorage(parts: StorageParts): Storage {
  const { current, environment, bus, controller, window, soft, harts, cache, free, memory } = parts
  const nvme = nvmeDriver(environment, { queueDepth: DISK_DEPTH })
  const disk = new BlockLayer(current, nvme, soft, harts, memory)
  const device = new DiskDevice(environment, nvme, bus, controller, window, disk)
  const buffers = new Buffers(cache, disk)
  const fileSystem = new FileSystem(buffers, disk, free)
  const reader = new PageReader(cache, fileSystem, disk)
  const writeBack = new WriteBack(cache, fileSystem, disk)
  const journal = new Journal(cache, buffers, fileSystem, disk, writeBack)
  const state = {
    cache: cache.record,
    buffers: buffers.record,
    fileSystem: fileSystem.record,
    'read ahead': reader.record,
    ...disk.state,
    ...device.state,
    ...writeBack.state,
    ...journal.state,
  }
  const allocation = new Allocation(buffers, fileSystem, journal)
  return { cache, disk, device, fileSystem, reader, writeBack, journal, allocation, state }
}
