/** A guest's PLIC whose completions somebody waits for: whoever injects interrupts of devices that the guest drives itself. */
import type { HartPort } from '../../hw/port.ts'
import { plic } from '../../hw/spec/devices/plic.ts'
import type { VirtualChip } from './chip.ts'
import type { VirtualPlic } from './plic.ts'

export class CompletingPlic implements VirtualChip {
  readonly #plic: VirtualPlic
  readonly #completed: (port: HartPort, source: number) => void

  constructor(inner: VirtualPlic, completed: (port: HartPort, source: number) => void) {
    this.#plic = inner
    this.#completed = completed
  }

  read(port: HartPort, offset: number, bytes: 1 | 2 | 4): number {
    return this.#plic.read(port, offset, bytes)
  }

  write(port: HartPort, offset: number, bytes: 1 | 2 | 4, value: number): void {
    this.#plic.write(port, offset, bytes, value)
    const isClaim = offset >= plic.threshold.at && (offset - plic.claim.at) % plic.claim.stride === 0
    if (isClaim) this.#completed(port, value)
  }
}
