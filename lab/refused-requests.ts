/** What is said of requests to memory that devices have made and the IOMMU has refused. */
import { TTYP } from '../hw/spec/layouts/iommu.ts'
import type { System } from './system.ts'

const WHAT: Readonly<Record<number, string>> = { [TTYP.READ]: 'read', [TTYP.WRITE]: 'write' }

/** One line, or '' if there are none. A device is named by bus, slot and function. */
export function refusedRequests({ dmaFaults }: System): string {
  if (!dmaFaults || dmaFaults.record.faults === 0) return ''
  const { faults, lost, device, cause, kind, address } = dmaFaults.record
  const name = `${hex(device >>> 8, 2)}:${hex((device >>> 3) & 31, 2)}.${device & 7}`
  const more = lost === 0 ? '' : ', and more than its queue holds'
  return `the IOMMU refused ${faults} requests of devices${more}; the last: a ${WHAT[kind] ?? 'request'} of 0x${hex(address, 1)} by ${name}, cause ${cause}`
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
