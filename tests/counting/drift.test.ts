/** Counted path length against compiled C: the same routine, the same inputs, the same results. */
import { expect, test } from 'vitest'
import { REAL_COUNTS } from './real-counts.ts'
import { runTwin, TWIN_NAMES } from './twins.ts'

const results = REAL_COUNTS.map(real => {
  const counted = runTwin(real.twin, real.input)
  return { ...real, counted, ratio: counted.instructions / real.instructions }
})

test('every twin computes what its C twin computes', () => {
  expect(new Set(results.map(({ twin }) => twin))).toEqual(new Set(TWIN_NAMES))
  for (const { twin, input, counted, sum } of results)
    expect(`${twin} ${input}: ${counted.sum}`).toBe(`${twin} ${input}: ${sum}`)
})

for (const { twin, input, ratio } of results) {
  test(`${twin}, input ${input}: counted path length lies within 0.6 and 1.6 of compiled C`, () => {
    expect(ratio).toBeGreaterThan(0.6)
    expect(ratio).toBeLessThan(1.6)
  })
}

test('over all twins the error has no direction: geometric mean within 0.85 and 1.15, spread below 1.3', () => {
  const logarithms = results.map(({ ratio }) => Math.log(ratio))
  const mean = logarithms.reduce((sum, value) => sum + value, 0) / logarithms.length
  const variance = logarithms.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logarithms.length
  expect(Math.exp(mean)).toBeGreaterThan(0.85)
  expect(Math.exp(mean)).toBeLessThan(1.15)
  expect(Math.exp(Math.sqrt(variance))).toBeLessThan(1.3)
})
