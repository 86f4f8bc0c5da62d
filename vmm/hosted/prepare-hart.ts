/** What the host's kernel sets on every hart before anything runs there. */
import type { HartPort } from '../../hw/port.ts'
import { hie } from '../../hw/spec/csrs/hypervisor.ts'
import { prepareHypervisor } from '../core/guest-context.ts'

export function prepareHart(port: HartPort): void {
  prepareHypervisor(port)
  port.write(hie, 0)
}
