/** A VMM as whoever switches the machine on gets it: software to be installed, and its guests to be looked at. */
import type { Software } from '../../hw/port.ts'
import type { Program } from '../../hw/spec/isa/assembler.ts'
import type { VirtualMachine } from './virtual-machine.ts'

export interface Installed {
  /** TypeScript software, and where each is linked. */
  readonly images: readonly { readonly software: Software; readonly program: Program }[]
  readonly vms: readonly VirtualMachine[]
  /** Requests of devices that the IOMMU has refused, where the VMM has one: how many, the last one, and how many by requester. */
  readonly dmaFaults?: DmaFaults
}

export interface DmaFaults {
  readonly record: {
    readonly faults: number
    readonly lost: number
    readonly device: number
    readonly cause: number
    readonly kind: number
    readonly address: number
  }
  readonly faultsOf: Int32Array
}
