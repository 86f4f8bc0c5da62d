/** All that has a price, in one value, and how to change each number of it: what a sensitivity study varies. */
import { i82576, p3700, type DrivePrices, type NicPrices, type Prices } from '../../hw/index.ts'

export interface PriceList {
  readonly core: Prices
  readonly drive: DrivePrices
  readonly card: NicPrices
}

/** With the devices that the board has. */
export function priceList(core: Prices): PriceList {
  return { core, drive: p3700, card: i82576 }
}

/** What these say how many of, or how large: sizes and shapes are no prices. */
const GEOMETRY: ReadonlySet<string> = new Set([
  'core/caches',
  'core/translation',
  'drive/pageBytes',
  'drive/channels',
  'drive/cacheBytes',
  'card/overheadBytes',
])
/** Rates: bytes or bits a second; a device that is slower by a factor has a lower one. */
const RATES: ReadonlySet<string> = new Set(['drive/readRate', 'drive/writeRate', 'card/lineRate'])
const STATIC = 'core/instructions/'

/** Every number that is a price, as a path: `core/pipelineFlush`, `core/instructions/fdiv.s`, `drive/readPage`. */
export function pricePaths(list: PriceList): readonly string[] {
  const paths: string[] = []
  const walk = (value: unknown, path: string) => {
    if (GEOMETRY.has(path)) return
    if (typeof value === 'number') paths.push(path)
    else if (typeof value === 'object' && value !== null)
      for (const [name, part] of Object.entries(value)) walk(part, path === '' ? name : `${path}/${name}`)
  }
  walk(list, '')
  return paths
}

/**
 * The list with some prices multiplied. Cycles stay whole, rounded away from what they were, so that a price of one can
 * be halved too; an instruction takes one at least.
 */
export function scaledPrices(list: PriceList, factors: ReadonlyMap<string, number>): PriceList {
  const scale = (value: unknown, path: string): unknown => {
    if (typeof value === 'number') {
      const factor = factors.get(path)
      return factor === undefined ? value : scaledPrice(value, path, factor)
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, scale(part, path === '' ? name : `${path}/${name}`)]),
    )
  }
  return scale(list, '') as PriceList
}

function scaledPrice(price: number, path: string, factor: number): number {
  const exact = RATES.has(path) ? price / factor : price * factor
  const whole = exact < price ? Math.floor(exact) : Math.ceil(exact)
  return path.startsWith(STATIC) ? Math.max(1, whole) : whole
}
