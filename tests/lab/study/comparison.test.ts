import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ledgerDifference } from '../../../lab/study/attribution.ts'
import { byAxis, comparisonOf, comparisonsOf } from '../../../lab/study/comparison.ts'
import { differenceLines, signed } from '../../../lab/study/difference-lines.ts'
import { ENOUGH } from '../../../lab/study/statistics.ts'
import { ACTIVITIES, PARTIES } from '../../../hw/spec/ledger.ts'
import { row, sample } from './sample.ts'

const seeds = Array.from({ length: ENOUGH }, (_, index) => index + 1)

test('rows of a difference sum to the difference of the cycles, whatever the ledgers', () => {
  const rows = fc.array(
    fc.record({
      hart: fc.nat(3),
      party: fc.constantFrom(...PARTIES),
      cause: fc.constantFrom('ecall', 'timer', 'running'),
      activity: fc.constantFrom(...ACTIVITIES),
      cycles: fc.nat(2 ** 40),
    }),
  )
  fc.assert(
    fc.property(rows, rows, (ofA, ofB) => {
      const [a, b] = [sample({ ledger: ofA }), sample({ ledger: ofB })]
      const found = ledgerDifference(a, b)
      expect(found.reduce((sum, { cycles }) => sum + cycles, 0)).toBe(b.cycles - a.cycles)
      expect(found.every(({ cycles }) => cycles !== 0)).toBe(true)
      expect(ledgerDifference(a, a)).toEqual([])
    }),
  )
})

test('differences are paired by seed: what all seeds share shows however much they vary', () => {
  const noise = (seed: number) => (seed * 7919) % 1000
  const comparison = comparisonOf(
    seeds.flatMap(seed => [
      sample({ seed, value: 10_000 + noise(seed) }),
      sample({ seed, configuration: 'native', value: 10_003 + noise(seed) }),
    ]),
  )
  const [difference] = comparison.differences
  expect(difference).toMatchObject({ a: 'bare', b: 'native', median: 3, low: 3, high: 3, undecided: false, cycles: 3 })
  expect(difference.pairs).toBe(ENOUGH)
  const [bare, native] = comparison.summary
  expect(bare.high).toBeGreaterThan(native.low)
})

test('an interval with zero in it shows no difference, and is printed so', () => {
  const comparison = comparisonOf(
    seeds.flatMap(seed => [
      sample({ seed, value: 100 }),
      sample({ seed, configuration: 'native', value: 100 + (seed % 2 === 0 ? 1 : -1) }),
      sample({ seed, configuration: 'hosted', value: 250 }),
    ]),
  )
  expect(comparison.differences.map(({ undecided }) => undecided)).toEqual([true, false, false])
  const text = differenceLines([comparison])
  expect(text).toMatch(/native − bare +no difference shown \[−1, \+1\]/)
  expect(text).toMatch(/hosted − bare +\+150 +\[\+150, \+150\] +\+150 %/)
  expect(text).not.toMatch(/hosted.*no difference/)
})

test('seeds that failed in one configuration pair with nothing; too few pairs state nothing', () => {
  const comparison = comparisonOf([
    ...seeds.map(seed => sample({ seed })),
    sample({ seed: 3, configuration: 'native', value: 90 }),
    sample({ seed: 99, configuration: 'hosted', value: 90 }),
  ])
  expect(comparison.differences.map(({ a, b, pairs, seed }) => [a, b, pairs, seed])).toEqual([['bare', 'native', 1, 3]])
  expect(differenceLines([comparison])).toContain('too few seeds')
})

test('by axis: pairs that differ in one alone', () => {
  const results = (['native', 'native-shared', 'hosted', 'hosted-kernel-backend', 'hosted-tuned'] as const).map(
    (configuration, index) => sample({ configuration, value: index + 1, ledger: [row({ cycles: index + 1 })] }),
  )
  const found = byAxis(comparisonsOf(results)).map(({ axis, differences }) => [
    axis,
    differences.map(({ a, b }) => `${a} → ${b}`),
  ])
  expect(found).toEqual([
    ['drivers', ['native → hosted-tuned']],
    ['emulates', ['hosted → hosted-kernel-backend']],
    ['schedules', ['native → native-shared', 'hosted-kernel-backend → hosted-tuned']],
  ])
})

test('signed numbers keep their sign and stay short', () => {
  expect([0, 3, -0.012345, 1234.5678, -98_765_432].map(signed)).toEqual([
    '0',
    '+3',
    '−0.01235',
    '+1,234.568',
    '−98,765,430',
  ])
})
