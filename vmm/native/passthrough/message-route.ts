/** Where messages for a guest go: to its own interrupt files, from its devices by the IOMMU's MSI page table, from its vCPUs by its G-stage tables. */
import type { HartPort } from '../../../hw/port.ts'
import { GUEST_AIA } from '../../../hw/spec/guest-map.ts'
import { mapSmall, SMALL_PAGE, type TableAllocator } from '../../core/g-stage.ts'
import type { DmaGuard } from '../dma-guard.ts'

export class MessageRoute {
  /** Number of the MSI page table, and which guest pages are for it. */
  readonly table: number
  readonly mask: number
  readonly pattern = GUEST_AIA.imsic.base / SMALL_PAGE
  readonly #guard: DmaGuard
  readonly #root: number
  readonly #files: readonly number[]
  readonly #takeTable: TableAllocator

  /** `root`: the guest's G-stage tables; `files`: where the interrupt file of each of its vCPUs lies on the machine. */
  constructor(guard: DmaGuard, table: number, root: number, files: readonly number[], takeTable: TableAllocator) {
    this.#guard = guard
    this.table = table
    this.#root = root
    this.#files = files
    this.#takeTable = takeTable
    this.mask = 2 ** (32 - Math.clz32(files.length - 1)) - 1
  }

  /** Fills both tables. */
  prepare(port: HartPort): void {
    for (let vcpu = 0; vcpu < this.#files.length; vcpu++) {
      const file = this.#files[vcpu]
      this.#guard.setMessage(this.table, vcpu, file)
      mapSmall(port, this.#root, GUEST_AIA.imsic.base + vcpu * SMALL_PAGE, file, this.#takeTable)
    }
  }

  /** True if a message's address, as the guest has it, is one of the guest's interrupt files. */
  isFile(address: number): boolean {
    const page = address / SMALL_PAGE - this.pattern
    return page >= 0 && page < this.#files.length && address % SMALL_PAGE === 0
  }
}
