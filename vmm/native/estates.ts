/**
 * What ended guests leave behind. Their pages stay as they are until memory runs short; then they go back, one at a time,
 * to those that nobody owns, and are scrubbed before anybody gets them.
 */
import type { HartPort } from '../../hw/port.ts'
import type { FreeMemory } from '../core/free-memory.ts'
import { NOWHERE } from '../core/vcpu.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import type { DmaGuard } from './dma-guard.ts'

export interface EstateParts {
  readonly free: FreeMemory
  readonly guard: DmaGuard | undefined
  /** Guests whose memory none but their own vCPUs, their virtual chips and the VMM's own devices reach. */
  readonly heritable: readonly VirtualMachine[]
}

export class Estates {
  readonly #parts: EstateParts

  constructor(parts: EstateParts) {
    this.#parts = parts
  }

  /** Scrubs a piece, or takes back a page, or waits until it may. False if no ended guest has any, and all is clean. */
  makeRoom(port: HartPort): boolean {
    const { free, guard, heritable } = this.#parts
    port.account('vmm', 'scrubbing', 'emulation')
    if (free.scrub(port)) return true
    for (let index = 0; index < heritable.length; index++) {
      const vm = heritable[index]
      if (!vm.record.ended || !vm.ram.hasPages()) continue
      if (isLoaded(vm) || !vm.quiesce(port)) return true
      const page = vm.ram.takeBack(port)
      vm.forgetTranslations()
      guard?.takeBack(port, vm.index, page)
      free.givePage(page)
      return true
    }
    return false
  }
}

/** True if a hart still holds one of its vCPUs. */
function isLoaded(vm: VirtualMachine): boolean {
  for (let index = 0; index < vm.vcpus.length; index++) if (vm.vcpus[index].record.hart !== NOWHERE) return true
  return false
}
