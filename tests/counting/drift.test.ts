/** Counted path length against compiled C: the same routine, the same inputs, the same results. */
import { expect, test } from 'vitest'
import { REAL_COUNTS } from './real-counts.ts'
import { runTwin, TWIN_NAMES } from './twins.ts'

const BUILDS = ['plain', 'traced'] as const

const results = REAL_COUNTS.flatMap(real =>
  BUILDS.map(build => {
    const { instructions, sum } = runTwin(real.twin, real.input, build === 'traced')
    const wanted = build === 'traced' ? real.traced : real.instructions
    return { ...real, build, counted: { instructions, sum }, ratio: instructions / wanted }
  }),
)

test('every twin computes what its C twin computes', () => {
  expect(new Set(results.map(({ twin }) => twin))).toEqual(new Set(TWIN_NAMES))
  for (const { twin, input, counted, sum } of results)
    expect(`${twin} ${input}: ${counted.sum}`).toBe(`${twin} ${input}: ${sum}`)
})

for (const { twin, input, build, ratio } of results) {
  test(`${twin}, input ${input}, ${build}: counted path length lies within 0.6 and 1.6 of compiled C`, () => {
    expect(ratio).toBeGreaterThan(0.6)
    expect(ratio).toBeLessThan(1.6)
  })
}

for (const build of BUILDS) {
  test(`${build}: over all twins the error has no direction: geometric mean within 0.85 and 1.15, spread below 1.3`, () => {
    const logarithms = results.filter(result => result.build === build).map(({ ratio }) => Math.log(ratio))
    const mean = logarithms.reduce((sum, value) => sum + value, 0) / logarithms.length
    const variance = logarithms.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logarithms.length
    expect(Math.exp(mean)).toBeGreaterThan(0.85)
    expect(Math.exp(mean)).toBeLessThan(1.15)
    expect(Math.exp(Math.sqrt(variance))).toBeLessThan(1.3)
  })
}

test('what a traced build adds is what the compiler adds to a function: two fifths to two and a half times as much in each twin, a tenth off over all', () => {
  const added = REAL_COUNTS.map(({ twin, input, instructions, traced }) => {
    const of = (build: string) =>
      results.find(result => result.twin === twin && result.input === input && result.build === build)!.counted
        .instructions
    return { real: traced - instructions, counted: of('traced') - of('plain') }
  })
  const ratios = added.map(({ real, counted }) => counted / real)
  expect(Math.min(...ratios)).toBeGreaterThan(0.4)
  expect(Math.max(...ratios)).toBeLessThan(2.5)
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
  expect(mean).toBeGreaterThan(0.9)
  expect(mean).toBeLessThan(1.1)
})
