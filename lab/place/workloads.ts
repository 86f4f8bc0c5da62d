/** What placements are measured with: workloads whose single requests are marked, by the device that they use. */
import { ALL_WORKLOADS } from '../../guests/index.ts'
import type { Workload } from '../../guests/workload.ts'
import { UserError } from '../user-error.ts'

export const DEVICES = ['nvme', 'nic'] as const
export type Device = (typeof DEVICES)[number]

/** For what one looks for first: one request at a time, and as many as the device takes. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'disk-latency': 'disk-randread-1',
  'disk-stream': 'disk-read-32',
  'network-latency': 'network-ping',
  'network-packets': 'network-small',
}

/** A workload that says when each of its requests begins and ends. */
export interface MarkedWorkload extends Workload {
  readonly requests: number
  readonly operations: number
}

function isMarked(workload: Workload): workload is MarkedWorkload {
  return workload.requests !== undefined && workload.operations !== undefined
}

function workloadsFor(device: Device): readonly MarkedWorkload[] {
  return ALL_WORKLOADS.filter(isMarked).filter(workload => (device === 'nvme' ? workload.disk : workload.network))
}

/** Every name that can be given for a device. */
export function namesFor(device: Device): readonly string[] {
  const names = workloadsFor(device).map(({ name }) => name)
  return [...Object.keys(OTHER_NAMES).filter(name => names.includes(OTHER_NAMES[name])), ...names]
}

export function deviceOf(text: string): Device {
  const found = DEVICES.find(device => device === text)
  if (!found) throw new UserError(`--device ${text}: choose of ${DEVICES.join(',')}`)
  return found
}

/** Throws one line if there is none of that name, or if it is about another device. */
export function placeWorkload(name: string, device: Device): MarkedWorkload {
  const full = OTHER_NAMES[name] ?? name
  const found = workloadsFor(device).find(workload => workload.name === full)
  if (found) return found
  const other = DEVICES.find(candidate => workloadsFor(candidate).some(workload => workload.name === full))
  throw new UserError(
    other
      ? `workload "${name}" uses the device ${other}, not ${device}; say --device ${other}, or choose of ${namesFor(device).join(', ')}`
      : `there is no workload "${name}" with requests to time; choose of ${namesFor(device).join(', ')}`,
  )
}
