/** Every CSR of the machine, by number and by name. */
import type { Csr } from '../csr.ts'
import { AIA_CSRS } from './aia.ts'
import { COUNTER_CSRS } from './counters.ts'
import { FLOAT_CSRS } from './float.ts'
import { HYPERVISOR_CSRS } from './hypervisor.ts'
import { MACHINE_CSRS } from './machine.ts'
import { SUPERVISOR_CSRS } from './supervisor.ts'
import { TRIGGER_CSRS } from './triggers.ts'

export const CSRS: readonly Csr[] = [
  ...MACHINE_CSRS,
  ...SUPERVISOR_CSRS,
  ...HYPERVISOR_CSRS,
  ...COUNTER_CSRS,
  ...FLOAT_CSRS,
  ...TRIGGER_CSRS,
  ...AIA_CSRS,
]
export const csrByNumber: ReadonlyMap<number, Csr> = new Map(CSRS.map(csr => [csr.number, csr]))
export const csrByName: ReadonlyMap<string, Csr> = new Map(CSRS.map(csr => [csr.name, csr]))
