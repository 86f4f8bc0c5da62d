/** What the host's kernel sets on every hart before anything runs there. */
import type { HartPort } from '../../hw/port.ts'
import { maskOf } from '../../hw/spec/csr.ts'
import { hie } from '../../hw/spec/csrs/hypervisor.ts'
import { sie } from '../../hw/spec/csrs/supervisor.ts'
import { prepareHypervisor } from '../core/guest-context.ts'

const EXTERNAL = maskOf(sie, 'SEIE')

/** `takesDevices`: the devices' interrupts come to this hart. */
export function prepareHart(port: HartPort, takesDevices: boolean): void {
  prepareHypervisor(port)
  if (takesDevices) port.set(sie, EXTERNAL)
  else port.clear(sie, EXTERNAL)
  port.write(hie, 0)
}
