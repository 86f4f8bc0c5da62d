/** What the kernel does with its disk at boot: making its tables, mounting, and opening the guests' disks for their processes. */
import type { HartPort } from '../../../hw/port.ts'
import { IMAGES, imageName } from '../../../hw/spec/layouts/host-file-system.ts'
import type { FreeMemory } from '../../core/free-memory.ts'
import { TABLES } from '../layout.ts'
import { NO_FILE, type Process } from '../process.ts'
import { LATER } from './file-system.ts'
import type { Storage } from './storage.ts'

export function createStorage(port: HartPort, storage: Storage, free: FreeMemory): void {
  storage.cache.create(port)
  storage.disk.create(port, free)
  storage.journal.create(port, free)
}

/** The path of each process's disk, as bytes. Set-up. */
export function imagePaths(processes: readonly Process[]): readonly Uint8Array[] {
  return processes.map(({ vm }) =>
    Uint8Array.from(`/${IMAGES}/${imageName(vm.index)}`, character => character.charCodeAt(0)),
  )
}

/** Mounts the file system and opens a process's disk, if it has one. False as long as that has to wait for the disk. */
export function openImage(port: HartPort, storage: Storage, process: Process, path: Uint8Array): boolean {
  if (!process.node.disk || process.record.file !== NO_FILE) return true
  const { fileSystem } = storage
  if (!fileSystem.mount(port)) return false
  for (let index = 0; index < path.length; index++) port.store8(TABLES.path + index, path[index])
  const slot = fileSystem.open(port, path.length)
  if (slot === LATER) return false
  process.record.file = slot < 0 ? MISSING : slot
  return true
}

/** In place of a slot: the file is not there, or the disk cannot be read. */
const MISSING = 0
