/** Where a guest's devices send their messages: to its own interrupt files, by the IOMMU's MSI page table. */
import { GUEST_AIA } from '../../../hw/spec/guest-map.ts'
import type { DmaGuard } from '../dma-guard.ts'

const PAGE = 4096

export class MessageRoute {
  /** Number of the MSI page table, and which guest pages are for it. */
  readonly table: number
  readonly mask: number
  readonly pattern = GUEST_AIA.imsic.base / PAGE
  readonly #guard: DmaGuard
  readonly #files: readonly number[]

  /** `files`: where the interrupt file of each of the guest's vCPUs lies on the machine. */
  constructor(guard: DmaGuard, table: number, files: readonly number[]) {
    this.#guard = guard
    this.table = table
    this.#files = files
    this.mask = 2 ** (32 - Math.clz32(files.length - 1)) - 1
  }

  /** Fills the MSI page table. */
  prepare(): void {
    for (let vcpu = 0; vcpu < this.#files.length; vcpu++) this.#guard.setMessage(this.table, vcpu, this.#files[vcpu])
  }

  /** True if a message's address, as the guest has it, is one of the guest's interrupt files. */
  isFile(address: number): boolean {
    const page = Math.floor(address / PAGE) - this.pattern
    return page >= 0 && page < this.#files.length && address % PAGE === 0
  }
}
