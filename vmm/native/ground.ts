/** What drivers are placed with: the parts of the machine that they share, and the guests that they serve. Set-up. */
import type { InterruptController } from '../../drivers/environment.ts'
import type { PcieBus } from '../../drivers/pcie.ts'
import type { CurrentPort, DmaRegion, PortEnvironment } from '../../drivers/port-environment.ts'
import type { Fdt } from '../../hw/spec/layouts/fdt.ts'
import type { GuestNode } from '../../hw/spec/layouts/guest-node.ts'
import type { GuestImages } from '../core/guest-images.ts'
import type { TableAllocator } from '../core/g-stage.ts'
import type { Host } from '../core/host.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'

import type { Loans } from './loans.ts'
import type { Servers } from './placed/server/vmm-side-servers.ts'

export interface PlannedGuest extends GuestImages {
  readonly vm: VirtualMachine
  readonly node: GuestNode
}

export interface Ground {
  readonly tree: Fdt
  readonly current: CurrentPort
  /** Who handles exits: the VMM sets itself here when it is made. */
  readonly host: { vmm: Host | undefined }
  readonly guests: readonly PlannedGuest[]
  readonly bus: PcieBus
  /** Where configuration space begins. */
  readonly ecam: number
  /** The machine's interrupt controller, as hart 0 has it. */
  readonly controller: InterruptController
  /**
   * The environment of a driver that the VMM runs itself: its registers, and a region of DMA memory of its own, which is
   * what the device reaches of memory where there is an IOMMU. Names are unique. `interrupts`: one a wire, masks it.
   */
  environment(name: string, registers: number, interrupts?: readonly ((masked: boolean) => void)[]): PortEnvironment
  /** The next region of DMA memory, which is what the device whose registers are there reaches. */
  region(registers: number): DmaRegion
  /** An environment with memory that is told; see `region`. */
  environmentIn(
    name: string,
    registers: number,
    memory: DmaRegion,
    interrupts?: readonly ((masked: boolean) => void)[],
  ): PortEnvironment
  /** How that device reaches memory for a request. */
  loans(registers: number): Loans
  readonly takeTable: TableAllocator
  readonly harts: number
  /** Who enters servers, if there are any. */
  readonly servers: { all: Servers | undefined }
  /** The device whose registers are there reaches the guest's RAM as well. */
  serve(registers: number, guest: PlannedGuest): void
}
