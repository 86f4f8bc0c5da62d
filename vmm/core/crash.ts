/** What is kept of a guest that crashed, for whoever wants to know: the code around its pc, and what its trap said. */
import type { HartPort } from '../../hw/port.ts'
import { stval } from '../../hw/spec/csrs/supervisor.ts'
import type { Vcpu } from './vcpu.ts'
import type { VirtualMachine } from './virtual-machine.ts'

/** Halfwords kept, and how many of them lie before the pc. */
export const CRASH_HALFWORDS = 16
export const CRASH_BEFORE = 8

/** Fills the machine's crash record. On the hart that the vCPU has just trapped from. */
export function recordCrash(port: HartPort, vm: VirtualMachine, vcpu: Vcpu): void {
  vm.record.vcpu = vcpu.index
  vm.record.faultAddress = port.read(stval)
  const pc = vcpu.programCounter(port)
  for (let index = 0; index < CRASH_HALFWORDS; index++) {
    vm.crashCode[index] = port.guestFetch16(pc + (index - CRASH_BEFORE) * 2)
  }
}
