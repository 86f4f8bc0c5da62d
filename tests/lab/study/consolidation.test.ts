import { expect, test } from 'vitest'
import { consolidation } from '../../../lab/study/consolidation.ts'

test('guests share a hart until it is full: each gets its own until then; what is taken at rest is not theirs', async () => {
  const { points, limit, lost } = await consolidation('native', 5, () => {})
  const [one, , , , five] = points
  expect(points.map(({ guests }) => guests)).toEqual([1, 2, 3, 4, 5])
  expect(limit).toBe('5 were asked for')
  for (const { guests, total, each } of points) expect(total).toBeCloseTo(each * guests, 6)
  expect(points[1]?.each).toBeGreaterThan(0.98 * (one?.each ?? 0))
  expect(five?.total).toBeLessThan(4.5 * (one?.each ?? 0))
  expect(lost.bytes).toBeGreaterThan(0)
  expect(lost.bytes).toBeLessThan(lost.ramBytes / 2)
})
