/** Every workload: the small set that gives a first picture, and the variants that go further into one thing. */
import type { Workload } from './workload.ts'
import { compute } from './workloads/compute.ts'
import { disk } from './workloads/disk.ts'
import { diskPatterns } from './workloads/disk-pattern.ts'
import { float } from './workloads/float.ts'
import { hostile } from './workloads/hostile.ts'
import { hypercall } from './workloads/hypercall.ts'
import { kernel } from './workloads/kernel.ts'
import { memory, memoryVariants } from './workloads/memory.ts'
import { network } from './workloads/network.ts'
import { networkPatterns } from './workloads/network-pattern.ts'
import { server } from './workloads/server.ts'
import { tenant } from './workloads/tenant.ts'
import { timer } from './workloads/timer.ts'

export type { Workload } from './workload.ts'

/** The small set. */
export const WORKLOADS: readonly Workload[] = [compute, float, memory, kernel, hypercall, timer, disk, network, hostile]

/** The small set and the variants. */
export const ALL_WORKLOADS: readonly Workload[] = [
  ...WORKLOADS,
  ...memoryVariants,
  ...diskPatterns,
  ...networkPatterns,
  server,
  tenant,
]

/** The workload of a name, if there is one. */
export function workloadNamed(name: string): Workload | undefined {
  return ALL_WORKLOADS.find(workload => workload.name === name)
}
