import { expect, test } from 'vitest'
import { rocketFlat } from '../../../hw/index.ts'
import { sensitivityLines } from '../../../lab/study/conclusion-lines.ts'
import { claimsOf, conclusionOf, ordersOf, type Trial } from '../../../lab/study/conclusions.ts'
import { comparisonOf } from '../../../lab/study/comparison.ts'
import { differenceLines } from '../../../lab/study/difference-lines.ts'
import { priceList, pricePaths, scaledPrices } from '../../../lab/study/price-list.ts'
import {
  followUp,
  measurementsFor,
  sensitivity,
  type SensitivityPlan,
  withFollowUp,
} from '../../../lab/study/sensitivity.ts'
import { ENOUGH } from '../../../lab/study/statistics.ts'
import { sample } from './sample.ts'

const seeds = Array.from({ length: ENOUGH }, (_, index) => index + 1)
const watcher = { begin: () => {}, finish: () => {} }
const list = priceList(rocketFlat)

test('claims are what enough seeds show, the cheaper first', () => {
  const comparison = (count: number) =>
    comparisonOf(
      seeds
        .slice(0, count)
        .flatMap(seed => [
          sample({ seed, value: 200 }),
          sample({ seed, configuration: 'native', value: 100 }),
          sample({ seed, configuration: 'hosted', value: 100 + (seed % 3) - 1 }),
        ]),
    )
  expect(claimsOf([comparison(ENOUGH)])).toEqual([
    { workload: 'hypercall', less: 'native', more: 'bare' },
    { workload: 'hypercall', less: 'hosted', more: 'bare' },
  ])
  expect(claimsOf([comparison(ENOUGH - 1)])).toEqual([])
})

test('what differs surely, and by less than what matters, is equal: no claim is made of it', () => {
  const comparison = (equivalence: number) =>
    comparisonOf(
      seeds.flatMap(seed => [
        sample({ seed, configuration: 'native', value: 1000 + seed }),
        sample({ seed, configuration: 'hosted', value: 1003 + seed + (seed % 2) }),
      ]),
      equivalence,
    )
  const [close] = comparison(0.005).differences
  expect(close).toMatchObject({ undecided: false, equivalent: true, low: 3, high: 4 })
  expect(claimsOf([comparison(0.005)])).toEqual([])
  expect(differenceLines([comparison(0.005)])).toContain('equal within 0.5 % [+3, +4]')
  expect(claimsOf([comparison(0.001)])).toEqual([{ workload: 'hypercall', less: 'native', more: 'hosted' }])
})

test('every number that is a price is varied; sizes, shapes and names are not', () => {
  const paths = pricePaths(list)
  for (const path of [
    'core/pipelineFlush',
    'core/instructions/div',
    'core/deviceRead/pcie',
    'drive/readPage',
    'card/fetch',
  ])
    expect(paths).toContain(path)
  expect(paths.filter(path => /channels|pageBytes|cacheBytes|caches|name|model/.test(path))).toEqual([])
  for (const path of paths) {
    const of = (prices: object) => path.split('/').reduce((value, name) => (value as never)[name], prices as unknown)
    const price = of(list) as number
    const [half, double] = [0.5, 2].map(factor => of(scaledPrices(list, new Map([[path, factor]]))) as number)
    expect(Number.isInteger(half) && Number.isInteger(double)).toBe(true)
    // A rate is what a price is not: it falls as the price rises.
    const [least, most] = half < double ? [half, double] : [double, half]
    expect([least <= price / 2 || least === 1, most]).toEqual([true, price * 2])
  }
  expect(scaledPrices(list, new Map())).toEqual(list)
})

/** Costs as if the core's flush were all that native costs, and its page table reads all that hosted does. */
const plan: SensitivityPlan = {
  claims: [{ workload: 'hypercall', less: 'native', more: 'hosted' }],
  draws: 40,
  singly: true,
  conditions: { harts: 1 },
}

test('a conclusion survives only if every rerun agrees; else it says where it fails', async () => {
  const rerun = (spread: number) =>
    sensitivity(plan, watcher, ({ workload, configuration, conditions: { prices = rocketFlat, seed = 0 } = {} }) =>
      Promise.resolve({
        results: [
          sample({
            workload,
            configuration,
            seed,
            value: configuration === 'native' ? prices.pipelineFlush : prices.pteRead + spread,
          }),
        ],
        absent: [],
        failures: [],
      }),
    )
  const [firm] = (await rerun(100)).conclusions
  expect(firm).toMatchObject({ survives: true, fails: [], tried: { jointly: 40, pathLengths: 2 } })
  expect(firm.tried.prices).toBe(pricePaths(list).length * 2)
  const [weak] = (await rerun(3)).conclusions
  expect(weak.survives).toBe(false)
  const names = weak.fails.map(({ variation }) => variation.name)
  expect(names).toContain('core/pipelineFlush ×2')
  expect(names.some(name => name.startsWith('draw'))).toBe(true)
  expect(names).not.toContain('core/replay ×2')
  expect(await rerun(3)).toEqual(await rerun(3))
})

test('the conclusions that came closest to surviving are followed up, price by price', async () => {
  const claim = plan.claims[0]
  const failing = (draws: number) =>
    conclusionOf(
      { ...claim, workload: `fails ${draws}` },
      Array.from({ length: 6 }, (_, draw) => ({
        variation: { kind: 'joint', name: `draw ${draw + 1}` },
        difference: draw < draws ? -1 : 1,
      })),
    )
  const conclusions = [5, 3, 0, 2, 6, 1].map(failing)
  const next = followUp(plan, conclusions)
  expect(next.claims.map(({ workload }) => workload)).toEqual(['fails 1', 'fails 2', 'fails 3', 'fails 5'])
  expect(measurementsFor(next).every(({ variation }) => variation.kind === 'price')).toBe(true)
  const price: Trial = { variation: { kind: 'price', name: 'core/replay ×2' }, difference: -1 }
  const merged = withFollowUp(conclusions, [conclusionOf({ ...claim, workload: 'fails 1' }, [price])])
  expect(merged[5]).toMatchObject({ survives: false, tried: { prices: 1, jointly: 6 } })
  expect(merged[5].fails.at(-1)).toEqual(price)
  expect(merged.slice(0, 5)).toEqual(conclusions.slice(0, 5))
})

test('draws name the price that decides', () => {
  const draw = (flush: number, other: number, difference: number): Trial => ({
    variation: { kind: 'joint', name: '', factors: { flush, other } },
    difference,
  })
  const claim = { workload: 'memory', less: 'native', more: 'hosted' } as const
  const trials = [draw(0.6, 1.9, 5), draw(1.6, 0.7, -3), draw(1.4, 0.6, 7), draw(1.9, 1.3, -1), draw(0.5, 1, 4)]
  expect(conclusionOf(claim, trials).decisive).toEqual(['flush above ×1.40'])
  // One failing draw separates too easily.
  expect(conclusionOf(claim, trials.toSpliced(3, 1)).decisive).toEqual([])
})

test('every draw takes each price between half and double, and has a seed of its own', () => {
  const draws = measurementsFor({ ...plan, singly: false }).filter(({ variation }) => variation.kind === 'joint')
  const factors = draws.flatMap(({ variation }) => Object.values(variation.factors ?? {}))
  expect([Math.min(...factors) < 0.51, Math.max(...factors) > 1.96]).toEqual([true, true])
  expect(factors.every(factor => factor >= 0.5 && factor <= 2)).toBe(true)
  expect(new Set(draws.map(({ conditions }) => conditions?.seed)).size).toBe(40)
})

test('an order survives with its conclusions, and is printed with them', () => {
  const comparison = comparisonOf([
    sample({ value: 3 }),
    sample({ configuration: 'native', value: 1 }),
    sample({ configuration: 'hosted', value: 2 }),
  ])
  const claim = { workload: 'hypercall', less: 'native', more: 'hosted' } as const
  const trials: readonly Trial[] = [
    { variation: { kind: 'path length', name: 'path length ×0.7' }, difference: 0 },
    { variation: { kind: 'path length', name: 'path length ×1.4' }, difference: 1 },
  ]
  const conclusions = [conclusionOf(claim, trials)]
  const orders = ordersOf([comparison], conclusions)
  expect(orders).toEqual([{ workload: 'hypercall', order: ['native', 'hosted', 'bare'], survives: false }])
  expect(sensitivityLines(orders, conclusions)).toMatch(/undecided\n.*not so with path length ×0\.7$/)
  expect(ordersOf([comparison], [conclusionOf(claim, trials.slice(1))])[0].survives).toBe(true)
})
