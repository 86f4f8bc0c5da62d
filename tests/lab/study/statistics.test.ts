import fc from 'fast-check'
import { expect, test } from 'vitest'
import { estimate, median, rankOfEnds } from '../../../lab/study/statistics.ts'

/** How many of all 2^n ways in which n values can lie about the median leave it outside the interval of this rank. */
function missing(n: number, rank: number): number {
  const below = (count: number) => {
    let ways = 1
    for (let k = 0; k < count; k++) ways = (ways * (n - k)) / (k + 1)
    return ways
  }
  let ways = 0
  for (let count = 0; count < rank; count++) ways += below(count)
  return (2 * ways) / 2 ** n
}

test("the interval's ends are the innermost that miss the median with at most 5 %", () => {
  expect([5, 6, 30, 100].map(rankOfEnds)).toEqual([0, 1, 10, 40])
  for (let n = 6; n <= 60; n++) {
    expect(missing(n, rankOfEnds(n))).toBeLessThanOrEqual(0.05)
    expect(missing(n, rankOfEnds(n) + 1)).toBeGreaterThan(0.05)
  }
})

test('median and ends are values of the sample, or between two, and do not depend on its order', () => {
  expect([median([3]), median([4, 1]), median([9, 1, 5])]).toEqual([3, 2.5, 5])
  expect(estimate(Array.from({ length: 30 }, (_, index) => index + 1))).toEqual({ median: 15.5, low: 10, high: 21 })
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), values => {
      const found = estimate(values)
      expect(values).toContain(found.low)
      expect(values).toContain(found.high)
      expect(found.low).toBeLessThanOrEqual(found.high)
      expect(estimate(values.toReversed())).toEqual(found)
    }),
  )
})
