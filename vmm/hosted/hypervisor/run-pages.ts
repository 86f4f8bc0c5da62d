/** What the hypervisor writes into a vCPU's run page before the process goes on: why, and what it needs to know. */
import type { HartPort } from '../../../hw/port.ts'
import type { PendingAccess } from '../../core/exits.ts'
import type { Vcpu } from '../../core/vcpu.ts'
import type { VirtualMachine } from '../../core/virtual-machine.ts'
import { EXIT_DEVICE, EXIT_ENDED, runPage } from '../system-calls.ts'

/** A device access that the process is to emulate. */
export function tellAccess(port: HartPort, page: number, vcpu: Vcpu, pending: PendingAccess): void {
  port.store32(page + runPage.reason.at, EXIT_DEVICE)
  port.store32(page + runPage.bytes.at, pending.bytes)
  port.store64(page + runPage.address.at, pending.address)
  port.store32(page + runPage.write.at, pending.write ? 1 : 0)
  if (!pending.write) return
  const { register } = pending
  port.store32(page + runPage.low.at, vcpu.register32(port, register))
  if (pending.bytes === 8)
    port.store32(page + runPage.high.at, register === 0 ? 0 : port.load32(vcpu.frame + register * 8 + 4))
}

/** The guest is over. */
export function tellEnd(port: HartPort, page: number, { record }: VirtualMachine): void {
  port.store32(page + runPage.reason.at, EXIT_ENDED)
  port.store32(page + runPage.code.at, record.exitCode)
  port.store32(page + runPage.crashed.at, record.crashed ? 1 : 0)
}
