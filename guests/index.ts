/** Every workload, by name. */
import type { Workload } from './workload.ts'
import { compute } from './workloads/compute.ts'
import { disk } from './workloads/disk.ts'
import { float } from './workloads/float.ts'
import { hostile } from './workloads/hostile.ts'
import { hypercall } from './workloads/hypercall.ts'
import { kernel } from './workloads/kernel.ts'
import { memory } from './workloads/memory.ts'
import { network } from './workloads/network.ts'
import { timer } from './workloads/timer.ts'

export type { Workload } from './workload.ts'

export const WORKLOADS: readonly Workload[] = [compute, float, memory, kernel, hypercall, timer, disk, network, hostile]
