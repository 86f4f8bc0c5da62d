/** What the handling of exits needs from the VMM around it: native in HS-mode, or the module in the host's kernel. */
import type { HartPort } from '../../hw/port.ts'
import type { Party } from '../../hw/spec/ledger.ts'
import type { Vcpu } from './vcpu.ts'
import type { VirtualMachine } from './virtual-machine.ts'

export interface Host {
  /** To whom the handling of exits is charged. */
  readonly party: Party
  /** Makes the hart that holds the vCPU look at what was raised, or lets a waiting one run. The entry that called goes on first. */
  kick(port: HartPort, vcpu: Vcpu): void
  /** A byte for the guest's debug console. */
  consolePut(port: HartPort, vm: VirtualMachine, byte: number): void
  /** A byte from it, or -1. */
  consoleGet(port: HartPort, vm: VirtualMachine): number
  /** No page is left for a guest: does a part of what may yield one. False: nothing will. */
  makeRoom(port: HartPort): boolean
  /** The guest is over: `crashed` tells how. All its vCPUs stop; the rest of the machine goes on. */
  end(port: HartPort, vm: VirtualMachine, vcpu: Vcpu, crashed: boolean, code: number): void
}
