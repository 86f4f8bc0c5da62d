/** Price lists by name: which core, with caches or without. */
import { cva6Flat } from './prices-cva6.ts'
import { type CacheStructure, chipyardMemory, cva6Caches, type L2Sharing, rocketCaches } from './prices-memory.ts'
import { type Model, type Prices, rocketFlat } from './prices.ts'

export const CORES = ['rocket', 'cva6'] as const
export type CoreName = (typeof CORES)[number]
export const MODELS: readonly Model[] = ['flat', 'cached']

/** What a machine description says of its harts and caches. */
export interface CoreChoice {
  readonly core?: CoreName
  readonly model?: Model
  /** Matters only with caches. */
  readonly l2?: L2Sharing
}

const LISTS: Readonly<Record<CoreName, { readonly flat: Prices; readonly caches: CacheStructure }>> = {
  rocket: { flat: rocketFlat, caches: rocketCaches },
  cva6: { flat: cva6Flat, caches: cva6Caches },
}

/** The list for a choice: Rocket, flat, an L2 for all harts, unless it says otherwise. */
export function pricesFor({ core = 'rocket', model = 'flat', l2 = 'shared' }: CoreChoice): Prices {
  const { flat, caches } = LISTS[core]
  return model === 'flat' ? flat : { ...flat, model, caches: { ...caches, sharing: l2 }, memory: chipyardMemory }
}
