/**
 * How much of what the Trojan sent the spy could know: the mutual information of symbols and observations, and what one
 * would find if there were no channel, for few samples always show some. The bound is what one in a thousand of the shuffled
 * symbols exceeds; a channel is there if the information does.
 */
import { randomWords, shuffled } from '../../hw/spec/random.ts'

export interface Information {
  /** Thousandths of a bit a symbol. */
  readonly millibits: number
  readonly bound: number
  readonly visible: boolean
}

const SHUFFLES = 1000
const QUANTILE = 0.999
/** Observations are sorted into so many classes at most, of equally many. */
const CLASSES = 8

/** Of paired samples. */
export function informationOf(symbols: readonly number[], observations: readonly number[], seed: number): Information {
  const classes = classify(observations)
  const millibits = 1000 * mutualInformation(symbols, classes)
  const random = randomWords(seed)
  const shuffledOnes = Array.from({ length: SHUFFLES }, () => mutualInformation(shuffled(symbols, random), classes))
  const bound = 1000 * shuffledOnes.toSorted((a, b) => a - b)[Math.ceil(SHUFFLES * QUANTILE) - 1]
  return { millibits, bound, visible: millibits > bound }
}

/** In classes by rank; equal values are in one. */
function classify(values: readonly number[]): readonly number[] {
  const sorted = values.toSorted((a, b) => a - b)
  return values.map(value => Math.floor((sorted.indexOf(value) * CLASSES) / values.length))
}

/** In bits, of the samples as they are. */
export function mutualInformation(first: readonly number[], second: readonly number[]): number {
  const { length } = first
  const count = (keys: readonly string[]) => {
    const counts = new Map<string, number>()
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
    return counts
  }
  const entropy = (keys: readonly string[]) =>
    [...count(keys).values()].reduce((sum, times) => sum - (times / length) * Math.log2(times / length), 0)
  return (
    entropy(first.map(String)) +
    entropy(second.map(String)) -
    entropy(first.map((symbol, index) => `${symbol} ${second[index]}`))
  )
}
