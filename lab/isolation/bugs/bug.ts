/** A bug that can be planted: a text substitution at exactly one place of the product (docs/how-to-plant-a-bug.md). */
import type { Substitution } from '../../planting/substitution.ts'

export const AREAS = [
  'stage-2',
  'fences',
  'VMID',
  'register switching',
  'virtio',
  'MMIO emulation',
  'interrupts',
  'IOMMU',
  'passthrough',
  'grants',
  'block and network partitioning',
  'scheduler',
  'life cycle',
] as const
export type Area = (typeof AREAS)[number]

export interface Bug extends Substitution {
  readonly name: string
  /** The real bug, or the class of real bugs, that it is like. */
  readonly models: string
  readonly area: Area
  /** What a guest, or the machine, can then do or see that it could not before. */
  readonly difference: string
  /** The promise that catches it. */
  readonly promise: string
  /** A seed with which that promise's short run catches it. */
  readonly seed: number
}
