/** A VMM process as the kernel sees it: one guest's, with its own address space. */
import type { GuestNode } from '../../hw/spec/layouts/guest-node.ts'
import type { VirtualMachine } from '../core/virtual-machine.ts'
import type { AddressSpace } from './address-space.ts'

export class Process {
  readonly vm: VirtualMachine
  readonly node: GuestNode
  readonly space: AddressSpace
  /** Its first vCPU's number over all machines. */
  readonly firstVcpu: number
  /** `used`: ticks had in this period, for the cap. `rings`: the kernel's address of its rings. */
  readonly record = { ended: false, reclaimed: false, used: 0, rings: 0, console: 0 }

  constructor(vm: VirtualMachine, node: GuestNode, space: AddressSpace, firstVcpu: number) {
    this.vm = vm
    this.node = node
    this.space = space
    this.firstVcpu = firstVcpu
  }
}
