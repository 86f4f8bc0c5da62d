/** What a placement's options are to the drivers: the same wherever a driver is placed. Set-up. */
import { type DriverPlacement, isPolled } from '../hw/spec/layouts/placement.ts'
import type { NicConfig } from './nic.ts'
import type { NvmeConfig } from './nvme.ts'

/** Completions that a controller which coalesces gathers at the most; that a driver which adapts handles before others have their turn. */
const COALESCED = 8
const ADAPTIVE_BUDGET = 8

type DiskOptions = Pick<DriverPlacement, 'depth' | 'queues' | 'service' | 'coalescing'>
type CardOptions = Pick<DriverPlacement, 'queues' | 'service' | 'coalescing'>

export function nvmeConfigOf({ depth, queues, service, coalescing }: DiskOptions): NvmeConfig {
  return {
    queueDepth: depth,
    queues,
    ...(service === 'adaptive' && { adaptive: true, budget: ADAPTIVE_BUDGET }),
    ...(coalescing > 0 && { coalescing: { microseconds: coalescing, completions: COALESCED } }),
  }
}

export function nicConfigOf({ queues, service, coalescing }: CardOptions, depth: number): NicConfig {
  return { queueDepth: depth, queues, adaptive: service === 'adaptive', interruptInterval: coalescing }
}

/** A driver's wires: none of a device that is polled. */
export function wiresOf<Wire>(placement: Pick<DriverPlacement, 'service'>, wires: readonly Wire[]): readonly Wire[] {
  return isPolled(placement) ? [] : wires
}
